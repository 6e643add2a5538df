package app

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/pki/token"
	"edgewright/provisioning/secret"
)

// tokenArgument makes the test program the process of a token's module.
const tokenArgument = "serve-token"

// person answers questions for PINs and remembers them.
type person struct {
	mu    sync.Mutex
	pin   string
	asked []PINQuestion
}

func (p *person) ask(_ context.Context, q PINQuestion) (secret.Value, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, q)
	return secret.FromString(p.pin), nil
}

func (p *person) takes(pin string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pin, p.asked = pin, nil
}

// newTokenApp opens a data folder beside a SoftHSM token whose PIN is 1234.
func newTokenApp(t *testing.T) (*App, *person, token.URI) {
	t.Helper()
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		t.Skip("needs softhsm2-util")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(config, []byte("directories.tokendir = "+dir+"\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	make := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "ewca", "--pin", "1234", "--so-pin", "so-pin-4321")
	make.Env = append(os.Environ(), "SOFTHSM2_CONF="+config)
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	asked := &person{pin: "1234"}
	a, err := New(t.Context(), Config{DataDir: filepath.Join(dir, "data"), StateDir: filepath.Join(dir, "state"), AskPIN: asked.ask,
		TokenHelper: []string{"env", "SOFTHSM2_CONF=" + config, os.Args[0], tokenArgument}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	address, err := token.ParseURI("pkcs11:token=ewca?module-path=/usr/lib/softhsm/libsofthsm2.so")
	if err != nil {
		t.Fatal(err)
	}
	return a, asked, address
}

// TestOnePINIsAskedForAllWhoWait has the runs of a batch want a token at once.
func TestOnePINIsAskedForAllWhoWait(t *testing.T) {
	t.Parallel()
	a, asked, address := newTokenApp(t)
	// wave wants the token six times, each before any of them has tried.
	wave := func() (sessions []*token.Session, failed int) {
		seen := a.tokens.refused.Load()
		var mu sync.Mutex
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() {
				session, err := a.tokenSince(t.Context(), address, seen)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failed++
					if view := provisioning.View(err); !errors.Is(err, token.ErrPIN) || view.Kind != "unauthorized" {
						t.Errorf("%+v", view)
					}
					return
				}
				sessions = append(sessions, session)
			})
		}
		group.Wait()
		return sessions, failed
	}
	asked.takes("97531")
	if _, failed := wave(); failed != 6 || len(asked.asked) != 1 || asked.asked[0].Again {
		t.Errorf("a wrong PIN: %d failed, asked %+v", failed, asked.asked)
	}
	asked.takes("1234")
	sessions, failed := wave()
	if failed != 0 || len(asked.asked) != 1 || !asked.asked[0].Again || asked.asked[0].Token != "ewca" || asked.asked[0].Serial == "" {
		t.Errorf("the right PIN: %d failed, asked %+v", failed, asked.asked)
	}
	for _, session := range sessions {
		if session != sessions[0] {
			t.Error("the token was opened twice")
		}
	}
	asked.takes("1234")
	if again, err := a.tokenSession(t.Context(), address); err != nil || again != sessions[0] || len(asked.asked) != 0 {
		t.Errorf("an open token: %v, asked %+v", err, asked.asked)
	}
	// The token is pulled out: the next one who wants it is asked anew.
	sessions[0].Close()
	if again, err := a.tokenSession(t.Context(), address); err != nil || again == sessions[0] || len(asked.asked) != 1 || asked.asked[0].Again {
		t.Errorf("opened anew: %v, asked %+v", err, asked.asked)
	}
}

// A token that is named in several ways is one token: its PIN is asked for once,
// a wrong one counts once, and whoever comes while a person is typing waits for
// that.
func TestOnePINForAllAddresses(t *testing.T) {
	t.Parallel()
	a, asked, byLabel := newTokenApp(t)
	session, err := a.tokenSession(t.Context(), byLabel)
	if err != nil {
		t.Fatal(err)
	}
	serial := session.Info().Serial
	bySerial, err := token.ParseURI("pkcs11:serial=" + serial + "?module-path=/usr/lib/softhsm/libsofthsm2.so")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := a.tokenSession(t.Context(), bySerial); err != nil || again != session || len(asked.asked) != 1 {
		t.Errorf("by its serial number: %v, asked %+v", err, asked.asked)
	}
	session.Close() // the token is pulled out

	entered, typed := make(chan struct{}), make(chan struct{})
	a.config.AskPIN = func(ctx context.Context, q PINQuestion) (secret.Value, error) {
		if pin, err := asked.ask(ctx, q); len(asked.asked) > 1 {
			return pin, err
		}
		close(entered)
		<-typed
		return secret.FromString("97531"), nil
	}
	asked.takes("1234")
	var group sync.WaitGroup
	open := func(address token.URI) {
		group.Go(func() {
			if _, err := a.tokenSession(t.Context(), address); !errors.Is(err, token.ErrPIN) {
				t.Errorf("%s with a wrong PIN: %v", address, err)
			}
		})
	}
	open(byLabel)
	<-entered
	open(byLabel)
	open(bySerial)
	slots := func() (n int) { // that somebody waits in or has been through
		a.tokens.mu.Lock()
		defer a.tokens.mu.Unlock()
		for _, slot := range a.tokens.slots {
			if !slot.mu.TryLock() {
				n++
			} else {
				slot.mu.Unlock()
			}
		}
		return n
	}
	for slots() < 3 { // both addresses and the token itself
		runtime.Gosched()
	}
	close(typed)
	group.Wait()
	if len(asked.asked) != 1 {
		t.Errorf("a wrong PIN was asked for %d times", len(asked.asked))
	}
	for _, address := range []token.URI{byLabel, bySerial} {
		if _, err := a.tokenSession(t.Context(), address); err != nil {
			t.Errorf("%s with the right PIN: %v", address, err)
		}
	}
	if len(asked.asked) != 2 || !asked.asked[1].Again {
		t.Errorf("asked %+v", asked.asked)
	}
}

func TestTokenWithAnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	a, _, address := newTokenApp(t)
	session, err := a.tokenSession(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	var keys []*token.Key
	for _, name := range []string{"one", "two"} {
		key, err := session.MakeKey(t.Context(), pki.P256, name)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if _, err := a.signsAs(t.Context(), tokenPlace(keys[0]), keys[0].Public()); err != nil {
		t.Error(err)
	}
	if _, err := a.signsAs(t.Context(), tokenPlace(keys[0]), keys[1].Public()); !errors.Is(err, provisioning.ErrConflict) {
		t.Errorf("another key: %v", err)
	}
}

// TestTokenIsLookedAt: a form can open a token before anything is made, learns
// which key is there, and offers the tokens that keys of the catalog are in.
func TestTokenIsLookedAt(t *testing.T) {
	t.Parallel()
	a, asked, address := newTokenApp(t)
	place, err := TokenKeyPlace("token:"+address.String(), "root")
	if err != nil {
		t.Fatal(err)
	}
	asked.takes("97531")
	if _, err := a.LookAtToken(t.Context(), place); !errors.Is(err, provisioning.ErrUnauthorized) {
		t.Errorf("a wrong PIN: %v", err)
	}
	asked.takes("1234")
	state, err := a.LookAtToken(t.Context(), place)
	if err != nil || state.Name != "ewca" || state.Serial == "" || !state.CountLow || state.Key != "" {
		t.Errorf("%+v %v", state, err)
	}
	if known, err := a.KnownTokens(t.Context()); err != nil || len(known) != 0 {
		t.Errorf("%v %v", known, err)
	}
	if _, err := a.MakeCertificate(t.Context(), NewCertificate{Profile: "root CA", CommonName: "Token Root", Key: place}); err != nil {
		t.Fatal(err)
	}
	if state, err = a.LookAtToken(t.Context(), place); err != nil || state.Key != pki.P384 {
		t.Errorf("%+v %v", state, err)
	}
	known, err := a.KnownTokens(t.Context())
	if err != nil || len(known) != 1 || known[0].Name != "ewca" {
		t.Fatalf("%v %v", known, err)
	}
	if again, err := TokenKeyPlace(known[0].Address, "root"); err != nil || !strings.Contains(again, "serial=") || !strings.Contains(again, ";object=root;") {
		t.Errorf("%s %v", again, err)
	}
	if _, err := TokenKeyPlace("nonsense", ""); err == nil || provisioning.View(err).Hint == "" {
		t.Errorf("nonsense: %v", err)
	}
	if _, err := a.LookAtToken(t.Context(), "token:pkcs11:token=nobody?module-path=/usr/lib/softhsm/libsofthsm2.so"); !errors.Is(err, provisioning.ErrNotFound) {
		t.Errorf("a token that is not there: %v", err)
	}
}
