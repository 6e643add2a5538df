package target

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// TestBornKeyKilledAtEveryOperation cuts the making of a key and its way into
// its place at every operation. What is cut is completed by the same calls or
// taken back whole, and at no instant does anybody else own a key.
func TestBornKeyKilledAtEveryOperation(t *testing.T) {
	d := newDevice(t, "dash", false)
	s := subject{folder: d.root, setOwner: true}
	ctx := t.Context()
	open := func(left int) *engine {
		root, err := os.OpenRoot(d.root)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = root.Close() })
		return newEngine(&brittle{layer: newDirLayer(root, true), left: left}, time.Now)
	}
	both := func(e *engine) error {
		_, err := e.Place(ctx, bornSet("p256"))
		if err == nil {
			_, err = e.Place(ctx, placedSet(waitingKey))
		}
		return err
	}
	for _, complete := range []bool{true, false} {
		left, ended := 0, false
		for ; !ended; left++ {
			s.clear(t)
			s.put(t, "/etc/aziot/config.toml", 0o600, 0, 0, "before")
			s.put(t, idKey, 0o600, 991, 981, "the key before")
			before := snapshot(t, d.root)
			err := both(open(left))
			ended = err == nil
			if !ended && !errors.Is(err, errKilled) {
				t.Fatalf("cut %d: %v", left, err)
			}
			onlyOurs(t, s, left)
			if !complete {
				if err := open(-1).PutBack(ctx, "run-1"); err != nil {
					t.Fatalf("cut %d: put back: %v", left, err)
				}
				sameSnapshot(t, "put back", before, snapshot(t, d.root))
				continue
			}
			if err := resumeBorn(t, open(-1), s); err != nil {
				t.Fatalf("cut %d: again: %v", left, err)
			}
			text, err := os.ReadFile(s.path(idKey))
			if err != nil || !strings.Contains(string(text), "PRIVATE KEY") {
				t.Fatalf("cut %d: the key is %d bytes, %v", left, len(text), err)
			}
			s.checkFile(t, idKey, string(text), 0o600, 991, 981)
			s.checkFile(t, "/etc/aziot/config.toml", "config born", 0o600, 0, 0)
			if names, _ := os.ReadDir(s.path("/var/aziot/secrets")); len(names) != 1 {
				t.Fatalf("cut %d: left beside the key: %v", left, names)
			}
		}
		if left < 20 {
			t.Fatalf("only %d operations", left)
		}
	}
}

// resumeBorn does what a run does that is taken up: it makes the key unless its
// certificate is in place already.
func resumeBorn(t *testing.T, e *engine, s subject) error {
	if _, err := os.Stat(s.path("/var/aziot/certs/id.pem")); err != nil {
		if _, err := e.Place(t.Context(), bornSet("p256")); err != nil {
			return err
		}
	}
	_, err := e.Place(t.Context(), placedSet(waitingKey))
	return err
}

// onlyOurs fails if a file of the folder of keys can be read by others.
func onlyOurs(t *testing.T, s subject, left int) {
	t.Helper()
	names, err := os.ReadDir(s.path("/var/aziot/secrets"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		info, err := name.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("cut %d: %s is %v", left, name.Name(), info.Mode())
		}
	}
}
