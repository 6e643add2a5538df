package target

import (
	"os"
	"testing"

	"edgewright/provisioning/secret"
)

func deviceWithPrograms(t testing.TB, shell string, pure bool) *device {
	d := newDevice(t, shell, pure)
	for name, text := range standIns {
		d.program(t, name, text)
	}
	return d
}

func TestConformanceSSH(t *testing.T) {
	for _, c := range []struct {
		name, shell, user string
		pure              bool
	}{
		{"root, dash", "dash", "root", false},
		{"root, bash", "bash", "root", false},
		{"root, busybox only", "busybox", "root", true},
		{"sudo with password, dash", "dash", "admin", false},
		{"sudo with password, busybox only", "busybox", "admin", true},
		{"sudo without password", "dash", "ops", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := deviceWithPrograms(t, c.shell, c.pure)
			s := d.serve(t, "")
			options := s.options(t)
			options.SudoPassword = secret.FromString(devicePassword)
			target := s.open(t, c.user, options)
			conformance(t, subject{folder: d.root, runs: true, setOwner: true, open: func(t *testing.T) Root {
				r, err := target.Root(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return r
			}})
		})
	}
}

func TestConformanceLocalRoot(t *testing.T) {
	deviceWithPrograms(t, "dash", false).inside(t, "root", "TestInsideLocal")
}

func TestConformanceHelperBySudo(t *testing.T) {
	d := deviceWithPrograms(t, "dash", false)
	t.Run("password", func(t *testing.T) { d.inside(t, "admin", "TestInsideHelper", "EDGEWRIGHT_TEST_ROOT=1") })
	t.Run("no password", func(t *testing.T) { d.inside(t, "ops", "TestInsideHelper", "EDGEWRIGHT_TEST_ROOT=1") })
	t.Run("refused", func(t *testing.T) { d.inside(t, "plain", "TestInsideNoElevation") })
}

// TestInsideLocal runs in a device, as root.
func TestInsideLocal(t *testing.T) {
	if !isInside() {
		return // TestConformanceLocalRoot starts it
	}
	target, err := Open(t.Context(), Spec{Kind: KindLocal}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	conformance(t, subject{folder: "/", runs: true, setOwner: true, open: func(t *testing.T) Root {
		r, err := target.Root(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}})
	look(t, target, "root")
}

func TestConformanceRootfsRoot(t *testing.T) {
	d := newDevice(t, "dash", false)
	conformance(t, subject{folder: d.root, setOwner: true, open: func(t *testing.T) Root {
		return rootOf(t, d.root)
	}})
}

func TestConformanceRootfsOwned(t *testing.T) {
	d := newDevice(t, "dash", false)
	d.inside(t, "admin", "TestInsideRootfsOwned")
}

// TestInsideRootfsOwned runs as a user, on a folder of the user's own.
func TestInsideRootfsOwned(t *testing.T) {
	if !isInside() {
		return
	}
	folder := t.TempDir() + "/card"
	for _, dir := range []string{"/etc", "/var/lib", "/usr/local/share/ca-certificates"} {
		if err := os.MkdirAll(folder+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"/etc/passwd", "/etc/group", "/etc/hosts"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(folder+name, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	conformance(t, subject{folder: folder, recorded: true, open: func(t *testing.T) Root {
		_ = os.Remove(ManifestFile(folder))
		return rootOf(t, folder)
	}})
}

func rootOf(t *testing.T, folder string) Root {
	t.Helper()
	target, err := Open(t.Context(), Spec{Kind: KindRootfs, Path: folder}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.Close() })
	r, err := target.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The helper is started by a user of the device through sudo; this process
// speaks to it from outside.
func TestConformanceHelper(t *testing.T) {
	d := deviceWithPrograms(t, "dash", false)
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	d.write(t, "target.test", 0o755, string(self))
	for _, user := range []string{"admin", "ops"} {
		t.Run(user, func(t *testing.T) {
			conformance(t, subject{folder: d.root, runs: true, setOwner: true, open: func(t *testing.T) Root {
				mark := randomMark("EW-ASK-")
				cmd := d.command(t.Context(), "", "/usr/bin/setpriv", "--reuid="+user, "--regid="+user, "--init-groups",
					"sudo", "-S", "-k", "-p", mark, "--", "/target.test", "helper")
				t.Setenv("R", d.root)
				h, err := launchHelper(t.Context(), Options{SudoPassword: secret.FromString(devicePassword), Version: "test"}, cmd.Args, mark)
				if err != nil {
					t.Fatal(err)
				}
				r, err := h.open(t.Context(), "")
				if err != nil {
					t.Fatal(err)
				}
				return r
			}})
		})
	}
}
