package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/secret/hunt"
)

// secretHunt fails a test for what it finds.
type secretHunt struct{ hunt.Hunt }

// below looks into every file below a folder but those with the allowed endings.
func (h *secretHunt) below(t *testing.T, when, root string, allowed ...string) {
	t.Helper()
	problems, err := h.Below(root, func(name string) bool {
		return slices.ContainsFunc(allowed, func(end string) bool { return strings.HasSuffix(name, end) })
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", when, problem)
	}
}

// processList gathers arguments and environments of all processes of the
// machine that can be read, from now until the returned function is called,
// which gives them. They are those of other programs too, which know none of
// the secrets.
func processList() (stop func() []byte) {
	seen := map[string]bool{}
	look := func() {
		for _, name := range []string{"cmdline", "environ"} {
			files, _ := filepath.Glob("/proc/[0-9]*/" + name)
			for _, file := range files {
				if text, err := os.ReadFile(file); err == nil { // it may have ended
					seen[string(text)] = true
				}
			}
		}
	}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			look()
			select {
			case <-over:
				look()
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() []byte {
		close(over)
		<-done
		return []byte(strings.Join(slices.Collect(maps.Keys(seen)), "\n"))
	}
}

// TestHuntFindsWhatIsPlanted shows that the hunt can fail: it plants a secret in
// every form, and in the arguments and the environment of a process.
func TestHuntFindsWhatIsPlanted(t *testing.T) {
	raw := randomBytes(32)
	hunt := &secretHunt{}
	hunt.Add("key", raw)
	for _, before := range []string{"", "a", "ab", "abc"} {
		around := append([]byte(before), append(raw, "xyz"...)...)
		for form, text := range map[string]string{"raw": string(around), "hex": hex.EncodeToString(around), "HEX": strings.ToUpper(hex.EncodeToString(around)),
			"base64": base64.StdEncoding.EncodeToString(around), "base64url": base64.RawURLEncoding.EncodeToString(around)} {
			if len(hunt.In([]byte(text))) == 0 {
				t.Errorf("the key is not found in %s behind %q", form, before)
			}
		}
	}
	if found := hunt.In(randomBytes(4096)); len(found) > 0 {
		t.Errorf("%q found in noise", found)
	}
	if runtime.GOOS != "linux" {
		return
	}
	for form, child := range map[string]func(*exec.Cmd){
		"an argument":     func(c *exec.Cmd) { c.Args[0] = base64.StdEncoding.EncodeToString(raw) },
		"the environment": func(c *exec.Cmd) { c.Env = []string{"KEY=" + hex.EncodeToString(raw)} },
	} {
		sleep := exec.Command("sleep", "60")
		child(sleep)
		if err := sleep.Start(); err != nil {
			t.Fatal(err)
		}
		found := false
		for end := time.Now().Add(10 * time.Second); !found && time.Now().Before(end); { // between fork and exec there is nothing to see
			found = len(hunt.In(processList()())) > 0
		}
		_ = sleep.Process.Kill()
		_ = sleep.Wait()
		if !found {
			t.Errorf("the key is not found in %s of a process", form)
		}
	}
}

// TestSecretsStayInside uses secrets of every kind, through runs that succeed,
// fail and are killed, and looks for them everywhere. The device's own
// config.toml is the only place for one.
func TestSecretsStayInside(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", filepath.Join(dir, "tmp"))
	passphrase := "correct horse battery staple 0042"
	userKey := randomBytes(32)
	for name, text := range map[string]string{"passphrase": passphrase + "\n", "tmp/.keep": "", "state/.keep": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hunt := &secretHunt{}
	hunt.Add("passphrase", []byte(passphrase))
	hunt.Add("user key", userKey)

	b, err := newBench(dir, "manual", false)
	if err != nil {
		t.Fatal(err)
	}
	b.Key = "line-key"
	ctx := t.Context()
	list := processList()
	setKey(t, b, userKey)

	// Killed while the device's key is under way to the disk.
	effects, killed, err := job{Bench: b, Cut: 10}.start(ctx)
	if err != nil || !killed || effects[9] != "place" {
		t.Fatalf("killed = %t, %v after %q", killed, err, effects)
	}
	look := func(when string) {
		hunt.below(t, when, b.data())
		hunt.below(t, when, b.state())
		hunt.below(t, when, filepath.Dir(b.folder()), "disk/etc/aziot/config.toml")
		hunt.below(t, when, filepath.Join(dir, "tmp"))
	}
	look("killed")

	var output bytes.Buffer
	a, err := b.openLogged(ctx, &output)
	if err != nil {
		t.Fatal(err)
	}
	emit := func(e provisioning.Event) { fmt.Fprintf(&output, "%+v\n", e) }
	outs, _, err := a.Resume(ctx, "0001", Access{}, emit)
	if err != nil || outs[0].Outcome != provisioning.RunSucceeded {
		t.Fatalf("%+v %v", outs, err)
	}
	group := bench{Dir: dir, Way: "group"}.request()
	group.Plan.Device.ID, group.Target = "line-7-0043", FolderTarget(filepath.Join(dir, "tmp"))
	second := a.Provision(ctx, group, emit)
	other := b.request()
	other.Plan.Device.Tags, other.Target = map[string]any{"line": int64(8)}, FolderTarget(filepath.Join(dir, "tmp"))
	refused := a.Provision(ctx, other, emit)
	if second.Outcome != provisioning.RunSucceeded || refused.Outcome != provisioning.RunFailed {
		t.Fatalf("%+v %+v", second.Error, refused.Error)
	}
	preview, err := a.Preview(ctx, b.request())
	if err != nil {
		t.Fatal(err)
	}
	info, err := a.PracticeInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := a.Runs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []any{outs, second, refused, preview, info.Masked(), runs} {
		fmt.Fprintf(&output, "%v %+v %#v\n", shown, shown, shown)
		if err := json.NewEncoder(&output).Encode(shown); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range []string{"csv", "json"} {
		if err := a.ExportDevicesTo(ctx, format, filepath.Join(dir, "tmp", "devices."+format)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.MakeBackup(ctx, filepath.Join(dir, "tmp", "backup.db")); err != nil {
		t.Fatal(err)
	}
	huntCloud(t, hunt, a, b, group)

	config, err := os.ReadFile(filepath.Join(b.folder(), "etc/aziot/config.toml"))
	if err != nil || len(hunt.In(config)) == 0 {
		t.Fatalf("the hunt does not find the key in config.toml: %v", err)
	}
	// A failed test prints a path: this folder stood for a second device.
	if err := os.Remove(filepath.Join(dir, "tmp", "etc/aziot/config.toml")); err != nil {
		t.Fatal(err)
	}
	if found := hunt.In(list()); len(found) > 0 {
		t.Errorf("arguments or environment of a process hold %q", found)
	}
	if _, err := os.Stat(filepath.Join(b.data(), "catalog.db-wal")); err != nil {
		t.Errorf("the catalog is open without its write-ahead log: %v", err)
	}
	look("open")
	if found := hunt.In(output.Bytes()); len(found) > 0 {
		t.Errorf("what was printed and logged holds %q", found)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	look("closed")
}

// setKey stores the user's key under the passphrase.
func setKey(t *testing.T, b bench, key []byte) {
	t.Helper()
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetSecret(t.Context(), b.Key, secret.FromString(base64.StdEncoding.EncodeToString(key))); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func (b bench) openLogged(ctx context.Context, output *bytes.Buffer) (*App, error) {
	a, err := b.open(ctx, nil)
	if err == nil {
		a.log = slog.New(slog.NewTextHandler(output, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return a, err
}

// huntCloud adds the keys that the practice cloud made: its policies', its
// CA's, and those of devices and groups.
func huntCloud(t *testing.T, hunt *secretHunt, a *App, b bench, group Request) {
	t.Helper()
	ctx := t.Context()
	v, err := a.openVault(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := column(ctx, filepath.Join(b.data(), "practice", "practice.db"), "SELECT sealed FROM object WHERE kind = 'settings' AND id = 'cloud'")
	if err != nil || len(sealed) != 1 {
		t.Fatalf("%d settings, %v", len(sealed), err)
	}
	plain, err := v.Sealer("practice", vault.Practice).Open("settings/cloud", []byte(sealed[0]))
	if err != nil {
		t.Fatal(err)
	}
	var settings map[string]any
	if err := json.Unmarshal(plain, &settings); err != nil {
		t.Fatal(err)
	}
	delete(settings, "CACert")
	before := hunt.Len()
	addKeys(hunt, "practice", settings)
	if hunt.Len() < before+9*8 {
		t.Fatalf("only %d needles of the practice cloud", hunt.Len()-before)
	}
	cloud, release, err := a.cloudOf(ctx, b.request().Plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for _, id := range []string{benchDevice, group.Plan.Device.ID} {
		identity, err := cloud.Hub.Identity(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		hunt.Add("primary of "+id, identity.Primary.Reveal())
		hunt.Add("secondary of "+id, identity.Secondary.Reveal())
	}
	dps, ok := cloud.DPS.(enroller)
	if !ok {
		t.Fatal("the practice cloud has no DPS client")
	}
	keys, err := dps.client.GroupKeys(ctx, group.Plan.Cloud.Group)
	if err != nil {
		t.Fatal(err)
	}
	hunt.Add("group", keys.SymmetricKey.PrimaryKey.Secret().Reveal())
	hunt.Add("group, second", keys.SymmetricKey.SecondaryKey.Secret().Reveal())
}

// addKeys adds every base64 string of 32 bytes or more in a JSON value.
func addKeys(hunt *secretHunt, name string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			addKeys(hunt, name+"."+key, inner)
		}
	case string:
		if raw, err := base64.StdEncoding.DecodeString(v); err == nil && len(raw) >= 32 {
			hunt.Add(name, raw)
		}
	}
}
