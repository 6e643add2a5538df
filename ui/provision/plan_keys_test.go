package provision

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"github.com/pelletier/go-toml/v2"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm/softtpm"
	"edgewright/ui/frame/frametest"
	"edgewright/ui/pagetest"
	"edgewright/ui/widgets"
)

// notAsked are the keys of a plan that no person has to say.
var notAsked = []string{"version"}

// Plans to begin with, one for each kind of device.
const (
	byKey        = "[device]\nid = \"line-7-0042\"\n[cell]\nplatform = \"linux\"\nprovisioning = \"manual\"\nauthentication = \"symmetric-key\"\n"
	byDPS        = "[device]\nid = \"line-7-0042\"\n[cell]\nplatform = \"linux\"\nprovisioning = \"dps\"\nauthentication = \"symmetric-key\"\n[cloud]\nname = \"practice\"\nenrollment = \"individual\"\n"
	bySelfSigned = "[device]\nid = \"line-7-0042\"\n[cell]\nplatform = \"linux\"\nprovisioning = \"manual\"\nauthentication = \"x509\"\n"
	byIssued     = bySelfSigned + "[x509]\nsource = \"issue\"\n"
	byUnspared   = bySelfSigned + "[x509]\nsource = \"self-signed\"\nthumbprint = \"sha1\"\nsecondary = false\n"
	byGroupX509  = "[device]\nid = \"line-7-0042\"\n[cell]\nplatform = \"linux\"\nprovisioning = \"dps\"\nauthentication = \"x509\"\n[cloud]\nname = \"practice\"\nenrollment = \"group\"\ngroup = \"line-7\"\n"
	byServer     = byGroupX509 + "[x509]\nsource = \"est\"\nest = {url = \"https://est.example.test/.well-known/est\"}\n"
	byTPM        = "[device]\nid = \"line-7-0042\"\n[cell]\nplatform = \"linux\"\nprovisioning = \"dps\"\nauthentication = \"tpm\"\n"
)

// keyHand is a person at the wizard, who finds controls by what stands at them.
type keyHand struct {
	t *testing.T
	p *Page
	q *frametest.Queue
}

// fill types into the field of that label.
func (h keyHand) fill(label, text string) { pagetest.Field(h.t, h.p.c, label).SetText(text) }

// pick takes an entry of the list in the field of that label.
func (h keyHand) pick(label, option string) {
	h.t.Helper()
	list := fieldOf[*widgets.Select](h.p, label)
	if list == nil || !slices.Contains(list.Options, option) {
		h.t.Fatalf("no list %q offers %q: %v", label, option, list)
	}
	list.SetSelected(option)
}

// fieldOf finds the control of a kind in the field of that label, nil for none.
func fieldOf[C fyne.CanvasObject](p *Page, label string) (found C) {
	inside := false
	pagetest.Each(p.c, func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widgets.Field:
			inside = false
		case *widgets.Text:
			inside = inside || o.Text() == label
		case C:
			if inside && reflect.ValueOf(found).IsNil() {
				found = o
			}
		}
	})
	return found
}

// tick changes the box of that text.
func (h keyHand) tick(text string, yes bool) {
	h.t.Helper()
	var box *widgets.Check
	pagetest.Each(h.p.c, func(o fyne.CanvasObject) {
		if c, ok := o.(*widgets.Check); ok && c.Text == text {
			box = c
		}
	})
	if box == nil || box.Checked == yes {
		h.t.Fatalf("no box %q to change: %v", text, box)
	}
	box.SetChecked(yes)
}

// card goes with the arrow keys to a card, in the first group that has it.
func (h keyHand) card(id string) {
	h.t.Helper()
	for _, group := range all[*widgets.ChoiceGroup](h.p) {
		if group.Offers(id) {
			for group.Chosen() != id {
				group.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
			}
			return
		}
	}
	h.t.Fatalf("no card %q can be chosen", id)
}

// all are the controls of a kind in sight.
func all[C fyne.CanvasObject](p *Page) (found []C) {
	pagetest.Each(p.c, func(o fyne.CanvasObject) {
		if c, ok := o.(C); ok {
			found = append(found, c)
		}
	})
	return found
}

// unfold opens what is folded away.
func (h keyHand) unfold() {
	if fold := h.p.steps[stepIdentity].(*identityStep).more.fold; !fold.Open() {
		pagetest.Press(h.t, h.p.c, "Version, Tags, Vertrauensbündel")
	}
}

// planKey is how a person gives a key of the plan a value.
type planKey struct {
	key, plan string
	step      int
	do        func(h keyHand)
	want      any // as TOML has it
}

func planKeys() []planKey {
	way := func(provisioningBy, authentication string) func(h keyHand) {
		return func(h keyHand) {
			h.p.way().board.Take((provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.Method(provisioningBy), Authentication: provisioning.Authentication(authentication)}).String())
			h.p.Primary()
			h.q.Settle()
		}
	}
	edge := func(then func(h keyHand)) func(h keyHand) {
		return func(h keyHand) {
			h.tick("Ihm eine eigene Edge-CA geben", true)
			then(h)
		}
	}
	more := func(then func(h keyHand)) func(h keyHand) {
		return func(h keyHand) { h.unfold(); then(h) }
	}
	return []planKey{
		{"device.id", byKey, stepIdentity, func(h keyHand) { h.fill("Geräte-ID", "press-1") }, "press-1"},
		{"device.registration_id", byDPS, stepIdentity, func(h keyHand) { h.fill("Registrierungs-ID", "press-1") }, "press-1"},
		{"device.hostname", byKey, stepIdentity, func(h keyHand) { h.fill("Hostname", "press-1.example.test") }, "press-1.example.test"},
		{"device.tags", byKey, stepIdentity, more(func(h keyHand) { h.fill("Tags des Gerätezwillings", "line = 7\nsite = Ulm") }), map[string]any{"line": int64(7), "site": "Ulm"}},
		{"cell.platform", byDPS, stepWay, way("manual", "symmetric-key"), "linux"}, // the others come later
		{"cell.provisioning", byKey, stepWay, way("dps", "symmetric-key"), "dps"},
		{"cell.authentication", byKey, stepWay, way("manual", "x509"), "x509"},
		{"cloud.name", byKey, stepCloud, func(h keyHand) { h.card("plant") }, "plant"},
		{"cloud.enrollment", byDPS, stepCloud, func(h keyHand) { h.card("group"); h.fill("Registrierungsgruppe", "line-7") }, "group"},
		{"cloud.group", byGroupX509, stepCloud, func(h keyHand) { h.fill("Registrierungsgruppe", "line-8") }, "line-8"},
		{"cloud.existing", byKey, stepIdentity, func(h keyHand) { h.tick("Vorhandenes übernehmen", true) }, "adopt"},
		{"runtime.version", byKey, stepIdentity, more(func(h keyHand) { h.pick("Version von IoT Edge", "1.4") }), "1.4"},
		{"symmetric_key.key", byKey, stepIdentity, func(h keyHand) { h.fill("Symmetrischer Schlüssel", "vault:kept") }, "vault:kept"},

		{"x509.source", bySelfSigned, stepIdentity, func(h keyHand) { h.card("issue") }, "issue"},
		{"x509.ca", byGroupX509, stepIdentity, func(h keyHand) { h.pick("Ausstellende CA", "Line 7 issuing") }, "Line 7 issuing"},
		{"x509.ca", byServer, stepIdentity, func(h keyHand) { h.pick("CA des EST-Servers", "Plant Root") }, "Plant Root"},
		{"x509.ca", byGroupX509, stepIdentity, func(h keyHand) { h.card("local-ca"); h.pick("CA, die die des Geräts signiert", "Line 7 issuing") }, "Line 7 issuing"},
		{"x509.key", bySelfSigned, stepIdentity, func(h keyHand) {
			h.card("workstation")
		}, "workstation"},
		{"x509.algorithm", bySelfSigned, stepIdentity, func(h keyHand) { h.pick("Art des Schlüssels", "RSA 3072") }, "rsa3072"},
		{"x509.days", bySelfSigned, stepIdentity, func(h keyHand) { h.fill("Tage", "90") }, int64(90)},
		{"x509.anchor", byGroupX509, stepIdentity, func(h keyHand) { h.card("uploaded"); h.fill("Name der hochgeladenen CA", "line-7") }, "uploaded"},
		{"x509.uploaded", byGroupX509, stepIdentity, func(h keyHand) { h.card("uploaded"); h.fill("Name der hochgeladenen CA", "line-7") }, "line-7"},
		{"x509.onboard", byGroupX509, stepIdentity, func(h keyHand) { h.card("uploaded"); h.tick("In diesem Lauf hochladen und bestätigen", true) }, true},
		{"x509.thumbprint", bySelfSigned, stepIdentity, func(h keyHand) { h.pick("Fingerabdruck", "SHA-1") }, "sha1"},
		{"x509.secondary", bySelfSigned, stepIdentity, func(h keyHand) { h.tick("Mit einem Ersatzpaar auf dem Gerät", false) }, false},
		{"x509.secondary", byIssued, stepIdentity, func(h keyHand) { h.card("self-signed"); h.tick("Mit einem Ersatzpaar auf dem Gerät", false) }, false},
		{"x509.source", byUnspared, stepIdentity, func(h keyHand) { h.card("issue") }, "issue"},
		{"x509.files.certificate", bySelfSigned, stepIdentity, pairOfFiles, "/tmp/chain.pem"},
		{"x509.files.key", bySelfSigned, stepIdentity, pairOfFiles, "/tmp/key.pem"},
		{"x509.est.url", byServer, stepIdentity, func(h keyHand) { h.fill("Adresse des EST-Servers", "https://other.example.test/.well-known/est/ca") }, "https://other.example.test/.well-known/est/ca"},
		{"x509.est.bootstrap", byServer, stepIdentity, func(h keyHand) { h.pick("Was das Gerät dort zuerst zeigt", "das Geheimnis kept") }, "vault:kept"},
		{"x509.est.trust", byServer, stepIdentity, func(h keyHand) { h.pick("Wer für den Server bürgt", "Plant Root") }, "Plant Root"},
		{"x509.auto_renew.rotate_key", byServer, stepIdentity, func(h keyHand) { h.tick("Jedes Mal mit neuem Schlüssel", false) }, false},
		{"x509.auto_renew.threshold", byServer, stepIdentity, func(h keyHand) { h.fill("Beginnt bei", "10day") }, "10day"},
		{"x509.auto_renew.retry", byServer, stepIdentity, func(h keyHand) { h.fill("Neuer Versuch nach", "60min") }, "60min"},

		{"edge_ca.source", byKey, stepIdentity, edge(func(h keyHand) {
			h.card("est")
			h.fill("Adresse des EST-Servers", "https://est.example.test/.well-known/est")
		}), "est"},
		{"edge_ca.ca", byTPM, stepIdentity, edge(func(h keyHand) { h.pick("Ausstellende CA", "Line 7 issuing") }), "Line 7 issuing"},
		{"edge_ca.common_name", byKey, stepIdentity, edge(func(h keyHand) { h.fill("Allgemeiner Name der Edge-CA (CN)", "line-7-0042.edge") }), "line-7-0042.edge"},
		{"edge_ca.files.certificate", byKey, stepIdentity, edge(pairOfFiles), "/tmp/chain.pem"},
		{"edge_ca.files.key", byKey, stepIdentity, edge(pairOfFiles), "/tmp/key.pem"},
		{"trust_bundle.certificates", byKey, stepIdentity, more(func(h keyHand) {
			list := fieldOf[*widgets.Select](h.p, "Vertrauensbündel (Trust bundle)")
			list.SetSelected("Plant Root")
			list.SetSelected("Line 7 issuing")
			pagetest.Press(h.t, h.p.c, "Plant Root herausnehmen")
		}), []any{"Line 7 issuing"}},

		{"tpm.at", byTPM, stepIdentity, func(h keyHand) { h.card(atSoftware); h.fill("Adresse des Software-TPM", "tcp:127.0.0.1:2321") }, "tcp:127.0.0.1:2321"},
		{"tpm.registration_id", byTPM, stepIdentity, func(h keyHand) {
			h.pick("Es registriert sich als", "eine andere ID")
			h.fill("Registrierungs-ID", "press-1")
		}, "press-1"},
		{"tpm.registration_id", byTPM, stepIdentity, func(h keyHand) {
			h.pick("Es registriert sich als", "der Hash seines Schlüssels, hexadezimal")
		}, "hex"},
		{"tpm.endorsement_key", byTPM, stepIdentity, func(h keyHand) { h.card(atCollected) }, "catalog:"},
		{"tpm.tcti", byTPM, stepIdentity, func(h keyHand) { h.fill("Wie die Laufzeit das TPM öffnet", "tabrmd") }, "tabrmd"},
		{"tpm.endorsement_auth", byTPM, stepIdentity, func(h keyHand) { h.pick("Passwort der Endorsement-Hierarchie", "das Geheimnis kept") }, "vault:kept"},
		{"tpm.owner_auth", byTPM, stepIdentity, func(h keyHand) { h.pick("Passwort der Owner-Hierarchie", "das Geheimnis kept") }, "vault:kept"},
	}
}

// pairOfFiles names a certificate and its key.
func pairOfFiles(h keyHand) {
	h.card("files")
	for _, e := range all[*widgets.Entry](h.p) {
		switch e.PlaceHolder {
		case "Zertifikat, mit denen darüber":
			e.SetText("/tmp/chain.pem")
		case "privater Schlüssel":
			e.SetText("/tmp/key.pem")
		}
	}
}

// keysOf are the keys of a plan by its own types: what a new field of it adds.
func keysOf(kind reflect.Type, above string) (keys []string) {
	for i := range kind.NumField() {
		field := kind.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			keys = append(keys, keysOf(inner, above+name+".")...)
		} else {
			keys = append(keys, above+name)
		}
	}
	return keys
}

// Whatever a plan can say has a place in the window.
func TestEveryKeyOfAPlanHasAPlace(t *testing.T) {
	keys := keysOf(reflect.TypeFor[provisioning.Plan](), "")
	if len(keys) < 40 {
		t.Fatalf("only %d keys: %v", len(keys), keys)
	}
	for _, key := range keys {
		if !slices.Contains(notAsked, key) && !slices.ContainsFunc(planKeys(), func(k planKey) bool { return k.key == key }) {
			t.Errorf("the window has no place for %s: give it one and add it to planKeys", key)
		}
	}
	for _, k := range planKeys() {
		if !slices.Contains(keys, k.key) {
			t.Errorf("a plan has no key %s", k.key)
		}
	}
}

// stocked gives the wizard a vault and a catalog with something of each kind, and
// a second cloud. It says whether there is a collected endorsement key.
func stocked(t *testing.T, p *Page) (collected bool) {
	t.Helper()
	withVault(t, p)
	a := p.c.App
	for _, n := range []app.NewCertificate{{Profile: "root CA", CommonName: "Plant Root"}, {Profile: "intermediate CA", CommonName: "Line 7 issuing", CA: "Plant Root"}} {
		if _, err := a.MakeCertificate(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.SetSecret(t.Context(), "kept", secret.FromString("c2VjcmV0LWtleS1ieXRlcyEh")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.AddCloud(t.Context(), "plant", app.HubConnection, secret.FromString("HostName=plant.example.test;SharedAccessKeyName=iothubowner;SharedAccessKey=c2VjcmV0LWtleS1ieXRlcyEh")); err != nil {
		t.Fatal(err)
	}
	if softtpm.Available() != nil {
		return false
	}
	chip, err := softtpm.Start(t.Context(), filepath.Join(t.TempDir(), "state"), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chip.Close() })
	kept, err := a.Collect(t.Context(), app.CollectRequest{Targets: []app.CollectTarget{{Target: app.FolderTarget(t.TempDir()), TPM: chip.Address, Device: "press-1"}}}, nil)
	if err != nil || kept.Collected != 1 {
		t.Fatal(kept, err)
	}
	return true
}

// at is the value of a key of a plan as its file has it, nil for none.
func at(t *testing.T, plan provisioning.Plan, key string) any {
	t.Helper()
	text, err := plan.WithDefaults().TOML()
	if err != nil {
		t.Fatal(err)
	}
	var value any = map[string]any{}
	if err := toml.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(key, ".") {
		table, _ := value.(map[string]any)
		value = table[name]
	}
	return value
}

// touch has a person put each control of the open step to what it shows already.
// A card that is chosen cannot be chosen once more.
func touch(p *Page) {
	pagetest.Each(p.c, func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widgets.Entry:
			if o.OnChanged != nil {
				o.OnChanged(o.Text)
			}
		case *widgets.Check:
			if o.OnChanged != nil {
				o.OnChanged(o.Checked)
			}
		case *widgets.Select:
			if o.OnChanged != nil && o.Selected != "" {
				o.OnChanged(o.Selected)
			}
		}
	})
}

// Each key is set by its control; the plan has it, can be run, and survives being
// saved, read again and shown in each step.
func TestEveryKeyIsSetInTheWindowAndKept(t *testing.T) {
	p, q, check := sit(t)
	collected := stocked(t, p)
	open := func(text string, step int) provisioning.Plan {
		t.Helper()
		plan, findings, err := provisioning.ParsePlan([]byte(text))
		if err != nil || findings.Errors() {
			t.Fatal(text, findings, err)
		}
		p.begin(&app.Draft{Plan: plan, Given: true, Target: "rootfs:///nowhere"})
		p.open(step)
		q.Settle()
		return plan
	}
	for i, k := range planKeys() {
		t.Run(fmt.Sprint(i, " ", k.key), func(t *testing.T) {
			if k.key == "tpm.endorsement_key" && !collected {
				t.Skip("needs swtpm")
			}
			open(k.plan, k.step)
			k.do(keyHand{t, p, q})
			check("the control")
			got := at(t, p.draft.Plan, k.key)
			if text, ok := got.(string); k.key == "tpm.endorsement_key" && ok && strings.HasPrefix(text, "catalog:") && len(text) > 20 {
				k.want = got
			}
			if !reflect.DeepEqual(got, k.want) {
				t.Fatalf("%s is %#v, want %#v", k.key, got, k.want)
			}
			if f := p.draft.Plan.WithDefaults().Check(); f.Errors() {
				t.Errorf("the plan cannot be run: %+v", f)
			}
			text, err := p.draft.Plan.WithDefaults().TOML()
			if err != nil {
				t.Fatal(err)
			}
			plan := open(string(text), stepWay)
			p.Primary() // the way that it says
			for _, step := range []int{stepCloud, stepIdentity} {
				p.open(step)
				q.Settle()
				touch(p)
				q.Settle()
			}
			if got := p.draft.Plan.WithDefaults(); !reflect.DeepEqual(got, plan) {
				after, _ := got.TOML()
				t.Errorf("shown and touched, the plan\n%s\nbecomes\n%s", text, after)
			}
		})
	}
}
