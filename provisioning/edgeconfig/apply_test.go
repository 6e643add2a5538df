package edgeconfig

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"edgewright/provisioning/secret"
)

func apply(t *testing.T, text string, changes Changes) string {
	t.Helper()
	out, err := Apply([]byte(text), changes)
	if err != nil {
		t.Fatalf("Apply: %v\n%s", err, text)
	}
	return string(out)
}

func TestApplyMakesAMinimalFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		changes Changes
		want    string
	}{
		{"manual", Changes{Provisioning: manual()}, minimalManual},
		{"DPS", Changes{Provisioning: dps()}, minimalDPS},
		{"with keys", func() Changes {
			c := Changes{Provisioning: manual()}
			c.Set("hostname", "edge-01")
			c.Set("trust_bundle_cert", "file:///var/aziot/certs/root.pem")
			return c
		}(), "hostname = \"edge-01\"\ntrust_bundle_cert = \"file:///var/aziot/certs/root.pem\"\n\n" + minimalManual},
		{"TPM", Changes{Provisioning: &Provisioning{Source: SourceDPS, GlobalEndpoint: "https://g", IDScope: "s", Payload: "file:///p.json",
			Attestation: Attestation{Method: MethodTPM, RegistrationID: "r"}}},
			"[provisioning]\nsource = \"dps\"\nglobal_endpoint = \"https://g\"\nid_scope = \"s\"\npayload = { uri = \"file:///p.json\" }\n\n[provisioning.attestation]\nmethod = \"tpm\"\nregistration_id = \"r\"\n"},
		{"X.509", Changes{Provisioning: &Provisioning{Source: SourceManual, HubHostname: "h", DeviceID: "d",
			Authentication: Authentication{Method: MethodX509, Certificate: Certificate{Cert: "file:///c", Key: "file:///k"}}}},
			"[provisioning]\nsource = \"manual\"\niothub_hostname = \"h\"\ndevice_id = \"d\"\n\n[provisioning.authentication]\nmethod = \"x509\"\nidentity_cert = \"file:///c\"\nidentity_pk = \"file:///k\"\n"},
	} {
		out, err := Apply(nil, test.changes)
		if err != nil || string(out) != test.want {
			t.Errorf("%s: %v\n%s", test.name, err, out)
		}
	}
}

func TestApplyKeepsWhatItDoesNotSet(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, before, after string }{
		{"keys change in their place, comments stay", spellings["tables"],
			"# top\nhostname = \"a\" # why\n\n# about it\n[provisioning] # head\n# inside\nsource = \"manual\" # by hand\niothub_hostname = \"hub1.azure-devices.net\"\ndevice_id = \"edge-01\"\n\n" +
				"[provisioning.authentication]\nmethod = \"sas\"\ndevice_id_pk = { value = \"" + key64 + "\" }\n# tail\n\n# agent\n[agent]\nname = \"edgeAgent\"\n"},
		{"dotted keys stay dotted", spellings["dotted in table"],
			"[provisioning]\nsource = \"manual\"\nauthentication.method = \"sas\"\nauthentication.device_id_pk.value = \"" + key64 + "\"\ndevice_id = \"edge-01\"\niothub_hostname = \"hub1.azure-devices.net\"\n[agent]\nname = \"x\"\n"},
		{"a far sub-table goes, its comment stays", spellings["sub-table far away"],
			"[provisioning]\nsource = \"manual\"\niothub_hostname = \"hub1.azure-devices.net\"\ndevice_id = \"edge-01\"\n\n[provisioning.authentication]\nmethod = \"sas\"\ndevice_id_pk = { value = \"" + key64 + "\" }\n\n" +
				"[agent]\nname = \"a\"\n\n# inner\n\n[watchdog]\nmax_retries = 3\n"},
		{"CRLF", spellings["CRLF"],
			"hostname = \"a\"\r\n\r\n[provisioning]\r\nsource = \"manual\"\r\niothub_hostname = \"hub1.azure-devices.net\"\r\ndevice_id = \"edge-01\"\r\n\r\n[provisioning.authentication]\r\nmethod = \"sas\"\r\ndevice_id_pk = { value = \"" + key64 + "\" }\r\n\r\n[agent]\r\nname = \"b\"\r\n"},
		{"BOM", spellings["BOM"], "\ufeff" + minimalManual},
		{"no final newline", spellings["no final newline"], "hostname = \"a\"\n# end\n\n" + minimalManual},
		{"inline", spellings["inline"], "hostname = \"a\"\n[agent]\nenv = { a = \"b\" }\n\n" + minimalManual},
	} {
		if got := apply(t, test.before, Changes{Provisioning: manual()}); got != test.after {
			t.Errorf("%s:\n%s\nwanted\n%s", test.name, got, test.after)
		}
	}
}

func TestApplyThereAndBackLeavesNoTrace(t *testing.T) {
	t.Parallel()
	before := "# top\n\n" + minimalManual + "\n# agent\n[agent]\nname = \"a\"\n"
	there := apply(t, before, Changes{Provisioning: dps()})
	if back := apply(t, there, Changes{Provisioning: manual()}); back != before {
		t.Errorf("back:\n%s", back)
	}
}

func TestApplyLeavesWhatMeansTheSame(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		connection,
		minimalManual,
		"provisioning = { source = \"manual\", authentication = { method = \"sas\", device_id_pk = { value = \"" + key64 + "\" } }, device_id = 'edge-01', iothub_hostname = \"hub1.azure-devices.net\" }",
	} {
		if got := apply(t, text, Changes{Provisioning: manual()}); got != text {
			t.Errorf("changed to\n%s", got)
		}
	}
	other := ManualSymmetricKey("hub1.azure-devices.net", "edge-01", secret.FromString("another-key-here"))
	if got := apply(t, connection, Changes{Provisioning: other}); got == connection || strings.Contains(got, "connection_string") {
		t.Errorf("another key: %s", got)
	}
}

func TestApplySetsSingleKeys(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, before, after string
		change              func(*Changes)
	}{
		{"before the first table's comment", "# file\n\n# p\n[a]\nb = 1\n", "# file\n\nhostname = \"x\"\n\n# p\n[a]\nb = 1\n", func(c *Changes) { c.Set("hostname", "x") }},
		{"behind the last top-level key", "a = 1 # c\n# d\n\n[b]\n", "a = 1 # c\nhostname = \"x\"\n# d\n\n[b]\n", func(c *Changes) { c.Set("hostname", "x") }},
		{"in its place", "a = 1\nhostname   =  'y'   # c\r\nb = 2", "a = 1\nhostname   =  \"x\"   # c\r\nb = 2", func(c *Changes) { c.Set("hostname", "x") }},
		{"in a table", "[agent]\nname = \"a\"\n# c\n\n[b]\n", "[agent]\nname = \"a\"\ntype = \"docker\"\n# c\n\n[b]\n", func(c *Changes) { c.Set("agent.type", "docker") }},
		{"in an inline table", "[agent]\nenv = { a = \"b\" } # c\n", "[agent]\nenv = { a = \"b\", \"x.y\" = \"z\" } # c\n", func(c *Changes) { c.Set(`agent.env."x.y"`, "z") }},
		{"in an empty inline table", "tpm = {}\n", "tpm = { tcti = \"device\" }\n", func(c *Changes) { c.Set("tpm.tcti", "device") }},
		{"beside a dotted key", "agent.env.a = \"b\"\n[x]\n", "agent.env.a = \"b\"\nagent.env.c = \"d\"\n[x]\n", func(c *Changes) { c.Set("agent.env.c", "d") }},
		{"in a new table", "[x]\na = 1", "[x]\na = 1\n\n[agent.env]\nc = \"d\"\n", func(c *Changes) { c.Set("agent.env.c", "d") }},
		{"a list, a number, a boolean", "", "l = [\"a\", \"b\"]\nn = 7\nb = true\n", func(c *Changes) { c.Set("l", []string{"a", "b"}); c.Set("n", 7); c.Set("b", true) }},
		{"unset a key", "a = 1\nb = 2 # c\n# d\n", "a = 1\n# d\n", func(c *Changes) { c.Unset("b") }},
		{"unset a table", "[a]\nx = 1\n\n[b]\ny = 1\n[b.c]\nz = 1\n\n[d]\n", "[a]\nx = 1\n\n[d]\n", func(c *Changes) { c.Unset("b") }},
		{"unset the first in an inline table", "a = { b = 1, c = 2 }\n", "a = { c = 2 }\n", func(c *Changes) { c.Unset("a.b") }},
		{"unset the last in an inline table", "a = { b = 1, c = 2 }\n", "a = { b = 1 }\n", func(c *Changes) { c.Unset("a.c") }},
		{"unset a run in an inline table", "a = { b.x = 1, b.y = 2, c = 2 }\n", "a = { c = 2 }\n", func(c *Changes) { c.Unset("a.b") }},
		{"unset what is not there", "a = 1", "a = 1", func(c *Changes) { c.Unset("b.c") }},
		{"characters", "", "a = \"\\\"\\\\ \\n\\t\\u0001é\"\n", func(c *Changes) { c.Set("a", "\"\\ \n\t\x01é") }},
	} {
		var changes Changes
		test.change(&changes)
		got := apply(t, test.before, changes)
		if got != test.after {
			t.Errorf("%s:\n%q\nwanted\n%q", test.name, got, test.after)
		}
		if again := apply(t, got, changes); again != got {
			t.Errorf("%s: a second time gives\n%q", test.name, again)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	var syntax *SyntaxError
	if _, err := Apply([]byte("a = 1\nb = Dynamic\n"), Changes{Provisioning: manual()}); !errors.As(err, &syntax) || syntax.Line != 2 || syntax.Column != 5 {
		t.Errorf("not TOML: %v", err)
	}
	for name, change := range map[string]func(*Changes){
		"a table in the way":   func(c *Changes) { c.Set("agent", "x") },
		"a value in the way":   func(c *Changes) { c.Set("agent.name.x", "x") },
		"a list of tables":     func(c *Changes) { c.Set("list.x", "y") },
		"no path":              func(c *Changes) { c.Set("a b", "y") },
		"an odd value":         func(c *Changes) { c.Set("a", 1.5) },
		"nothing to provision": func(c *Changes) { c.Provisioning = &Provisioning{} },
		"no key":               func(c *Changes) { c.Provisioning = ManualSymmetricKey("h", "d", secret.Value{}) },
		"no device":            func(c *Changes) { c.Provisioning = ManualSymmetricKey("h", "", testKey()) },
		"no scope":             func(c *Changes) { c.Provisioning = DPSSymmetricKey("https://g", "", "r", testKey()) },
		"an issued certificate": func(c *Changes) {
			c.Provisioning = &Provisioning{Source: SourceManual, HubHostname: "h", DeviceID: "d",
				Authentication: Authentication{Method: MethodX509, Certificate: Certificate{Issued: &IssuedCertificate{Method: "est"}}}}
		},
	} {
		var changes Changes
		change(&changes)
		if _, err := Apply([]byte("[agent]\nname = \"x\"\n[[list]]\nx = 1\n"), changes); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// checkApply holds the promises of Apply against any file that it takes.
func checkApply(t *testing.T, before []byte, p *Provisioning) {
	t.Helper()
	changes := Changes{Provisioning: p}
	changes.Set("hostname", "new-name")
	var was map[string]any
	if toml.Unmarshal(bytes.TrimPrefix(before, byteOrderMark), &was) != nil {
		if _, err := Apply(before, changes); err == nil {
			t.Fatalf("a file that is not TOML was taken:\n%s", before)
		}
		return
	}
	after, err := Apply(before, changes)
	if err != nil {
		return
	}
	again, err := Apply(after, changes)
	if err != nil || !bytes.Equal(after, again) {
		t.Fatalf("a second time: %v\n%q\n%q\n%q", err, before, after, again)
	}
	var is map[string]any
	if err := toml.Unmarshal(bytes.TrimPrefix(after, byteOrderMark), &is); err != nil {
		t.Fatalf("not TOML any more: %v\n%q", err, after)
	}
	read, err := Read(after)
	if err != nil || read.Hostname != "new-name" || !read.Provisioning.DeviceKey.Equal(p.DeviceKey) ||
		!read.Provisioning.Attestation.SymmetricKey.Equal(p.Attestation.SymmetricKey) || read.Provisioning.Source != p.Source {
		t.Fatalf("reads back as %+v, %v\n%q", read, err, after)
	}
	for _, name := range []string{"hostname", "provisioning"} {
		delete(was, name)
		delete(is, name)
	}
	if !equal(was, is) {
		t.Fatalf("other keys changed:\n%q\n%q", before, after)
	}
	kept := lines(string(after))
	for _, line := range otherLines(before) {
		at := slices.IndexFunc(kept, func(k string) bool {
			return strings.TrimRight(k, "\r\n") == strings.TrimRight(line, "\r\n")
		})
		if at < 0 {
			t.Fatalf("the line %q is gone or out of order:\n%q\n%q", line, before, after)
		}
		kept = kept[at+1:]
	}
}

// otherLines are the lines of a file, blank ones left out, that belong to
// neither [provisioning] nor hostname, found by its statements.
func otherLines(text []byte) []string {
	s := newSource(text)
	statements, _ := scan(s)
	gone := map[int]bool{}
	for _, st := range statements {
		if st.path[0] == "provisioning" || st.path[0] == "hostname" {
			for at := st.start; at < max(st.end, st.start+1) && at < len(s.text); at++ {
				gone[s.line(at)] = true
			}
		}
	}
	var rest []string
	for i, line := range lines(string(s.text)) {
		if !gone[i+1] && strings.TrimSpace(line) != "" {
			rest = append(rest, line)
		}
	}
	return rest
}

func TestApplyOnEverySpelling(t *testing.T) {
	t.Parallel()
	for _, files := range []map[string]string{spellings, good} {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			for _, p := range []*Provisioning{manual(), dps()} {
				before := []byte(files[name])
				if _, err := Apply(before, Changes{Provisioning: p}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				checkApply(t, before, p)
			}
		}
	}
}

func FuzzApply(f *testing.F) {
	for _, files := range []map[string]string{spellings, good} {
		for _, text := range files {
			f.Add([]byte(text), true)
			f.Add([]byte(text), false)
		}
	}
	f.Fuzz(func(t *testing.T, before []byte, byDPS bool) {
		if byDPS {
			checkApply(t, before, dps())
		} else {
			checkApply(t, before, manual())
		}
	})
}
