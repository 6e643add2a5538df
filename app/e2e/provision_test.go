//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wholeWay provisions, provisions again, and undoes, on one target; how is the
// proof that the target gives.
func wholeWay(t *testing.T, s *station, d *device, how string, target ...string) {
	t.Helper()
	everyWay(t, s, d, plans("line-7-0042"), how, target...)
}

// everyWay does that with the plans that are given.
func everyWay(t *testing.T, s *station, d *device, plans map[string]string, how string, target ...string) {
	for name, text := range plans {
		t.Run(name, func(t *testing.T) {
			s.t = t
			plan := s.plan(name+".toml", text)
			before := ""
			if d != nil {
				before = d.picture(t)
			}
			args := append([]string{"provision", "--plan", plan, "--yes"}, target...)

			first, r := s.outcome(args...)
			if r.code != 0 || first.Outcome != "succeeded" || !first.Changed || !first.Proof.Device || !first.Proof.Cloud || !first.Proof.Rehearsal || first.Proof.How != how {
				t.Fatalf("code %d, %+v, error %+v\n%s", r.code, first, first.Error, r.errOut)
			}
			placed := ""
			if d != nil {
				placed = d.picture(t)
			}
			if how == "runtime" {
				// The practice CA lies as the system's own program would lay it.
				if err := command("chroot", d.root, "update-ca-certificates"); err != nil {
					t.Error(err)
				}
				if diff := differences(placed, d.picture(t)); diff != "" {
					t.Errorf("update-ca-certificates changed\n%s", diff)
				}
			}
			second, r := s.outcome(args...)
			issued := strings.Contains(text, "[x509]\nsource = \"est\"") || strings.Contains(text, "[x509]\nsource = \"local-ca\"")
			if !unchanged(second, r, issued) {
				t.Errorf("second run: code %d, %+v, error %+v", r.code, second, second.Error)
			}
			if d != nil {
				if diff := differences(placed, d.picture(t)); diff != "" {
					t.Errorf("the second run changed\n%s", diff)
				}
			}
			undone, r := s.outcome(append([]string{"runs", "undo", first.Run, "--yes"}, without(target, "--target")...)...)
			if r.code != 0 || undone.Outcome != "undone" {
				t.Errorf("undo: code %d, %+v, error %+v\n%s", r.code, undone, undone.Error, r.errOut)
			}
			if d != nil {
				if diff := differences(before, d.picture(t)); diff != "" {
					t.Errorf("undo left\n%s", diff)
				}
			}
			list := s.run("", "devices", "list", "--json")
			if strings.TrimSpace(list.out) != "[]" {
				t.Errorf("the catalog still has %s", list.out)
			}
		})
	}
}

// unchanged tells whether a run that had nothing to do ended as it has to. Of an
// identity that the device had issued only the device has the key, and nothing
// makes it call again: that ends configured, unless the cloud, whose clock counts
// in whole seconds, saw the call of the run before.
func unchanged(o outcome, r result, issued bool) bool {
	proven := r.code == 0 && o.Outcome == "succeeded"
	return !o.Changed && o.Error == nil && (proven || issued && r.code == 5 && o.Outcome == "configured")
}

// without drops a flag and its value.
func without(args []string, flag string) []string {
	var rest []string
	for i := 0; i < len(args); i++ {
		if args[i] == flag {
			i++
			continue
		}
		rest = append(rest, args[i])
	}
	return rest
}

func TestIntoAFolder(t *testing.T) {
	s := newStation(t)
	folder := t.TempDir()
	wholeWay(t, s, nil, "played", "--target", "rootfs://"+folder)
	entries, err := os.ReadDir(filepath.Join(folder, "etc"))
	if err == nil && len(entries) > 0 {
		t.Errorf("undo left %v", entries)
	}
}

func TestIntoARootFileSystem(t *testing.T) {
	d := newDevice(t)
	wholeWay(t, newStation(t), d, "played", "--target", "rootfs://"+d.root)
}

func TestOnThisComputer(t *testing.T) {
	d := newDevice(t)
	s := newStation(t)
	s.inside = d.root
	wholeWay(t, s, d, "runtime", "--target", "local:")
}

func TestOverSSH(t *testing.T) {
	for _, user := range []string{"root", "tech"} {
		t.Run(user, func(t *testing.T) {
			d := newDevice(t)
			s := newStation(t)
			identity := filepath.Join(s.home, "id")
			if err := command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", identity); err != nil {
				t.Fatal(err)
			}
			public, err := os.ReadFile(identity + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			hostKey := d.connect(t, string(public))
			wholeWay(t, s, d, "runtime", "--target", "ssh://"+user+"@"+d.addr, "--identity", identity, "--host-key", hostKey)
		})
	}
}
