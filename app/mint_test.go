package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// mintJob is a batch of a bench's practice CA, sealed for a recipient.
type mintJob struct{ Recipient string }

// mintDevices are eleven devices in the cloud by themselves and two by a group.
func mintDevices() []MintRow {
	rows, err := ReadMintRange("press-{01..13}", MintRow{})
	if err != nil {
		panic(err)
	}
	rows[3].Group, rows[7].Group, rows[5].EdgeCA = "presses", "presses", true
	return rows
}

func (b bench) mintRequest(recipient string) MintRequest {
	return MintRequest{Rows: mintDevices(), CA: practiceIssuingCA, Recipient: recipient, Folder: b.mintFolder(), Cloud: Practice, Enroll: true}
}

func (b bench) mintFolder() string { return filepath.Join(b.Dir, "bundles") }

// mint is the child: it kills itself at the cut.
func (j job) mint(ctx context.Context) int {
	a, err := j.Bench.open(ctx, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	k := &knife{}
	k.begin(j.Cut)
	a.betweenMintSteps = func(step string) { k.effect("%s", step) }
	out, err := a.Mint(ctx, j.Bench.mintRequest(j.Mint.Recipient), nil)
	if err = errors.Join(err, a.Close()); err != nil || out.Outcome != provisioning.RunSucceeded {
		fmt.Fprintln(os.Stderr, out, err)
		return 1
	}
	return 0
}

// newMintBench is a bench that has the practice CA already.
func newMintBench(ctx context.Context, dir string) (bench, error) {
	b, err := newBench(dir, "manual", false)
	if err != nil {
		return b, err
	}
	a, err := b.open(ctx, nil)
	if err != nil {
		return b, err
	}
	_, err = a.practiceCA(ctx)
	return b, errors.Join(err, a.Close())
}

// TestKilledMintResumes kills a batch at each of its steps. Resumed it ends as one
// that nobody killed, what was finished is as it was, and no key lies anywhere.
func TestKilledMintResumes(t *testing.T) {
	t.Parallel()
	to, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	mint := &mintJob{to.Recipient().String()}
	whole, err := newMintBench(t.Context(), filepath.Join(t.TempDir(), "whole"))
	if err != nil {
		t.Fatal(err)
	}
	effects, _, err := job{Bench: whole, Mint: mint, Cut: -1}.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	whole.checkMinted(t, "unbroken", to)
	kinds := map[string]bool{}
	var cuts []int
	for cut, effect := range effects { // the files of two devices stand for all
		if kind := strings.TrimRight(effect, "3456789"); !kinds[kind] {
			kinds[kind] = true
			cuts = append(cuts, cut)
		}
	}
	if len(cuts) < 8 {
		t.Fatalf("only these effects: %q", effects)
	}
	for _, cut := range cuts {
		t.Run(strings.ReplaceAll(effects[cut], " ", "-"), func(t *testing.T) {
			t.Parallel()
			b, err := newMintBench(t.Context(), filepath.Join(t.TempDir(), "b"))
			if err != nil {
				t.Fatal(err)
			}
			if _, killed, err := (job{Bench: b, Mint: mint, Cut: cut}).start(t.Context()); err != nil || !killed {
				t.Fatalf("killed = %t, %v", killed, err)
			}
			before := b.bundles(t)
			a, err := b.open(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			batches, err := a.MintBatches(t.Context())
			if err != nil || len(batches) != 1 {
				t.Fatal(batches, err)
			}
			if err := a.SameMint(t.Context(), batches[0].ID, b.mintRequest(mint.Recipient)); err != nil {
				t.Error(err)
			}
			out, err := a.ResumeMint(t.Context(), batches[0].ID, nil)
			if err != nil || out.Outcome != provisioning.RunSucceeded || out.Made+out.Skipped != 13 || out.Failed != 0 || out.Skipped != batches[0].Finished {
				t.Errorf("%+v %v", out, err)
			}
			again, err := a.ResumeMint(t.Context(), batches[0].ID, nil)
			if err != nil || again.Outcome != provisioning.RunSucceeded || again.Made != 0 || again.Skipped != 13 {
				t.Errorf("a second time: %+v %v", again, err)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			b.checkMinted(t, effects[cut], to)
			after := b.bundles(t)
			for name, was := range before {
				if !bytes.Equal(after[name], was) {
					t.Errorf("%s was there before and is another one", name)
				}
			}
		})
	}
}

// bundles reads the bundles of the folder by name.
func (b bench) bundles(t *testing.T) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	names, _ := filepath.Glob(filepath.Join(b.mintFolder(), "*"+bundle.Extension))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(name)] = data
	}
	return found
}

// checkMinted opens every bundle and compares it with catalog and cloud.
func (b bench) checkMinted(t *testing.T, when string, to age.Identity) {
	t.Helper()
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	cloud, release, err := a.cloudOf(t.Context(), provisioning.Plan{Cloud: provisioning.CloudPlan{Name: Practice}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	hunt := &secretHunt{}
	serials, keys := map[string]bool{}, map[string]bool{}
	for _, row := range mintDevices() {
		sealed, err := os.ReadFile(filepath.Join(b.mintFolder(), row.ID+bundle.Extension))
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		opened, err := bundle.Open(sealed, to)
		if err != nil || opened.Device != row.ID || (opened.EdgeCA != nil) != row.EdgeCA {
			t.Fatalf("%s: %+v %v", when, opened, err)
		}
		pairs := []bundle.Pair{opened.Identity}
		if row.EdgeCA {
			pairs = append(pairs, *opened.EdgeCA)
		}
		for _, pair := range pairs {
			content, err := pki.Read(pair.Chain, secret.Value{})
			if err != nil {
				t.Fatal(err)
			}
			leaf := content.Certificates[0]
			kept, err := a.catalog.Certificate(t.Context(), pki.SHA256(leaf))
			if err != nil || kept.DeviceID != row.ID || serials[kept.Serial] {
				t.Errorf("%s: %s in the catalog: %+v %v", when, leaf.Subject.CommonName, kept.State, err)
			}
			serials[kept.Serial] = true
			key, err := pki.ParseKey(pair.Key.Reveal(), secret.Value{})
			if err != nil {
				t.Fatal(err)
			}
			scalar, err := key.(*ecdsa.PrivateKey).Bytes()
			if err != nil || keys[string(scalar)] {
				t.Errorf("%s: the key of %s is another's, %v", when, leaf.Subject.CommonName, err)
			}
			keys[string(scalar)] = true
			if err := hunt.AddKey(row.ID, pair.Key.Reveal()); err != nil {
				t.Fatal(err)
			}
		}
		content, _ := pki.Read(opened.Identity.Chain, secret.Value{})
		found, err := cloud.DPS.Enrollment(t.Context(), row.Group != "", cmp.Or(row.Group, row.ID))
		known := content.Certificates[0]
		if row.Group != "" {
			known = content.Certificates[1]
		}
		if problem := enrollmentProblem(row.ID, found, known); err != nil || problem != "" {
			t.Errorf("%s: enrollment of %s: %s %v", when, row.ID, problem, err)
		}
	}
	rows, err := a.catalog.Certificates(t.Context(), catalog.CertificateQuery{Roles: []string{string(pki.RoleIdentity), string(pki.RoleEdgeCA)}})
	if err != nil || len(rows) != len(serials) {
		t.Errorf("%s: %d certificates in the catalog, %d in bundles, %v", when, len(rows), len(serials), err)
	}
	hunt.below(t, when, b.Dir)
}

// TestMintedChainsPassOpenSSL lets openssl judge what a batch made.
func TestMintedChainsPassOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	a, b, to := mintApp(t)
	request := b.mintRequest(to.Recipient().String())
	request.Enroll = false
	out, err := a.Mint(t.Context(), request, nil)
	if err != nil || out.Made != 13 {
		t.Fatal(out, err)
	}
	for _, sealed := range b.bundles(t) {
		opened, err := bundle.Open(sealed, to)
		if err != nil {
			t.Fatal(err)
		}
		verifyByOpenSSL(t, opened)
	}
	report, err := os.ReadFile(out.Report)
	if err != nil || strings.Count(string(report), "\n") != 14 || !strings.Contains(string(report), "press-13.edgewright") {
		t.Errorf("%s %v", report, err)
	}
}

// verifyByOpenSSL checks the chains of a bundle under its trust bundle.
func verifyByOpenSSL(t testing.TB, opened bundle.Bundle) {
	t.Helper()
	dir := t.TempDir()
	pairs := map[string]bundle.Pair{"sslclient": opened.Identity}
	if opened.EdgeCA != nil {
		pairs["any"] = *opened.EdgeCA
	}
	for purpose, pair := range pairs {
		chain, root := filepath.Join(dir, purpose), filepath.Join(dir, "root")
		if err := errors.Join(os.WriteFile(chain, pair.Chain, 0o600), os.WriteFile(root, opened.Trust, 0o600)); err != nil {
			t.Fatal(err)
		}
		args := []string{"verify", "-x509_strict", "-purpose", purpose, "-CAfile", root, "-untrusted", chain, chain}
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", opened.Device, err, out)
		}
	}
}

func mintApp(t *testing.T) (*App, bench, *age.X25519Identity) {
	t.Helper()
	b, err := newMintBench(t.Context(), filepath.Join(t.TempDir(), "b"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	to, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return a, b, to
}

// TestCancelledMintGoesOn cancels between two chunks.
func TestCancelledMintGoesOn(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.betweenMintSteps = func(step string) {
		if step == "sealed" {
			cancel()
		}
	}
	out, err := a.Mint(ctx, b.mintRequest(to.Recipient().String()), nil)
	if err != nil || out.Outcome != provisioning.RunCancelled || out.Error != nil || out.Report == "" {
		t.Fatalf("%+v %v", out, err)
	}
	a.betweenMintSteps = nil
	states := map[string]int{}
	out, err = a.ResumeMint(t.Context(), out.Batch, func(e MintEvent) { states[e.State]++ })
	if err != nil || out.Outcome != provisioning.RunSucceeded || out.Made != 13 {
		t.Errorf("%+v %v", out, err)
	}
	if !maps.Equal(states, map[string]int{"enrolled": 13}) {
		t.Errorf("events: %v", states)
	}
}

// TestEnrollmentsOfOthersAreLeft: a name that is taken is the problem of its row,
// and goes away when the cloud has room.
func TestEnrollmentsOfOthersAreLeft(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	cloud, release, err := a.cloudOf(t.Context(), provisioning.Plan{Cloud: provisioning.CloudPlan{Name: Practice}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	theirs := provisioning.Enrollment{Name: "press-02", DeviceID: "press-02", Edge: true, Enabled: true, Authentication: provisioning.SymmetricKey}
	if _, err := cloud.DPS.CreateEnrollment(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	theirs.Group, theirs.Name = true, "presses"
	if _, err := cloud.DPS.CreateEnrollment(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	problems := map[string]string{}
	out, err := a.Mint(t.Context(), b.mintRequest(to.Recipient().String()), func(e MintEvent) {
		if e.Problem != "" {
			problems[e.Device] = e.Problem
		}
	})
	if err != nil || out.Outcome != provisioning.RunFailed || out.Failed != 3 || out.Made != 10 {
		t.Fatalf("%+v %v", out, err)
	}
	if got := slices.Sorted(maps.Keys(problems)); !slices.Equal(got, []string{"press-02", "press-04", "press-08"}) || !strings.Contains(problems["press-04"], "symmetric-key") {
		t.Errorf("%v", problems)
	}
	if report, err := os.ReadFile(out.Report); err != nil || !strings.Contains(string(report), problems["press-02"]) {
		t.Errorf("%s %v", report, err)
	}
	if err := errors.Join(cloud.DPS.DeleteEnrollment(t.Context(), false, "press-02"), cloud.DPS.DeleteEnrollment(t.Context(), true, "presses")); err != nil {
		t.Fatal(err)
	}
	out, err = a.ResumeMint(t.Context(), out.Batch, nil)
	if err != nil || out.Outcome != provisioning.RunSucceeded || out.Failed != 0 || out.Made != 3 || out.Skipped != 10 {
		t.Errorf("%+v %v", out, err)
	}
}

// TestMintIsRefusedBeforeAnythingIsMade lists what a request can lack.
func TestMintIsRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	good := b.mintRequest(to.Recipient().String())
	for name, spoil := range map[string]func(*MintRequest){
		"no CA":             func(r *MintRequest) { r.CA = "" },
		"an unknown CA":     func(r *MintRequest) { r.CA = "Nobody" },
		"a root for groups": func(r *MintRequest) { r.CA = practiceRootCA },
		"another role":      func(r *MintRequest) { r.Profile = "server" },
		"a wrong key":       func(r *MintRequest) { r.Algorithm = pki.P384 },
		"no recipient":      func(r *MintRequest) { r.Recipient = "" },
		"a wrong recipient": func(r *MintRequest) { r.Recipient = "age1nobody" },
		"an unknown host":   func(r *MintRequest) { r.Recipient = "ssh:{id}.invalid" },
		"no folder":         func(r *MintRequest) { r.Folder = "" },
		"no rows":           func(r *MintRequest) { r.Rows = nil },
		"an ID too long": func(r *MintRequest) {
			r.Rows = []MintRow{{Line: 1, ID: strings.Repeat("a", 62), EdgeCA: true, Days: 1}}
		},
	} {
		r := good
		spoil(&r)
		if out, err := a.Mint(t.Context(), r, nil); err == nil || provisioning.View(err).Hint == "" {
			t.Errorf("%s: %+v %v", name, out, err)
		}
	}
	if entries, err := os.ReadDir(b.mintFolder()); err == nil {
		t.Errorf("something was made: %v", entries)
	}
	if list, err := a.MintBatches(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("%v %v", list, err)
	}
	if err := errors.Join(os.MkdirAll(b.mintFolder(), 0o700), os.WriteFile(filepath.Join(b.mintFolder(), "press-05"+bundle.Extension), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if found, err := a.CheckMint(t.Context(), good); err != nil || len(found) != 1 || found[0].Field != "line 5, id" {
		t.Errorf("a bundle that is there: %v %v", found, err)
	}
}

// TestMintKeepsItsProfile: a batch that is resumed goes on with the profile and the
// kind of key that it began with.
func TestMintKeepsItsProfile(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	own := pki.Profile{Name: "Plant identity", Role: pki.RoleIdentity, Usages: []pki.Usage{pki.DigitalSignature, pki.ClientAuth}, Days: 90, Algorithm: pki.P256, OnDevice: true}
	if err := a.SaveProfile(t.Context(), own, ""); err != nil {
		t.Fatal(err)
	}
	if list, err := a.MintProfiles(t.Context()); err != nil || len(list) != 2 || list[1].Name != own.Name {
		t.Errorf("%v %v", list, err)
	}
	request := b.mintRequest(to.Recipient().String())
	request.Rows, request.Enroll, request.Profile, request.Algorithm = request.Rows[:2], false, own.Name, pki.RSA2048
	request.Rows[0].EdgeCA = true
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.betweenMintSteps = func(step string) {
		if step == "made" {
			cancel()
		}
	}
	out, err := a.Mint(ctx, request, nil)
	if err == nil && out.Made > 0 {
		t.Fatalf("it was not cancelled before its end: %+v", out)
	}
	a.betweenMintSteps = nil
	if err := a.RemoveProfile(t.Context(), own.Name); err != nil {
		t.Fatal(err)
	}
	if out, err = a.ResumeMint(t.Context(), out.Batch, nil); err != nil || out.Outcome != provisioning.RunSucceeded {
		t.Fatalf("%+v %v", out, err)
	}
	rows, err := a.catalog.Certificates(t.Context(), catalog.CertificateQuery{Roles: []string{string(pki.RoleIdentity), string(pki.RoleEdgeCA)}})
	if err != nil || len(rows) != 3 {
		t.Fatal(len(rows), err)
	}
	for _, row := range rows {
		if row.Algorithm != string(pki.RSA2048) || row.Role == string(pki.RoleIdentity) && row.Profile != own.Name {
			t.Errorf("%s: %s by %s", row.Subject, row.Algorithm, row.Profile)
		}
	}
}

// TestCancelAllStopsABatch: whoever closes the program stops what goes on in it,
// batches too.
func TestCancelAllStopsABatch(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	a.betweenMintSteps = func(step string) {
		if step == "synced" {
			a.CancelAll()
		}
	}
	out, err := a.Mint(t.Context(), b.mintRequest(to.Recipient().String()), nil)
	if err != nil || out.Outcome != provisioning.RunCancelled || a.LiveRuns() != 0 {
		t.Errorf("%+v, %d live, %v", out, a.LiveRuns(), err)
	}
}
