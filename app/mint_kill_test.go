package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// mintJob is a batch of a bench's practice CA, sealed for a recipient.
type mintJob struct{ Recipient string }

// mint is the child: it kills itself at the cut.
func (j job) mint(ctx context.Context) int {
	a, err := j.Bench.open(ctx, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	k := &knife{}
	k.begin(j.Cut)
	a.betweenMintSteps = func(step string) { k.effect("%s", step) }
	out, err := a.Mint(ctx, j.Bench.mintRequest(j.Mint.Recipient), nil)
	if err = errors.Join(err, a.Close()); err != nil || out.Outcome != provisioning.RunSucceeded {
		fmt.Fprintln(os.Stderr, out, err)
		return 1
	}
	return 0
}

// newMintBench is a bench that has the practice CA already.
func newMintBench(ctx context.Context, dir string) (bench, error) {
	b, err := newBench(dir, "manual", false)
	if err != nil {
		return b, err
	}
	a, err := b.open(ctx, nil)
	if err != nil {
		return b, err
	}
	_, err = a.practiceCA(ctx)
	return b, errors.Join(err, a.Close())
}

// TestKilledMintResumes kills a batch at each of its steps. Resumed it ends as one
// that nobody killed, what was finished is as it was, and no key lies anywhere.
func TestKilledMintResumes(t *testing.T) {
	t.Parallel()
	to, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	mint := &mintJob{to.Recipient().String()}
	whole, err := newMintBench(t.Context(), filepath.Join(t.TempDir(), "whole"))
	if err != nil {
		t.Fatal(err)
	}
	effects, _, err := job{Bench: whole, Mint: mint, Cut: -1}.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	whole.checkMinted(t, "unbroken", to)
	kinds := map[string]bool{}
	var cuts []int
	for cut, effect := range effects { // the files of two devices stand for all
		if kind := strings.TrimRight(effect, "3456789"); !kinds[kind] {
			kinds[kind] = true
			cuts = append(cuts, cut)
		}
	}
	if len(cuts) < 8 {
		t.Fatalf("only these effects: %q", effects)
	}
	for _, cut := range cuts {
		t.Run(strings.ReplaceAll(effects[cut], " ", "-"), func(t *testing.T) {
			t.Parallel()
			b, err := newMintBench(t.Context(), filepath.Join(t.TempDir(), "b"))
			if err != nil {
				t.Fatal(err)
			}
			if _, killed, err := (job{Bench: b, Mint: mint, Cut: cut}).start(t.Context()); err != nil || !killed {
				t.Fatalf("killed = %t, %v", killed, err)
			}
			before := b.bundles(t)
			a, err := b.open(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			batches, err := a.MintBatches(t.Context())
			if err != nil || len(batches) != 1 || batches[0].State != string(provisioning.RunRunning) || batches[0].Live {
				t.Fatal(batches, err)
			}
			if err := a.SameMint(t.Context(), batches[0].ID, b.mintRequest(mint.Recipient)); err != nil {
				t.Error(err)
			}
			out, err := a.ResumeMint(t.Context(), batches[0].ID, nil)
			if err != nil || out.Outcome != provisioning.RunSucceeded || out.Made+out.Skipped != 13 || out.Failed != 0 || out.Skipped != batches[0].Finished {
				t.Errorf("%+v %v", out, err)
			}
			again, err := a.ResumeMint(t.Context(), batches[0].ID, nil)
			if err != nil || again.Outcome != provisioning.RunSucceeded || again.Made != 0 || again.Skipped != 13 {
				t.Errorf("a second time: %+v %v", again, err)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			b.checkMinted(t, effects[cut], to)
			after := b.bundles(t)
			for name, was := range before {
				if !bytes.Equal(after[name], was) {
					t.Errorf("%s was there before and is another one", name)
				}
			}
		})
	}
}

// bundles reads the bundles of the folder by name.
func (b bench) bundles(t *testing.T) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	names, _ := filepath.Glob(filepath.Join(b.mintFolder(), "*"+bundle.Extension))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(name)] = data
	}
	return found
}

// checkMinted opens every bundle and compares it with catalog and cloud.
func (b bench) checkMinted(t *testing.T, when string, to age.Identity) {
	t.Helper()
	a, err := b.open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	cloud, release, err := a.cloudOf(t.Context(), provisioning.Plan{Cloud: provisioning.CloudPlan{Name: Practice}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	hunt := &secretHunt{}
	serials, keys := map[string]bool{}, map[string]bool{}
	for _, row := range mintDevices() {
		sealed, err := os.ReadFile(filepath.Join(b.mintFolder(), row.ID+bundle.Extension))
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		opened, err := bundle.Open(sealed, to)
		if err != nil || opened.Device != row.ID || (opened.EdgeCA != nil) != row.EdgeCA {
			t.Fatalf("%s: %+v %v", when, opened, err)
		}
		pairs := []bundle.Pair{opened.Identity}
		if row.EdgeCA {
			pairs = append(pairs, *opened.EdgeCA)
		}
		for _, pair := range pairs {
			content, err := pki.Read(pair.Chain, secret.Value{})
			if err != nil {
				t.Fatal(err)
			}
			leaf := content.Certificates[0]
			kept, err := a.catalog.Certificate(t.Context(), pki.SHA256(leaf))
			if err != nil || kept.DeviceID != row.ID || serials[kept.Serial] {
				t.Errorf("%s: %s in the catalog: %+v %v", when, leaf.Subject.CommonName, kept.State, err)
			}
			serials[kept.Serial] = true
			key, err := pki.ParseKey(pair.Key.Reveal(), secret.Value{})
			if err != nil {
				t.Fatal(err)
			}
			scalar, err := key.(*ecdsa.PrivateKey).Bytes()
			if err != nil || keys[string(scalar)] {
				t.Errorf("%s: the key of %s is another's, %v", when, leaf.Subject.CommonName, err)
			}
			keys[string(scalar)] = true
			if err := hunt.AddKey(row.ID, pair.Key.Reveal()); err != nil {
				t.Fatal(err)
			}
		}
		content, _ := pki.Read(opened.Identity.Chain, secret.Value{})
		found, err := cloud.DPS.Enrollment(t.Context(), row.Group != "", cmp.Or(row.Group, row.ID))
		known := content.Certificates[0]
		if row.Group != "" {
			known = content.Certificates[1]
		}
		if problem := enrollmentProblem(row.ID, found, known); err != nil || problem != "" {
			t.Errorf("%s: enrollment of %s: %s %v", when, row.ID, problem, err)
		}
	}
	rows, err := a.catalog.Certificates(t.Context(), catalog.CertificateQuery{Roles: []string{string(pki.RoleIdentity), string(pki.RoleEdgeCA)}})
	if err != nil || len(rows) != len(serials) {
		t.Errorf("%s: %d certificates in the catalog, %d in bundles, %v", when, len(rows), len(serials), err)
	}
	hunt.below(t, when, b.Dir)
}
