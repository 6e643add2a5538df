package target

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"
)

func TestParseUsers(t *testing.T) {
	table := parseUsers(
		[]byte("root:x:0:0:root:/root:/bin/sh\n# note\n+nis\nbad line\nhuge:x:99999999999:1::/:\naziotks:x:991:981::/:/bin/false\ntoor:x:0:0::/:/bin/sh\r\naziotks:x:5:5::/:/x\n"),
		[]byte("root:x:0:\naziotks:x:981:a,b\nshort:x\n"))
	want := map[string]int{"root": 0, "aziotks": 991, "toor": 0}
	if !maps.Equal(table.users, want) {
		t.Errorf("users = %v", table.users)
	}
	if owner, group := table.nameOf(0, 981); owner != "root" || group != "aziotks" {
		t.Errorf("names = %s %s", owner, group)
	}
	if owner, group := table.nameOf(77, 78); owner != "77" || group != "78" {
		t.Errorf("numbers = %s %s", owner, group)
	}
}

func FuzzParseUsers(f *testing.F) {
	f.Add([]byte("root:x:0:0:root:/root:/bin/sh\n"), []byte("root:x:0:\n"))
	f.Add([]byte("a:b:-1:c:d:e:f\n::::::\n"), []byte(":::\n"))
	f.Fuzz(func(t *testing.T, passwd, group []byte) {
		table := parseUsers(passwd, group)
		for _, m := range []map[string]int{table.users, table.groups} {
			for name, id := range m {
				if name == "" || id < 0 || strings.ContainsAny(name, ":\n") {
					t.Fatalf("%q = %d", name, id)
				}
			}
		}
		for id, name := range table.userName {
			if table.users[name] != id && name == "" {
				t.Fatalf("%d has no name", id)
			}
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	m := manifest{entries: map[string]manifestEntry{"/etc/aziot/config.toml": {"root", "root", 0o600}, `/etc/aziot/a "b" ü`: {"aziotks", "aziotks", 0o644}}}
	f.Add(m.text())
	f.Add("version = 2\n")
	f.Add("[path.\"/x\"]\nmode = \"999\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parseManifest(text)
		if err != nil {
			return
		}
		again, err := parseManifest((&manifest{entries: entries}).text())
		if err != nil || !maps.Equal(entries, again) {
			t.Fatalf("%q: %v, written and read %v, %v", text, entries, again, err)
		}
	})
}

func TestManifestRoundTrip(t *testing.T) {
	entries := map[string]manifestEntry{"/etc/aziot/config.toml": {"root", "root", 0o600}, `/var/aziot/certs/a "b" ü`: {"aziotks", "g", 0o644}}
	text := (&manifest{entries: entries}).text()
	got, err := parseManifest("  # comment\n\n" + strings.ReplaceAll(text, " = ", "  =  "))
	if err != nil || !maps.Equal(got, entries) {
		t.Fatalf("%v, %v\n%s", got, err, text)
	}
	for _, bad := range []string{"version = 2", "[path.x]", "owner = \"a\"", "[path.\"/a\"]\nowner = \"x\"", "[path.\"/a\"]\nowner = \"x:y\"\ngroup = \"g\"",
		"[path.\"../a\"]\nowner = \"x\"\ngroup = \"g\"", "[path.\"/a\"]\nowner = \"x\"\ngroup = \"g\"\nmode = \"7777\""} {
		if _, err := parseManifest(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestParseLook(t *testing.T) {
	sum := strings.Repeat("0", 64)
	text := "-\n+" + sum + "  -\n+\n81a4 0 0 12 1700000000 root root\n41ed 0 0 12 1 UNKNOWN UNKNOWN\n"
	found, err := parseLook(text, 3)
	if err != nil || found[0].kind != kindMissing || found[1].kind != kindFile || found[1].sum != sum || found[2].kind != kindDir || found[2].owner != "0" {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, bad := range []string{"", "-\n-\n", text + "81a4 0 0 12 1 a a\n", strings.Replace(text, "+\n", "-\n", 1), strings.Replace(text, "+\n", "x\n", 1), strings.Replace(text, "000", "00g", 1)} {
		if _, err := parseLook(bad, 3); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzParseLook(f *testing.F) {
	f.Add("+"+strings.Repeat("0", 64)+"  -\n81a4 0 0 12 1700000000 root root\n", 1)
	f.Add("-\n+\n41ed 0 0 12 1 UNKNOWN UNKNOWN", 2)
	f.Add("", 1)
	f.Fuzz(func(t *testing.T, text string, n int) {
		if n < 1 || n > 100 {
			return
		}
		found, err := parseLook(text, n)
		if err == nil && len(found) != n {
			t.Fatalf("%q = %d entries, want %d", text, len(found), n)
		}
		for _, e := range found {
			if e.kind != kindMissing && (e.mode&^fs.ModePerm != 0 || e.owner == "") {
				t.Fatalf("%q = %+v", text, e)
			}
		}
	})
}

// Whatever a command prints comes through, also when it ends without a line
// feed, is empty, or looks like the mark; and its lines come at once.
func TestReadToMark(t *testing.T) {
	const mark = "EW-END-0123"
	for _, body := range []string{"", "\n", "\n\n", "a", "a\n", "a\n\n", "\na", "x " + mark + " 0", mark + " 9\nx", "a\n" + mark[:5] + "\n", strings.Repeat("long ", 5000), "\x00\xff\n"} {
		if strings.HasPrefix(body, mark) {
			continue // the first line of all cannot be the mark: a line feed is before it
		}
		for _, streamed := range []bool{false, true} {
			text := body + "\n" + mark + " 0\nnext"
			r := bufio.NewReader(iotest.OneByteReader(strings.NewReader(text)))
			var w *lineWriter
			if streamed {
				w = &lineWriter{feed: &lineFeed{onLine: func(string) {}}}
			}
			data, rest, err := readToMark(r, mark, w)
			if streamed {
				data = w.all.Bytes()
			}
			if err != nil || string(data) != body || rest != " 0" {
				t.Errorf("%q (streamed %v) = %q, %q, %v", body, streamed, data, rest, err)
			}
		}
	}
	if _, _, err := readToMark(bufio.NewReader(strings.NewReader("a\n"+mark)), mark, nil); err == nil {
		t.Error("a mark without an end was taken")
	}
	var lines []string
	w := &lineWriter{feed: &lineFeed{onLine: func(l string) { lines = append(lines, l) }}}
	pr := bufio.NewReader(strings.NewReader("one\ntwo"))
	if _, _, err := readToMark(pr, mark, w); err == nil || len(lines) != 1 || lines[0] != "one" {
		t.Errorf("lines = %q, %v", lines, err)
	}
}

func FuzzReadToMark(f *testing.F) {
	f.Add([]byte("a\nb"))
	f.Add([]byte("\n\nEW-END"))
	f.Fuzz(func(t *testing.T, body []byte) {
		const mark = "EW-END-0123456789"
		if bytes.Contains(body, []byte(mark)) {
			return
		}
		data, rest, err := readToMark(bufio.NewReader(bytes.NewReader([]byte(string(body)+"\n"+mark+" 5\n"))), mark, nil)
		if err != nil || !bytes.Equal(data, body) || rest != " 5" {
			t.Fatalf("%q = %q, %q, %v", body, data, rest, err)
		}
	})
}

func TestShellQuote(t *testing.T) {
	words := []string{"", "a b", "it's", `\n$HOME"`, "`id`", "*", "-n", "ü\tx", "'';!"}
	for _, shell := range []string{"sh", "bash", "busybox"} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Skip("needs ", shell)
		}
		args := []string{"-c", withArgs(`for a; do printf '%s|' "$a"; done`, words...)}
		if shell == "busybox" {
			args = append([]string{"sh"}, args...)
		}
		out, err := exec.Command(shell, args...).Output()
		if err != nil || string(out) != strings.Join(words, "|")+"|" {
			t.Errorf("%s: %q, %v", shell, out, err)
		}
	}
}

func TestSudoWatchFindsAMarkInPieces(t *testing.T) {
	w := newSudoWatch("EW-ASK-1")
	for _, piece := range []string{"warn", "ing\nEW-", "ASK", "-1", "sorry EW-ASK-1 EW-ASK-"} {
		_, _ = w.Write([]byte(piece))
	}
	if len(w.asks) != 2 || w.text() != "warning\nsorry  EW-ASK-" && !strings.HasPrefix(w.text(), "warning") {
		t.Fatalf("%d asks, %q", len(w.asks), w.text())
	}
	var after bytes.Buffer
	w.passOn(&after)
	_, _ = w.Write([]byte("EW-ASK-1"))
	if after.String() != "EW-ASK-1" || len(w.asks) != 2 {
		t.Fatal("what follows is not passed on")
	}
}

func TestHelperErrorsKeepTheirKind(t *testing.T) {
	locked := &LockedError{RunID: "run-7"}
	for _, err := range []error{fs.ErrNotExist, fs.ErrPermission, ErrPath, ErrCannotRun, locked, &MissingUserError{User: "a", Package: "p"}} {
		got := toWireError(fmt.Errorf("outer: %w", err)).err()
		if got.Error() != "outer: "+err.Error() {
			t.Errorf("text = %q", got)
		}
		var l *LockedError
		var m *MissingUserError
		if !errors.Is(got, err) && !(errors.As(got, &l) && l.RunID == "run-7") && !(errors.As(got, &m) && m.Package == "p") {
			t.Errorf("%v lost its kind", err)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	var good bytes.Buffer
	_ = writeFrame(&good, helperRequest{Verb: verbRead, Path: "/etc/hosts"})
	f.Add(good.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{0, 0, 0, 2, '{'})
	f.Fuzz(func(t *testing.T, text []byte) {
		var q helperRequest
		if err := readFrame(bytes.NewReader(text), &q); err == nil {
			_ = q.Set.set().check()
		}
	})
}

func TestParseSSHG(t *testing.T) {
	look := parseSSHG("user me\nhostname 10.0.0.1\nidentityfile ~/a\nidentityfile ~/b\nport 22\n\nodd\n")
	if got := look("IdentityFile"); len(got) != 2 || got[1] != "~/b" {
		t.Errorf("identities = %q", got)
	}
	if got := look("HostName"); len(got) != 1 || got[0] != "10.0.0.1" {
		t.Errorf("host = %q", got)
	}
}
