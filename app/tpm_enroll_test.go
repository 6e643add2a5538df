package app

import (
	"bytes"
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"edgewright/provisioning"
)

// fakeEK is an endorsement key that no TPM has.
func fakeEK(n int) []byte {
	modulus := make([]byte, 0, 256)
	for i := range 4 {
		sum := sha512.Sum512(fmt.Appendf(nil, "key %d, part %d", n, i))
		modulus = append(modulus, sum[:]...)
	}
	modulus[0] |= 0x80
	modulus[255] |= 1
	area := tpm2.RSAEKTemplate
	area.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: modulus})
	return tpm2.Marshal(tpm2.New2B(area))
}

// pressKeys are n keys to be enrolled, the first with a device ID of its own.
func pressKeys(n int) []KeyEnrollment {
	keys := make([]KeyEnrollment, n)
	for i := range keys {
		keys[i] = KeyEnrollment{RegistrationID: fmt.Sprintf("press-%03d", i+1), Public: fakeEK(i)}
	}
	keys[0].DeviceID = "press-one"
	return keys
}

// enrolledBefore puts three enrollments into the practice cloud: press-002 as it is to
// be, press-003 with another key and press-004 with a symmetric key.
func enrolledBefore(ctx context.Context, a *App) error {
	service, release, err := a.keyService(ctx, Practice)
	if err != nil {
		return err
	}
	defer release()
	there := pressKeys(3)[1:]
	there[1].Public = fakeEK(1000)
	refused, err := service.EnrollKeys(ctx, there)
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("%v", refused)
	}
	_, err2 := service.CreateEnrollment(ctx, provisioning.Enrollment{Name: "press-004", DeviceID: "press-004", Edge: true, Enabled: true, Authentication: provisioning.SymmetricKey})
	return errors.Join(err, err2)
}

// enroll is the child: it kills itself at the cut.
func (j job) enroll(ctx context.Context) int {
	a, err := j.Bench.open(ctx, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	k := &knife{}
	k.begin(j.Cut)
	a.betweenEnrollSteps = func(step string) { k.effect("%s", step) }
	if j.UndoEnroll {
		var runs []KeyRun
		if runs, err = a.KeyRuns(ctx); err == nil {
			_, err = a.UndoEnroll(ctx, runs[0].ID, nil)
		}
	} else {
		_, err = a.EnrollKeys(ctx, Practice, pressKeys(enrollMany), nil)
	}
	if err = errors.Join(err, a.Close()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// enrollMany are two calls of ten and one of three.
const enrollMany = 23

// checkEnrolled compares the cloud with what a run says.
func checkEnrolled(t *testing.T, a *App, out EnrollOutcome) {
	t.Helper()
	if out.Outcome != provisioning.RunFailed || out.Enrolled != enrollMany-3 || out.Skipped != 1 || len(out.Failed) != 2 || out.Error != nil {
		t.Errorf("%+v", out)
		return
	}
	for i, says := range []string{"with another endorsement key", "attests by symmetric-key"} {
		if failed := out.Failed[i]; failed.ID != fmt.Sprintf("press-%03d", i+3) || failed.Code == 0 || !strings.Contains(failed.Problem, says) {
			t.Errorf("%+v", failed)
		}
	}
	service, release, err := a.keyService(t.Context(), Practice)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for i, key := range pressKeys(enrollMany) {
		if i == 2 || i == 3 {
			continue
		}
		found, err := service.EnrolledKey(t.Context(), key.RegistrationID)
		if err != nil || !bytes.Equal(found.public, key.Public) || !found.edge || !found.enabled || found.device != key.device() {
			t.Errorf("%s: %+v %v", key.RegistrationID, found, err)
		}
	}
}

// TestKilledEnrollResumes kills a bulk enrollment at each of its steps. Resumed it
// ends as one that nobody killed, and undone, also killed, it leaves what was there.
func TestKilledEnrollResumes(t *testing.T) {
	t.Parallel()
	make := func(name string) bench {
		b, err := newBench(filepath.Join(t.TempDir(), name), "manual", false)
		if err != nil {
			t.Fatal(err)
		}
		a, err := b.open(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(enrolledBefore(t.Context(), a), a.Close()); err != nil {
			t.Fatal(err)
		}
		return b
	}
	effects, _, err := job{Bench: make("whole"), Enroll: true, Cut: -1}.start(t.Context())
	if err != nil || len(effects) != 12 {
		t.Fatalf("%q %v", effects, err)
	}
	for _, cut := range []int{0, 1, 2, 3, 6, 10} { // all steps of the first call, and one of each other
		t.Run(fmt.Sprintf("%d-%s", cut, effects[cut]), func(t *testing.T) {
			t.Parallel()
			b := make("b")
			if _, killed, err := (job{Bench: b, Enroll: true, Cut: cut}).start(t.Context()); err != nil || !killed {
				t.Fatal(killed, err)
			}
			a, err := b.open(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			runs, err := a.KeyRuns(t.Context())
			if err != nil || len(runs) != 1 || runs[0].State != "running" || runs[0].Keys != enrollMany {
				t.Fatalf("%+v %v", runs, err)
			}
			if err := a.SameEnroll(t.Context(), runs[0].ID, Practice, pressKeys(enrollMany)); err != nil {
				t.Error(err)
			}
			if err := a.SameEnroll(t.Context(), runs[0].ID, Practice, pressKeys(5)); !errors.Is(err, provisioning.ErrInvalid) {
				t.Errorf("another list: %v", err)
			}
			for range 2 { // the second time nothing changes
				out, err := a.ResumeEnroll(t.Context(), runs[0].ID, nil)
				if err != nil {
					t.Fatal(err)
				}
				checkEnrolled(t, a, out)
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			if cut != 2 {
				return
			}
			if _, killed, err := (job{Bench: b, UndoEnroll: true, Cut: 4}).start(t.Context()); err != nil || !killed {
				t.Fatal(killed, err)
			}
			if a, err = b.open(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Close() }()
			undone, err := a.UndoEnroll(t.Context(), runs[0].ID, nil)
			if err != nil || undone.Outcome != provisioning.RunUndone || len(undone.Left) != 0 {
				t.Errorf("%+v %v", undone, err)
			}
			onlyBefore(t, a)
		})
	}
}

// onlyBefore checks that the cloud has what was there before a run.
func onlyBefore(t *testing.T, a *App) {
	t.Helper()
	service, release, err := a.keyService(t.Context(), Practice)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for _, key := range pressKeys(enrollMany) {
		_, err := service.EnrolledKey(t.Context(), key.RegistrationID)
		there := strings.Contains("press-002 press-003 press-004", key.RegistrationID)
		if there && err != nil || !there && !errors.Is(err, provisioning.ErrNotFound) {
			t.Errorf("%s: %v", key.RegistrationID, err)
		}
	}
}

// usedEnrollments is a DPS with which one device has registered.
type usedEnrollments struct {
	keyEnroller
	id string
}

func (u usedEnrollments) Registration(ctx context.Context, id string) (provisioning.Registration, error) {
	if id == u.id {
		return provisioning.Registration{RegistrationID: id, Status: "assigned"}, nil
	}
	return u.keyEnroller.Registration(ctx, id)
}

func TestUndoLeavesWhatIsInUse(t *testing.T) {
	t.Parallel()
	a := stationApp(t)
	keys := pressKeys(12)
	var states []string
	out, err := a.EnrollKeys(t.Context(), Practice, keys, func(e EnrollEvent) { states = append(states, e.State) })
	if err != nil || out.Outcome != provisioning.RunSucceeded || out.Enrolled != 12 || strings.Join(states, "") != strings.Repeat("enrolled", 12) {
		t.Fatalf("%+v %v %v", out, err, states)
	}
	again, err := a.EnrollKeys(t.Context(), Practice, keys, nil)
	if err != nil || again.Outcome != provisioning.RunSucceeded || again.Skipped != 12 || again.Enrolled != 0 {
		t.Fatalf("%+v %v", again, err)
	}
	if undone, err := a.UndoEnroll(t.Context(), again.Run, nil); err != nil || undone.Removed != 0 || undone.Outcome != provisioning.RunUndone {
		t.Errorf("a run that made nothing: %+v %v", undone, err)
	}
	run, err := a.keyRun(t.Context(), out.Run)
	if err != nil {
		t.Fatal(err)
	}
	k, done, err := a.holdKeyRun(t.Context(), run, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.UndoEnroll(t.Context(), out.Run, nil); !errors.Is(err, provisioning.ErrBusy) {
		t.Errorf("two at once: %v", err)
	}
	k.service = usedEnrollments{k.service, "press-003"}
	undone := EnrollUndone{}
	err = k.undoAll(t.Context(), &undone)
	done()
	if err != nil || undone.Removed != 11 || len(undone.Left) != 1 || undone.Left[0].ID != "press-003" || !strings.Contains(undone.Left[0].Problem, "registered") {
		t.Errorf("%+v %v", undone, err)
	}
	if undone, err := a.UndoEnroll(t.Context(), out.Run, nil); err != nil || undone.Removed != 1 || undone.Outcome != provisioning.RunUndone {
		t.Errorf("%+v %v", undone, err)
	}
	if _, err := a.ResumeEnroll(t.Context(), out.Run, nil); !errors.Is(err, provisioning.ErrRefused) {
		t.Errorf("resumed what is undone: %v", err)
	}
}

func TestCancelledEnrollGoesOn(t *testing.T) {
	t.Parallel()
	a := stationApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	out, err := a.EnrollKeys(ctx, Practice, pressKeys(25), func(e EnrollEvent) {
		if e.Row == 10 {
			cancel()
		}
	})
	if err != nil || out.Outcome != provisioning.RunCancelled || out.Enrolled != 10 {
		t.Fatalf("%+v %v", out, err)
	}
	if out, err = a.ResumeEnroll(t.Context(), out.Run, nil); err != nil || out.Outcome != provisioning.RunSucceeded || out.Enrolled != 25 {
		t.Errorf("%+v %v", out, err)
	}
	for name, err := range map[string]error{
		"no key":   func() error { _, err := a.EnrollKeys(t.Context(), Practice, nil, nil); return err }(),
		"no cloud": func() error { _, err := a.EnrollKeys(t.Context(), "", pressKeys(1), nil); return err }(),
	} {
		if !errors.Is(err, provisioning.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.ResumeEnroll(t.Context(), "e-none", nil); !errors.Is(err, provisioning.ErrNotFound) {
		t.Error(err)
	}
}
