package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/pki"
)

// childVariable makes the test program the child of a test: its value is a
// job as JSON.
const childVariable = "EDGEWRIGHT_TEST_CHILD"

func TestMain(m *testing.M) {
	// The credential store of whoever runs the tests is none of their business.
	_ = os.Unsetenv("DBUS_SESSION_BUS_ADDRESS")
	_ = os.Unsetenv("XDG_RUNTIME_DIR")
	if len(os.Args) == 2 && os.Args[1] == tokenArgument {
		if err := ServeTokenHelper(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if text := os.Getenv(childVariable); text != "" {
		_ = os.Unsetenv(childVariable)
		var j job
		if err := json.Unmarshal([]byte(text), &j); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(j.main())
	}
	os.Exit(m.Run())
}

// job is what a child does to a bench: provision, undo or rotate what it
// provisioned, mint, or enrol endorsement keys.
type job struct {
	Bench bench
	Undo  bool
	// Mint makes a batch of devices instead.
	Mint *mintJob
	// Enroll enrols endorsement keys instead, UndoEnroll takes them back.
	Enroll, UndoEnroll bool
	// Rotate is what the child rotates on the bench that it provisioned first.
	Rotate string
	// Cut is the effect just before which the child kills itself, counted from
	// the begin of the run, of the undo or of the rotation; -1 for none.
	Cut int
}

// start runs the child to its end, which is by SIGKILL if it comes to Cut, and
// gives the effects that it had.
func (j job) start(ctx context.Context) (effects []string, killed bool, err error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, false, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, false, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	var errText bytes.Buffer
	cmd.Stderr = &errText
	out, err := cmd.Output()
	for scanner := bufio.NewScanner(bytes.NewReader(out)); scanner.Scan(); {
		effects = append(effects, scanner.Text())
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 && ctx.Err() == nil {
		return effects, true, nil
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, errText.String())
	}
	return effects, false, err
}

// main is the child.
func (j job) main() int {
	ctx := context.Background()
	if j.Mint != nil {
		return j.mint(ctx)
	}
	if j.Enroll || j.UndoEnroll {
		return j.enroll(ctx)
	}
	k := &knife{cut: -1}
	if !j.Undo && j.Rotate == "" {
		k = &knife{cut: j.Cut, on: true}
	}
	a, err := j.Bench.open(ctx, k)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	out := a.Provision(ctx, j.Bench.request(), nil)
	if j.Rotate != "" {
		request, err := a.RotationRequest(ctx, Rotation{Device: benchDevice, What: j.Rotate, NewKey: true})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		k.begin(j.Cut)
		out = a.Provision(ctx, request, nil)
	}
	if j.Undo {
		k.begin(j.Cut)
		undone, _, err := a.Undo(ctx, out.Run, Access{}, nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		out = undone[0]
	}
	k.effect("end")
	if err := a.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if out.Error != nil {
		fmt.Fprintf(os.Stderr, "%+v\n", *out.Error)
		return 1
	}
	return 0
}

// knife counts effects and kills the process just before one of them, which is
// just after the one before: what lies between changes nothing outside.
type knife struct {
	mu   sync.Mutex
	on   bool
	seen int
	cut  int
}

func (k *knife) begin(cut int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.on, k.seen, k.cut = true, 0, cut
}

func (k *knife) effect(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.on {
		return
	}
	if k.seen == k.cut {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		fmt.Fprintln(os.Stderr, "cannot kill myself:", err)
		select {} // until the signal arrives
	}
	k.seen++
	fmt.Println(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
}

// wrap puts the knife before every effect that a run has outside its process.
func (k *knife) wrap(p provisioning.Ports) provisioning.Ports {
	p.Journal = cutJournal{p.Journal, k}
	p.Locks = cutLocks{p.Locks, k}
	p.Machine = cutMachine{p.Machine, k}
	p.Player = cutPlayer{p.Player, k}
	p.Cloud.HubCAs, p.Cloud.DPSCAs = cutCAs{p.Cloud.HubCAs, k}, cutCAs{p.Cloud.DPSCAs, k}
	p.EST = cutEST{p.EST, k}
	p.Cloud.Hub = cutHub{p.Cloud.Hub, k}
	p.Cloud.DPS = cutDPS{p.Cloud.DPS, k}
	return p
}

type cutJournal struct {
	provisioning.Journal
	k *knife
}

func (j cutJournal) SaveRun(ctx context.Context, run provisioning.Run) error {
	j.k.effect("journal: run %s", run.State)
	return j.Journal.SaveRun(ctx, run)
}

func (j cutJournal) SaveStep(ctx context.Context, id string, step provisioning.StepRecord) error {
	j.k.effect("journal: %s %s", step.Name, step.State)
	return j.Journal.SaveStep(ctx, id, step)
}

type cutLocks struct {
	provisioning.Locks
	k *knife
}

func (l cutLocks) Acquire(ctx context.Context, key, id string) error {
	l.k.effect("lock %s", key)
	return l.Locks.Acquire(ctx, key, id)
}

func (l cutLocks) Release(ctx context.Context, key, id string) error {
	l.k.effect("release %s", key)
	return l.Locks.Release(ctx, key, id)
}

func (l cutLocks) Wait(ctx context.Context, key, id string, waiting func()) (func(), error) {
	l.k.effect("wait for %s", key)
	release, err := l.Locks.Wait(ctx, key, id, waiting)
	return func() {
		l.k.effect("give up %s", key)
		release()
	}, err
}

type cutMachine struct {
	provisioning.Machine
	k *knife
}

func (m cutMachine) Place(ctx context.Context, id string, files []provisioning.File) (provisioning.Placed, error) {
	m.k.effect("place")
	return m.Machine.Place(ctx, id, files)
}

func (m cutMachine) MakeKey(ctx context.Context, id string, file provisioning.File, algorithm pki.Algorithm) error {
	m.k.effect("make key")
	return m.Machine.MakeKey(ctx, id, file, algorithm)
}

func (m cutMachine) PutBack(ctx context.Context, id string) error {
	m.k.effect("put back")
	return m.Machine.PutBack(ctx, id)
}

func (m cutMachine) Act(ctx context.Context, action provisioning.Action, line func(string)) (provisioning.Output, error) {
	m.k.effect("act: %s", action)
	return m.Machine.Act(ctx, action, line)
}

func (m cutMachine) Lock(ctx context.Context, id string, expiry time.Time) error {
	m.k.effect("lock device")
	return m.Machine.Lock(ctx, id, expiry)
}

func (m cutMachine) Unlock(ctx context.Context, id string) error {
	m.k.effect("unlock device")
	return m.Machine.Unlock(ctx, id)
}

type cutCAs struct {
	provisioning.Onboarder
	k *knife
}

func (c cutCAs) UploadCA(ctx context.Context, name string, cert *x509.Certificate) (provisioning.UploadedCA, error) {
	c.k.effect("cloud: upload CA")
	return c.Onboarder.UploadCA(ctx, name, cert)
}

func (c cutCAs) CACode(ctx context.Context, name, etag string) (provisioning.UploadedCA, error) {
	c.k.effect("cloud: make verification code")
	return c.Onboarder.CACode(ctx, name, etag)
}

func (c cutCAs) VerifyCA(ctx context.Context, name, etag string, proof *x509.Certificate) (provisioning.UploadedCA, error) {
	c.k.effect("cloud: verify CA")
	return c.Onboarder.VerifyCA(ctx, name, etag, proof)
}

func (c cutCAs) DeleteCA(ctx context.Context, name, etag string) error {
	c.k.effect("cloud: delete CA")
	return c.Onboarder.DeleteCA(ctx, name, etag)
}

type cutEST struct {
	provisioning.ESTServers
	k *knife
}

func (e cutEST) Enroll(ctx context.Context, server provisioning.ESTAccess, order provisioning.ESTOrder) (provisioning.Pair, error) {
	e.k.effect("enrol %s", order.CommonName)
	return e.ESTServers.Enroll(ctx, server, order)
}

type cutPlayer struct {
	provisioning.Player
	k *knife
}

// Register has an instant of its own where the cloud has taken the
// registration and asks the device to come again.
func (p cutPlayer) Register(ctx context.Context, c provisioning.Credentials, wait func(time.Duration)) (provisioning.Registration, error) {
	p.k.effect("register")
	return p.Player.Register(ctx, c, func(d time.Duration) {
		p.k.effect("registering")
		wait(d)
	})
}

func (p cutPlayer) Connect(ctx context.Context, hub, id string, c provisioning.Credentials) error {
	p.k.effect("connect")
	return p.Player.Connect(ctx, hub, id, c)
}

type cutHub struct {
	provisioning.Registry
	k *knife
}

func (h cutHub) CreateIdentity(ctx context.Context, identity provisioning.Identity) (provisioning.Identity, error) {
	h.k.effect("cloud: create device")
	return h.Registry.CreateIdentity(ctx, identity)
}

func (h cutHub) DeleteIdentity(ctx context.Context, id string) error {
	h.k.effect("cloud: delete device")
	return h.Registry.DeleteIdentity(ctx, id)
}

func (h cutHub) SetThumbprints(ctx context.Context, id, primary, secondary string) error {
	h.k.effect("cloud: set thumbprints")
	return h.Registry.SetThumbprints(ctx, id, primary, secondary)
}

func (h cutHub) SetTags(ctx context.Context, id string, tags map[string]any) error {
	h.k.effect("cloud: set tags")
	return h.Registry.SetTags(ctx, id, tags)
}

type cutDPS struct {
	provisioning.Enroller
	k *knife
}

func (d cutDPS) CreateEnrollment(ctx context.Context, e provisioning.Enrollment) (provisioning.Enrollment, error) {
	d.k.effect("cloud: create enrollment")
	return d.Enroller.CreateEnrollment(ctx, e)
}

func (d cutDPS) DeleteEnrollment(ctx context.Context, group bool, name string) error {
	d.k.effect("cloud: delete enrollment")
	return d.Enroller.DeleteEnrollment(ctx, group, name)
}

func (d cutDPS) SetCertificates(ctx context.Context, name string, primary, secondary *x509.Certificate) error {
	d.k.effect("cloud: set certificates")
	return d.Enroller.SetCertificates(ctx, name, primary, secondary)
}

func (d cutDPS) DeleteRegistration(ctx context.Context, id string) error {
	d.k.effect("cloud: delete registration")
	return d.Enroller.DeleteRegistration(ctx, id)
}
