package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
	"edgewright/provisioning/tpm/softtpm"
)

// softTPMs runs software TPMs of their own for a test.
func softTPMs(t testing.TB, n int) []*softtpm.Process {
	t.Helper()
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	all := make([]*softtpm.Process, n)
	for i := range all {
		process, err := softtpm.Start(t.Context(), t.TempDir(), secret.Value{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = process.Close() })
		all[i] = process
	}
	return all
}

// stationApp is a program on a bench of its own.
func stationApp(t testing.TB) *App {
	t.Helper()
	b, err := newBench(filepath.Join(t.TempDir(), "b"), "manual", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.Dir, "passphrase"), []byte("a passphrase of tests"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), b.config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// keepEmptyUnique does what Azure's npm client does to a bare TPM.
func keepEmptyUnique(t *testing.T, address string) {
	t.Helper()
	opened, err := tpm.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	chip := transport.TPM(opened)
	template := tpm2.RSAEKTemplate
	template.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{})
	made, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHEndorsement, InPublic: tpm2.New2B(template)}.Execute(chip)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpm2.EvictControl{Auth: tpm2.TPMRHOwner, ObjectHandle: &tpm2.NamedHandle{Handle: made.ObjectHandle, Name: made.Name}, PersistentHandle: tpm.EKHandle}.Execute(chip)
	_, flushed := tpm2.FlushContext{FlushHandle: made.ObjectHandle}.Execute(chip)
	if err := errors.Join(err, flushed); err != nil {
		t.Fatal(err)
	}
}

func TestManyTPMsAreCollectedAtOnce(t *testing.T) {
	t.Parallel()
	a, chips := stationApp(t), softTPMs(t, 5)
	request := CollectRequest{Parallel: 4}
	for _, chip := range chips {
		request.Targets = append(request.Targets, CollectTarget{Target: "local:", TPM: chip.Address})
	}
	request.Targets = append(request.Targets, CollectTarget{Target: "local:", TPM: "unix:/nowhere/s"}, CollectTarget{Target: FolderTarget(t.TempDir())})
	states := map[string]int{}
	out, err := a.Collect(t.Context(), request, func(e CollectEvent) { states[e.State]++ })
	if err != nil || out.Outcome != provisioning.RunFailed || out.Collected != 5 || out.Failed != 2 || states[CollectReading] != 7 || states[CollectCollected] != 5 {
		t.Fatalf("%+v %v %v", out, err, states)
	}
	if failed := out.Keys[5]; failed.Error == nil || !strings.Contains(failed.Error.Message, "No software TPM answers") || failed.Error.Hint == "" {
		t.Errorf("%+v", failed)
	}
	distinct := map[string]bool{}
	for i, one := range out.Keys[:5] {
		distinct[one.Key.ID] = true
		if one.Key.TPM != chips[i].Address || one.Key.Origin != catalog.OriginRead || one.Change != nil || len(one.Key.Public) != 316 {
			t.Errorf("%+v", one)
		}
	}
	if len(distinct) != 5 {
		t.Errorf("%d keys of 5 TPMs", len(distinct))
	}
	// Once more: nothing new. Then one of them keeps another key, and another one
	// is a different chip.
	request.Targets = request.Targets[:5]
	if out, err = a.Collect(t.Context(), request, nil); err != nil || out.Outcome != provisioning.RunSucceeded {
		t.Fatalf("%+v %v", out, err)
	}
	if n, _, err := a.FoundCollectedKeys(t.Context(), TPMKeyQuery{}); err != nil || n != 5 {
		t.Errorf("%d keys, %v", n, err)
	}
	first := out.Keys[0].Key
	keepEmptyUnique(t, chips[0].Address)
	link := strings.TrimPrefix(chips[1].Address, "unix:")
	if err := errors.Join(os.Remove(link), os.Symlink(strings.TrimPrefix(chips[2].Address, "unix:"), link)); err != nil {
		t.Fatal(err)
	}
	if out, err = a.Collect(t.Context(), CollectRequest{Targets: request.Targets[:2]}, nil); err != nil || out.Collected != 2 {
		t.Fatalf("%+v %v", out, err)
	}
	if change := out.Keys[0].Change; change == nil || change.Why != ChangeTemplate || change.Before != first.ID {
		t.Errorf("%+v", change)
	}
	if change := out.Keys[1].Change; change == nil || change.Why != ChangeSeedOrChip {
		t.Errorf("%+v", change)
	}
	kept, err := a.CollectedKey(t.Context(), "catalog:"+first.ID[:10])
	if err != nil || kept.ReplacedBy != out.Keys[0].Key.ID || kept.Change != ChangeTemplate {
		t.Errorf("%+v %v", kept, err)
	}
	if before, ok, err := a.KeyBefore(t.Context(), out.Keys[0].Key.ID); err != nil || !ok || before.ID != first.ID {
		t.Errorf("%+v %v %v", before, ok, err)
	}
}

func TestCollectIsRefusedOrCancelled(t *testing.T) {
	t.Parallel()
	a := stationApp(t)
	local := CollectTarget{Target: "local:", TPM: "unix:/nowhere/s"}
	for name, targets := range map[string][]CollectTarget{"none": nil, "twice": {local, local}, "ID": {{Target: "local:", Device: "-"}},
		"two of one ID": {{Target: "local:", Device: "a"}, {Target: "ssh://x", Device: "a"}}} {
		if _, err := a.Collect(t.Context(), CollectRequest{Targets: targets}, nil); !errors.Is(err, provisioning.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, err := a.Collect(ctx, CollectRequest{Targets: []CollectTarget{local}}, nil)
	if err == nil && out.Outcome != provisioning.RunCancelled {
		t.Errorf("%+v", out)
	}
	for _, id := range []string{"", "zz", "catalog:0123"} {
		if _, err := a.CollectedKey(t.Context(), id); !errors.Is(err, provisioning.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestWhyAKeyChanged(t *testing.T) {
	key := func(maker, template, handle, standard, cert string) catalog.TPMKey {
		return catalog.TPMKey{Manufacturer: maker, Template: template, Handle: handle, Standard: standard, Certificate: []byte(cert)}
	}
	standard := key("IFX", "tcg-l1", "", "s", "c")
	for _, row := range []struct {
		old, now catalog.TPMKey
		why      string
	}{
		{standard, key("IFX", "empty-unique", "0x81010001", "s", "c"), ChangeTemplate},
		{standard, key("IFX", "other", "0x81010001", "s", "c"), ChangeTemplate},
		{key("IFX", "empty-unique", "0x81010001", "s", "c"), standard, ChangeRemoved},
		{standard, key("IFX", "tcg-l1", "", "t", "c"), ChangeSeed},
		{standard, key("IFX", "tcg-l1", "", "t", "d"), ChangeChip},
		{standard, key("INTC", "tcg-l1", "", "t", "c"), ChangeChip},
		{standard, key("IFX", "tcg-l1", "", "t", ""), ChangeSeedOrChip},
		{key("IFX", "unknown", "0x81010001", "", ""), standard, ChangeUnknown},
	} {
		if why := whyChanged(row.old, row.now); why != row.why {
			t.Errorf("%+v to %+v: %s, want %s", row.old, row.now, why, row.why)
		}
	}
}
