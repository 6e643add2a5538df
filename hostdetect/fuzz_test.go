package hostdetect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whatever a host answers, the look ends with a report and the advice with
// fifteen ways; nothing panics and every fact tells how it was found.
func FuzzReport(f *testing.F) {
	for _, name := range fixtureNames(f) {
		out, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(out)
	}
	f.Add([]byte("MARK disk\n/ a b c d 1% \nMARK cpu\ncount 99999999999999999999\nMARK elf\n7f 45\nMARK now\n-1.x\nMARK units\nId=\nProxy=x\n"))
	tab := table(f)
	f.Fuzz(func(t *testing.T, out []byte) {
		g := parseSections(out, "MARK")
		r := g.report(Options{Now: func() time.Time { return fixtureNow }})
		for _, fact := range r.Facts {
			if fact.How == "" || fact.Found == Unknown && fact.Why == "" {
				t.Errorf("%+v", fact)
			}
		}
		for _, i := range r.Interfaces {
			if len(i.Addresses) == 0 {
				t.Errorf("%+v", i)
			}
		}
		a := Advise(r, Question{Support: tab, Now: today})
		if len(a.Ways) != 15 || a.Title.IsZero() || len(a.Reasons) == 0 {
			t.Errorf("%+v", a)
		}
	})
}

func FuzzMaskProxy(f *testing.F) {
	f.Add("http://user:", "secret", "@proxy:3128")
	f.Add("", "a b", "@h")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		if len(secret) < 6 || strings.ContainsAny(secret, "@\n") || !strings.HasPrefix(after, "@") || strings.Contains(after, secret) {
			t.Skip("not an address with a password")
		}
		scheme, _, _ := strings.Cut(before, "//")
		if strings.Contains(scheme, secret) || strings.ContainsAny(before, "@\n") {
			t.Skip("not an address with a password")
		}
		if got := maskProxy("http://" + "u:" + secret + after); strings.Contains(got, secret) && !strings.Contains("http://***", secret) {
			t.Errorf("%q shows %q", got, secret)
		}
	})
}

func FuzzFiles(f *testing.F) {
	f.Add("ID=debian\nPRETTY_NAME=\"a\\\"b\"", "Package: dpkg\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n", "[provisioning]\nsource=\"dps\"")
	f.Fuzz(func(t *testing.T, release, status, config string) {
		_ = parseOSRelease(release)
		for _, line := range parseDpkgStatus(status) {
			if strings.ContainsAny(line, "\n\r") {
				t.Errorf("%q", line)
			}
		}
		source, authentication, _ := kindOfTOML(strings.Split(outlineTOML(config), "\n"))
		if len(source) > 8 || len(authentication) > 13 {
			t.Errorf("%q %q", source, authentication)
		}
		_, _, _ = kindOfYAML(strings.Split(outlineYAML(config), "\n"))
	})
}

func FuzzReach(f *testing.F) {
	f.Add([]byte("M h 1 yes getent yes bash 10.0.0.1\nM h 1 x"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		out := []Reachability{{Endpoint: Endpoint{Host: "h", Port: 1}, Resolved: Unknown, Open: Unknown}}
		parseReach(answer, "M", out)
		if s := out[0].Open; s != Found && s != Absent && s != Unknown {
			t.Errorf("%+v", out[0])
		}
	})
}

func FuzzParseTable(f *testing.F) {
	f.Add([]byte("[[runtime]]\nplatform='linux'\nruntime='1.6'\nuntil=2028-11-14\nsource='s'\nchecked=2026-11-24\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		tab, err := ParseTable(text)
		if err == nil {
			_ = tab.For(Linux, "debian", "12", "amd64", "1.6", today)
		}
	})
}
