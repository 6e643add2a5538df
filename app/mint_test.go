package app

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/pki"
)

// mintDevices are eleven devices in the cloud by themselves and two by a group.
func mintDevices() []MintRow {
	rows, err := ReadMintRange("press-{01..13}", MintRow{})
	if err != nil {
		panic(err)
	}
	rows[3].Group, rows[7].Group, rows[5].EdgeCA = "presses", "presses", true
	return rows
}

func (b bench) mintRequest(recipient string) MintRequest {
	return MintRequest{Rows: mintDevices(), CA: practiceIssuingCA, Recipient: recipient, Folder: b.mintFolder(), Cloud: Practice, Enroll: true}
}

func (b bench) mintFolder() string { return filepath.Join(b.Dir, "bundles") }

// TestMintedChainsPassOpenSSL lets openssl judge what a batch made.
func TestMintedChainsPassOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	a, b, to := mintApp(t)
	request := b.mintRequest(to.Recipient().String())
	request.Enroll = false
	out, err := a.Mint(t.Context(), request, nil)
	if err != nil || out.Made != 13 {
		t.Fatal(out, err)
	}
	for _, sealed := range b.bundles(t) {
		opened, err := bundle.Open(sealed, to)
		if err != nil {
			t.Fatal(err)
		}
		verifyByOpenSSL(t, opened)
	}
	report, err := os.ReadFile(out.Report)
	if err != nil || strings.Count(string(report), "\n") != 14 || !strings.Contains(string(report), "press-13.edgewright") {
		t.Errorf("%s %v", report, err)
	}
}

// verifyByOpenSSL checks the chains of a bundle under its trust bundle.
func verifyByOpenSSL(t testing.TB, opened bundle.Bundle) {
	t.Helper()
	dir := t.TempDir()
	pairs := map[string]bundle.Pair{"sslclient": opened.Identity}
	if opened.EdgeCA != nil {
		pairs["any"] = *opened.EdgeCA
	}
	for purpose, pair := range pairs {
		chain, root := filepath.Join(dir, purpose), filepath.Join(dir, "root")
		if err := errors.Join(os.WriteFile(chain, pair.Chain, 0o600), os.WriteFile(root, opened.Trust, 0o600)); err != nil {
			t.Fatal(err)
		}
		args := []string{"verify", "-x509_strict", "-purpose", purpose, "-CAfile", root, "-untrusted", chain, chain}
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", opened.Device, err, out)
		}
	}
}

func mintApp(t *testing.T) (*App, bench, *age.X25519Identity) {
	t.Helper()
	b, err := newMintBench(t.Context(), filepath.Join(t.TempDir(), "b"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	to, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return a, b, to
}

// TestCancelledMintGoesOn cancels between two chunks.
func TestCancelledMintGoesOn(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.betweenMintSteps = func(step string) {
		if step == "sealed" {
			if batches, err := a.MintBatches(t.Context()); err != nil || len(batches) != 1 || !batches[0].Live {
				t.Errorf("while it runs: %+v %v", batches, err)
			}
			cancel()
		}
	}
	out, err := a.Mint(ctx, b.mintRequest(to.Recipient().String()), nil)
	if err != nil || out.Outcome != provisioning.RunCancelled || out.Error != nil || out.Report == "" {
		t.Fatalf("%+v %v", out, err)
	}
	a.betweenMintSteps = nil
	states := map[string]int{}
	out, err = a.ResumeMint(t.Context(), out.Batch, func(e MintEvent) { states[e.State]++ })
	if err != nil || out.Outcome != provisioning.RunSucceeded || out.Made != 13 {
		t.Errorf("%+v %v", out, err)
	}
	if !maps.Equal(states, map[string]int{"enrolled": 13}) {
		t.Errorf("events: %v", states)
	}
}

// TestAReportThatCannotBeWrittenIsNamed: the devices are made, the batch has failed
// and says why, and resuming it writes the report.
func TestAReportThatCannotBeWrittenIsNamed(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	inTheWay := ""
	a.betweenMintSteps = func(string) {
		if batches, err := a.MintBatches(t.Context()); inTheWay == "" && err == nil && len(batches) == 1 {
			inTheWay = filepath.Join(b.mintFolder(), batches[0].ID+".csv.part")
			if err := os.Mkdir(inTheWay, 0o700); err != nil {
				t.Error(err)
			}
		}
	}
	out, err := a.Mint(t.Context(), b.mintRequest(to.Recipient().String()), nil)
	if err != nil || out.Outcome != provisioning.RunFailed || out.Made != 13 || out.Report != "" || out.Error == nil || !strings.Contains(out.Error.Message, "report") || out.Error.Hint == "" {
		t.Fatalf("%+v %+v %v", out, out.Error, err)
	}
	if batches, err := a.MintBatches(t.Context()); err != nil || batches[0].State != string(provisioning.RunFailed) || batches[0].Ended == nil {
		t.Errorf("%+v %v", batches, err)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	if out, err = a.ResumeMint(t.Context(), out.Batch, nil); err != nil || out.Outcome != provisioning.RunSucceeded || out.Report == "" {
		t.Errorf("%+v %v", out, err)
	}
}

// TestEnrollmentsOfOthersAreLeft: a name that is taken is the problem of its row,
// and goes away when the cloud has room.
func TestEnrollmentsOfOthersAreLeft(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	cloud, release, err := a.cloudOf(t.Context(), provisioning.Plan{Cloud: provisioning.CloudPlan{Name: Practice}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	theirs := provisioning.Enrollment{Name: "press-02", DeviceID: "press-02", Edge: true, Enabled: true, Authentication: provisioning.SymmetricKey}
	if _, err := cloud.DPS.CreateEnrollment(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	theirs.Group, theirs.Name = true, "presses"
	if _, err := cloud.DPS.CreateEnrollment(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	problems := map[string]string{}
	out, err := a.Mint(t.Context(), b.mintRequest(to.Recipient().String()), func(e MintEvent) {
		if e.Problem != "" {
			problems[e.Device] = e.Problem
		}
	})
	if err != nil || out.Outcome != provisioning.RunFailed || out.Failed != 3 || out.Made != 10 {
		t.Fatalf("%+v %v", out, err)
	}
	if got := slices.Sorted(maps.Keys(problems)); !slices.Equal(got, []string{"press-02", "press-04", "press-08"}) || !strings.Contains(problems["press-04"], "symmetric-key") {
		t.Errorf("%v", problems)
	}
	if report, err := os.ReadFile(out.Report); err != nil || !strings.Contains(string(report), problems["press-02"]) {
		t.Errorf("%s %v", report, err)
	}
	if err := errors.Join(cloud.DPS.DeleteEnrollment(t.Context(), false, "press-02"), cloud.DPS.DeleteEnrollment(t.Context(), true, "presses")); err != nil {
		t.Fatal(err)
	}
	out, err = a.ResumeMint(t.Context(), out.Batch, nil)
	if err != nil || out.Outcome != provisioning.RunSucceeded || out.Failed != 0 || out.Made != 3 || out.Skipped != 10 {
		t.Errorf("%+v %v", out, err)
	}
}

// TestMintIsRefusedBeforeAnythingIsMade lists what a request can lack.
func TestMintIsRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	good := b.mintRequest(to.Recipient().String())
	for name, spoil := range map[string]func(*MintRequest){
		"no CA":             func(r *MintRequest) { r.CA = "" },
		"an unknown CA":     func(r *MintRequest) { r.CA = "Nobody" },
		"a root for groups": func(r *MintRequest) { r.CA = practiceRootCA },
		"another role":      func(r *MintRequest) { r.Profile = "server" },
		"a wrong key":       func(r *MintRequest) { r.Algorithm = pki.P384 },
		"no recipient":      func(r *MintRequest) { r.Recipient = "" },
		"a wrong recipient": func(r *MintRequest) { r.Recipient = "age1nobody" },
		"an unknown host":   func(r *MintRequest) { r.Recipient = "ssh:{id}.invalid" },
		"no folder":         func(r *MintRequest) { r.Folder = "" },
		"no rows":           func(r *MintRequest) { r.Rows = nil },
		"an ID too long": func(r *MintRequest) {
			r.Rows = []MintRow{{Line: 1, ID: strings.Repeat("a", 62), EdgeCA: true, Days: 1}}
		},
	} {
		r := good
		spoil(&r)
		if out, err := a.Mint(t.Context(), r, nil); err == nil || provisioning.View(err).Hint == "" {
			t.Errorf("%s: %+v %v", name, out, err)
		}
	}
	if entries, err := os.ReadDir(b.mintFolder()); err == nil {
		t.Errorf("something was made: %v", entries)
	}
	if list, err := a.MintBatches(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("%v %v", list, err)
	}
	if err := errors.Join(os.MkdirAll(b.mintFolder(), 0o700), os.WriteFile(filepath.Join(b.mintFolder(), "press-05"+bundle.Extension), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if found, err := a.CheckMint(t.Context(), good); err != nil || len(found) != 1 || found[0].Field != "line 5, id" {
		t.Errorf("a bundle that is there: %v %v", found, err)
	}
}

// TestMintKeepsItsProfile: a batch that is resumed goes on with the profile and the
// kind of key that it began with.
func TestMintKeepsItsProfile(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	own := pki.Profile{Name: "Plant identity", Role: pki.RoleIdentity, Usages: []pki.Usage{pki.DigitalSignature, pki.ClientAuth}, Days: 90, Algorithm: pki.P256, OnDevice: true}
	if err := a.SaveProfile(t.Context(), own, ""); err != nil {
		t.Fatal(err)
	}
	if list, err := a.MintProfiles(t.Context()); err != nil || len(list) != 2 || list[1].Name != own.Name {
		t.Errorf("%v %v", list, err)
	}
	request := b.mintRequest(to.Recipient().String())
	request.Rows, request.Enroll, request.Profile, request.Algorithm = request.Rows[:2], false, own.Name, pki.RSA2048
	request.Rows[0].EdgeCA = true
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.betweenMintSteps = func(step string) {
		if step == "made" {
			cancel()
		}
	}
	out, err := a.Mint(ctx, request, nil)
	if err == nil && out.Made > 0 {
		t.Fatalf("it was not cancelled before its end: %+v", out)
	}
	a.betweenMintSteps = nil
	if err := a.RemoveProfile(t.Context(), own.Name); err != nil {
		t.Fatal(err)
	}
	if out, err = a.ResumeMint(t.Context(), out.Batch, nil); err != nil || out.Outcome != provisioning.RunSucceeded {
		t.Fatalf("%+v %v", out, err)
	}
	rows, err := a.catalog.Certificates(t.Context(), catalog.CertificateQuery{Roles: []string{string(pki.RoleIdentity), string(pki.RoleEdgeCA)}})
	if err != nil || len(rows) != 3 {
		t.Fatal(len(rows), err)
	}
	for _, row := range rows {
		if row.Algorithm != string(pki.RSA2048) || row.Role == string(pki.RoleIdentity) && row.Profile != own.Name {
			t.Errorf("%s: %s by %s", row.Subject, row.Algorithm, row.Profile)
		}
	}
}

// TestCancelAllStopsABatch: whoever closes the program stops what goes on in it,
// batches too.
func TestCancelAllStopsABatch(t *testing.T) {
	t.Parallel()
	a, b, to := mintApp(t)
	a.betweenMintSteps = func(step string) {
		if step == "synced" {
			a.CancelAll()
		}
	}
	out, err := a.Mint(t.Context(), b.mintRequest(to.Recipient().String()), nil)
	if err != nil || out.Outcome != provisioning.RunCancelled || a.LiveRuns() != 0 {
		t.Errorf("%+v, %d live, %v", out, a.LiveRuns(), err)
	}
}
