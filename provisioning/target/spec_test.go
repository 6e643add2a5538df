package target

import (
	"strings"
	"testing"
)

func TestParseSpec(t *testing.T) {
	for _, c := range []struct {
		text string
		want Spec
	}{
		{"local:", Spec{Kind: KindLocal}},
		{"ssh://host", Spec{Kind: KindSSH, SSH: Endpoint{Host: "host"}}},
		{"ssh://me@host.example:2222", Spec{Kind: KindSSH, SSH: Endpoint{"me", "host.example", 2222}}},
		{"ssh://10.0.0.7:22", Spec{Kind: KindSSH, SSH: Endpoint{"", "10.0.0.7", 22}}},
		{"ssh://me@[fe80::1%25eth0]:2222", Spec{Kind: KindSSH, SSH: Endpoint{"me", "fe80::1%eth0", 2222}}},
		{"ssh://[::1]", Spec{Kind: KindSSH, SSH: Endpoint{"", "::1", 0}}},
		{"ssh://me@host?jump=you%40gate%3A2022", Spec{Kind: KindSSH, SSH: Endpoint{"me", "host", 0}, Jump: &Endpoint{"you", "gate", 2022}}},
		{"ssh://host?jump=%5Bfe80::1%25eth0%5D", Spec{Kind: KindSSH, SSH: Endpoint{"", "host", 0}, Jump: &Endpoint{"", "fe80::1%eth0", 0}}},
		{"rootfs:///mnt/card", Spec{Kind: KindRootfs, Path: "/mnt/card"}},
		{"rootfs:///mnt/a%20b%3Fc", Spec{Kind: KindRootfs, Path: "/mnt/a b?c"}},
		{"rootfs:///", Spec{Kind: KindRootfs, Path: "/"}},
		{"practice:press_2-a", Spec{Kind: KindPractice, Name: "press_2-a"}},
	} {
		got, err := ParseSpec(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		same := got.Kind == c.want.Kind && got.SSH == c.want.SSH && got.Path == c.want.Path && got.Name == c.want.Name &&
			(got.Jump == nil) == (c.want.Jump == nil) && (got.Jump == nil || *got.Jump == *c.want.Jump)
		if !same {
			t.Errorf("%s = %+v, want %+v", c.text, got, c.want)
		}
	}
	// a plain jump is also read
	if got, err := ParseSpec("ssh://host?jump=you@gate"); err != nil || got.Jump == nil || got.Jump.User != "you" {
		t.Errorf("plain jump: %+v, %v", got, err)
	}
}

func TestParseSpecRefuses(t *testing.T) {
	for text, word := range map[string]string{
		"":                                    "empty",
		"local":                               "not local:",
		"local:x":                             "not local:",
		"ssh://":                              "host is empty",
		"ssh://me@":                           "host is empty",
		"ssh://host/path":                     "path",
		"ssh://host:0":                        "port",
		"ssh://host:65536":                    "port",
		"ssh://host:":                         "port",
		"ssh://me:secret@host":                "password",
		"ssh://-oProxyCommand=x":              "begin with -",
		"ssh://-l@host":                       "begin with -",
		"ssh://a;b@host":                      "character",
		"ssh://ho$t":                          "letters",
		"ssh://fe80::1%25eth0%25":             "not an",
		"ssh://[host]":                        "IPv6",
		"ssh://[fe80::1%eth0]":                "%25",
		"ssh://host?x=y":                      "not a setting",
		"ssh://host?jump=a&jump=b":            "not a setting",
		"ssh://host?jump=-x":                  "begin with -",
		"rootfs://mnt/card":                   "absolute",
		"rootfs:/mnt":                         "absolute",
		"rootfs:///mnt?x":                     "%3F",
		"rootfs:///mnt/%00":                   "bad path",
		"eflow:":                              "comes later",
		"winrm://host":                        "comes later",
		"eflow+ssh://host":                    "comes later",
		"serial:/dev/ttyUSB0":                 "not local:",
		"practice":                            "not local:",
		"practice:":                           "1 to 64",
		"practice://a":                        "1 to 64",
		"practice:../a":                       "lower-case",
		"practice:A":                          "lower-case",
		"practice:a.b":                        "lower-case",
		"practice:-a":                         "first and last",
		"practice:a_":                         "first and last",
		"practice:" + strings.Repeat("a", 65): "1 to 64",
	} {
		_, err := ParseSpec(text)
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: %v, want %q", text, err, word)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the password is in the error", text)
		}
	}
}

func TestParseShorthand(t *testing.T) {
	for text, want := range map[string]string{
		"me@host":                "ssh://me@host",
		" host:2222 ":            "ssh://host:2222",
		"me@[fe80::1%eth0]:2222": "ssh://me@[fe80::1%25eth0]:2222",
		"fe80::1%eth0":           "ssh://[fe80::1%25eth0]",
		"ssh://me@host":          "ssh://me@host",
		"local:":                 "local:",
		"rootfs:///mnt":          "rootfs:///mnt",
		"practice:press-2":       "practice:press-2",
	} {
		got, err := ParseShorthand(text)
		if err != nil || got.String() != want {
			t.Errorf("%q = %q, %v, want %q", text, got.String(), err, want)
		}
	}
	for _, text := range []string{"", "me@", "a b", "eflow:", "host:port", "-x"} {
		if got, err := ParseShorthand(text); err == nil {
			t.Errorf("%q = %q", text, got)
		}
	}
}

// What is read is written so that it is read the same.
func FuzzParseSpec(f *testing.F) {
	for _, text := range []string{"local:", "ssh://me@[fe80::1%25eth0]:2222?jump=you@gate", "rootfs:///a%20b", "eflow:", "ssh://h?jump=%5B::1%5D:2", "rootfs:////x/../y", "practice:press-2", "practice:../x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := ParseSpec(text)
		if err != nil {
			return
		}
		again, err := ParseSpec(spec.String())
		if err != nil || again.String() != spec.String() || again.Kind != spec.Kind || again.SSH != spec.SSH || again.Path != spec.Path || again.Name != spec.Name || strings.ContainsAny(spec.Name, "./\\") ||
			(again.Jump == nil) != (spec.Jump == nil) || spec.Jump != nil && *again.Jump != *spec.Jump {
			t.Fatalf("%q = %+v, written %q = %+v, %v", text, spec, spec.String(), again, err)
		}
		for _, end := range []*Endpoint{&spec.SSH, spec.Jump} {
			if end != nil && (strings.HasPrefix(end.Host, "-") || strings.HasPrefix(end.User, "-")) {
				t.Fatalf("%q becomes an option of ssh", text)
			}
		}
	})
}
