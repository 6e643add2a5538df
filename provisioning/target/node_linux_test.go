package target

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"

	"edgewright/provisioning/secret"
)

// nodesOf gives the device a /dev of its own with nodes of a TPM: one that the
// group tss may open, which aziottpm is in, and one for root only. Behind both
// is /dev/null, as nothing is opened.
const nodesOf = `
mkdir -p "$R/nodes"; mount -t tmpfs -o mode=0755 tmpfs "$R/nodes"
for n in null zero random urandom tty; do touch "$R/nodes/$n"; mount --bind "/dev/$n" "$R/nodes/$n"; done
for n in tpmrm0 tpm0; do mknod "$R/nodes/$n" c 1 3; done
chown 0:984 "$R/nodes/tpmrm0"; chmod 0660 "$R/nodes/tpmrm0"; chmod 0600 "$R/nodes/tpm0"
mount --move "$R/nodes" "$R/dev"`

func TestMayUse(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) Root{
		"dash":         func(t *testing.T) Root { return rootWithNodes(t, "dash", "root", false) },
		"busybox only": func(t *testing.T) Root { return rootWithNodes(t, "busybox", "admin", true) },
		"helper":       helperWithNodes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			defer func() { _ = r.Close() }()
			ctx := context.WithoutCancel(t.Context())
			if err := r.MayUse(ctx, "aziottpm", "/dev/tpmrm0"); err != nil {
				t.Error(err)
			}
			for node, want := range map[string]error{"/dev/tpm0": fs.ErrPermission, "/dev/tpmrm1": fs.ErrNotExist, "/dev/null": ErrPath, "/dev/tpm0/../null": ErrPath, "/etc/shadow": ErrPath} {
				if err := r.MayUse(ctx, "aziottpm", node); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", node, err, want)
				}
			}
			for _, user := range []string{"root", "", "aziotks", "aziottpm; id"} {
				if err := r.MayUse(ctx, user, "/dev/tpmrm0"); err == nil || errors.Is(err, fs.ErrPermission) {
					t.Errorf("as %q: %v", user, err)
				}
			}
		})
	}
}

func rootWithNodes(t *testing.T, shell, user string, pure bool) Root {
	t.Helper()
	s := newDevice(t, shell, pure).serve(t, nodesOf)
	options := s.options(t)
	options.SudoPassword = secret.FromString(devicePassword)
	r, err := s.open(t, user, options).Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func helperWithNodes(t *testing.T) Root {
	t.Helper()
	d := newDevice(t, "dash", false)
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	d.write(t, "target.test", 0o755, string(self))
	cmd := d.command(t.Context(), nodesOf, "/target.test", "helper")
	args := append([]string{"env", "R=" + d.root}, cmd.Args...)
	h, err := launchHelper(t.Context(), Options{Version: "test"}, args, "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}
