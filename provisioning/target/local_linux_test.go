package target

import (
	"context"
	"errors"

	"io/fs"

	"strings"
	"testing"

	"edgewright/provisioning/secret"
)

// look holds the unprivileged look of any target that runs against a device.
func look(t *testing.T, target Target, user string) {
	t.Helper()
	ctx := t.Context()
	out, exit, err := target.Output(ctx, "sh", "-c", `echo "$1 $LC_ALL"; id -un; exit 7`, "sh", `a 'b' "c" \d $e`)
	if err != nil || exit != 7 || string(out) != `a 'b' "c" \d $e C`+"\n"+user+"\n" {
		t.Errorf("Output = %q, %d, %v", out, exit, err)
	}
	if _, exit, err = target.Output(ctx, "no-such-program"); err != nil || exit != 127 {
		t.Errorf("a program that is not there: %d, %v", exit, err)
	}
	if _, exit, err = target.Output(ctx, "cat"); err != nil || exit != 0 {
		t.Errorf("standard input is not empty: %d, %v", exit, err)
	}
	if text, err := target.ReadFile(ctx, "/etc/hosts"); err != nil || !strings.Contains(string(text), "localhost device") {
		t.Errorf("hosts = %q, %v", text, err)
	}
	if text, err := target.ReadFile(ctx, "/proc/version"); err != nil || !strings.Contains(string(text), "Linux") {
		t.Errorf("a file without a size: %q, %v", text, err)
	}
	if _, err := target.ReadFile(ctx, "/etc/none/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := target.ReadFile(ctx, "/etc"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder read as a file: %v", err)
	}
	info, err := target.Stat(ctx, "/etc/shadow")
	if err != nil || info.Owner != "root" || info.Mode != 0o640 || info.IsDir {
		t.Errorf("stat = %+v, %v", info, err)
	}
	names, err := target.ReadDir(ctx, "/etc/ssh")
	if err != nil || !strings.Contains(strings.Join(names, " "), "keys") {
		t.Errorf("names = %v, %v", names, err)
	}
	if user != "root" {
		if _, err := target.ReadFile(ctx, "/etc/shadow"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a file of root's: %v", err)
		}
		if _, err := target.ReadDir(ctx, "/var/lib/private-dir"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a folder of root's: %v", err)
		}
		if _, err := target.ReadFile(ctx, "/var/lib/private-dir/x/y"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a file below a folder of root's: %v", err)
		}
	}
	if key := target.MachineKey(ctx); key != "machine-id:0123456789abcdef0123456789abcdef" {
		t.Errorf("machine key = %q", key)
	}
}

// TestInsideHelper runs in a device, as a user with sudo.
func TestInsideHelper(t *testing.T) {
	if !isInside() {
		return // TestConformanceHelperBySudo starts it
	}
	target, err := Open(t.Context(), Spec{Kind: KindLocal}, Options{SudoPassword: secret.FromString(devicePassword), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := target.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Place(t.Context(), fullSet("run-1", "a")); err != nil {
		t.Fatal(err)
	}
	if text, err := r.ReadFile(t.Context(), "/var/aziot/secrets/id.key"); err != nil || string(text) != "key a" {
		t.Fatalf("key = %q, %v", text, err)
	}
	if _, err := target.ReadFile(t.Context(), "/var/aziot/secrets/id.key"); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("the look has rights: %v", err)
	}
	if err := r.PutBack(t.Context(), "run-1"); err != nil {
		t.Fatal(err)
	}
}

// TestInsideNoElevation runs in a device, as a user without sudo.
func TestInsideNoElevation(t *testing.T) {
	if !isInside() {
		return
	}
	for name, options := range map[string]Options{
		"password of a user who may not": {SudoPassword: secret.FromString(devicePassword)},
		"wrong password":                 {SudoPassword: secret.FromString("wrong")},
		"nobody to ask":                  {},
		"wrong answers": {Ask: func(context.Context, Question) (secret.Value, error) {
			return secret.FromString("wrong"), nil
		}},
	} {
		target, err := Open(t.Context(), Spec{Kind: KindLocal}, options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.Root(t.Context()); !errors.Is(err, ErrNoElevation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	look(t, &local{}, "plain")
}
