package vault

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"edgewright/provisioning/secret"
)

// shared is a memory store for several vaults at once.
type shared struct {
	mu sync.Mutex
	m  memory
}

func (s *shared) Load(ctx context.Context, name string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.Load(ctx, name)
}
func (s *shared) Save(ctx context.Context, name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.Save(ctx, name, data)
}
func (s *shared) Swap(ctx context.Context, name string, before, after []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.Swap(ctx, name, before, after)
}
func (s *shared) Delete(ctx context.Context, name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.Delete(ctx, name)
}
func (s *shared) Names(ctx context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m.Names(ctx)
}

// sharedRing is a ring for several vaults at once.
type sharedRing struct {
	mu sync.Mutex
	r  ring
}

func (s *sharedRing) Get(ctx context.Context, id string) (secret.Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Get(ctx, id)
}
func (s *sharedRing) Set(ctx context.Context, id string, key secret.Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Set(ctx, id, key)
}
func (s *sharedRing) Delete(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Delete(ctx, id)
}

func TestLookingWritesNothing(t *testing.T) {
	state, keys := t.TempDir(), ring{}
	for name, o := range map[string]Options{
		"nothing":    {Keyring: ring(nil)},
		"store":      {Keyring: keys},
		"passphrase": {Keyring: keys, PassphraseFile: file(t, "words", 0o600)},
	} {
		store := memory{}
		o.Store, o.StateDir = store, state
		v := openVault(t, o)
		if v.PracticeOnly() != (name == "nothing") {
			t.Errorf("%s: practice only is %v", name, v.PracticeOnly())
		}
		if _, err := v.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
		if entries, err := os.ReadDir(state); err != nil || len(entries)+len(store)+len(keys) != 0 {
			t.Errorf("%s: made %v, %d records, %d keys, %v", name, entries, len(store), len(keys), err)
		}
	}
}

func TestAPassphraseThatWasGivenStaysOutOfTheStore(t *testing.T) {
	keys, store := ring{}, memory{}
	o := Options{Store: store, Keyring: keys, PassphraseFile: file(t, "words", 0o600)}
	v := openVault(t, o)
	if err := v.Put(t.Context(), "a", User, hush); err != nil {
		t.Fatal(err)
	}
	if len(keys) != 0 || !v.HasPassphrase() {
		t.Errorf("%d keys in the store", len(keys))
	}
	o.PassphraseFile = ""
	later := openVault(t, o)
	if _, err := later.Get(t.Context(), "a"); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "made with a passphrase") {
		t.Errorf("without it: %v", err)
	}
}

func TestSeveralMakeOneVault(t *testing.T) {
	for name, o := range map[string]Options{
		"store":      {Keyring: &sharedRing{r: ring{}}},
		"passphrase": {Keyring: ring(nil), PassphraseFile: file(t, "words", 0o600)},
	} {
		store := &shared{m: memory{}}
		o.Store, o.StateDir = store, t.TempDir()
		var vaults []*Vault
		for range 4 {
			vaults = append(vaults, openVault(t, o))
		}
		var all sync.WaitGroup
		for i, v := range vaults {
			all.Go(func() {
				if err := v.Put(t.Context(), string(rune('a'+i)), User, hush); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		all.Wait()
		last := openVault(t, o)
		for i := range vaults {
			if got, err := last.Get(t.Context(), string(rune('a'+i))); err != nil || !got.Equal(hush) {
				t.Errorf("%s: secret %d: %v", name, i, err)
			}
		}
		if keys, ok := o.Keyring.(*sharedRing); ok && len(keys.r) != 1 {
			t.Errorf("%d keys are left in the store", len(keys.r))
		}
	}
}

func TestLockAndUnlock(t *testing.T) {
	o := Options{Store: memory{}, Keyring: ring{}, StateDir: t.TempDir()}
	v := openVault(t, o)
	if err := v.Put(t.Context(), "a", User, hush); err != nil {
		t.Fatal(err)
	}
	v.Lock()
	if _, err := v.Get(t.Context(), "a"); !errors.Is(err, ErrLocked) || !v.PracticeOnly() {
		t.Errorf("locked: %v", err)
	}
	for _, kind := range []Kind{User, Practice} {
		if err := v.Put(t.Context(), "b", kind, hush); !errors.Is(err, ErrLocked) {
			t.Errorf("%s while locked: %v", kind, err)
		}
	}
	if err := v.SetPassphrase(t.Context(), hush); !errors.Is(err, ErrLocked) {
		t.Errorf("passphrase while locked: %v", err)
	}
	if err := v.Unlock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Get(t.Context(), "a"); err != nil || !got.Equal(hush) {
		t.Errorf("unlocked: %v", err)
	}
	empty := openVault(t, Options{Store: memory{}, Keyring: ring(nil)})
	if err := empty.Unlock(t.Context()); !errors.Is(err, ErrLocked) {
		t.Errorf("nothing to unlock with: %v", err)
	}
}

func TestLockWhileInUse(t *testing.T) {
	v := openVault(t, Options{Store: &shared{m: memory{}}, Keyring: &sharedRing{r: ring{}}})
	sealer := v.Sealer("s", User)
	if _, err := sealer.Seal("r", hush.Reveal()); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				sealed, err := sealer.Seal("r", hush.Reveal())
				if err != nil {
					if !errors.Is(err, ErrLocked) {
						t.Error(err)
					}
					continue
				}
				// Whatever was sealed opens, so no cleared key was used.
				if err := v.Unlock(t.Context()); err != nil {
					t.Error(err)
				}
				if plain, err := sealer.Open("r", sealed); err == nil && !bytes.Equal(plain, hush.Reveal()) || err != nil && !errors.Is(err, ErrLocked) {
					t.Errorf("%q %v", plain, err)
				}
			}
		})
	}
	all.Go(func() {
		for range 50 {
			v.Lock()
			_ = v.Unlock(t.Context())
		}
	})
	all.Wait()
}

func TestAQuestionHoldsUpNobodyElse(t *testing.T) {
	asked, answer := make(chan bool), make(chan secret.Value)
	v := openVault(t, Options{Store: &shared{m: memory{}}, Keyring: ring(nil), StateDir: t.TempDir(), Ask: func(context.Context, bool) (secret.Value, error) {
		asked <- true
		return <-answer, nil
	}})
	done := make(chan error)
	go func() { done <- v.Put(t.Context(), "a", User, hush) }()
	<-asked
	if !v.PracticeOnly() || v.HasPassphrase() {
		t.Error("open before the answer")
	}
	if err := v.Put(t.Context(), "p", Practice, hush); err != nil {
		t.Errorf("a practice secret meanwhile: %v", err)
	}
	answer <- secret.FromString("words")
	if err := <-done; err != nil || v.PracticeOnly() {
		t.Errorf("after the answer: %v", err)
	}
}

func TestNoAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		words string
		err   error
		want  error
	}{"nothing": {"", nil, ErrLocked}, "cancelled": {"", context.Canceled, context.Canceled}} {
		store := memory{}
		v := openVault(t, Options{Store: store, Keyring: ring(nil), Ask: func(context.Context, bool) (secret.Value, error) {
			return secret.FromString(row.words), row.err
		}})
		if err := v.Put(t.Context(), "a", User, hush); !errors.Is(err, row.want) || len(store) != 0 {
			t.Errorf("%s: %v, %d records", name, err, len(store))
		}
	}
}

func TestAnswersThatAreWrong(t *testing.T) {
	o := Options{Store: memory{}, Keyring: ring(nil), PassphraseFile: file(t, "words", 0o600)}
	if err := openVault(t, o).Put(t.Context(), "a", User, hush); err != nil {
		t.Fatal(err)
	}
	answers := []string{"swords", "words"}
	o.PassphraseFile = ""
	o.Ask = func(_ context.Context, isNew bool) (secret.Value, error) {
		if isNew {
			t.Error("it is not new")
		}
		next := answers[0]
		answers = answers[1:]
		return secret.FromString(next), nil
	}
	v := openVault(t, o)
	if _, err := v.Get(t.Context(), "a"); !errors.Is(err, ErrWrongPassphrase) || strings.Contains(err.Error(), "swords") {
		t.Errorf("wrong: %v", err)
	}
	if got, err := v.Get(t.Context(), "a"); err != nil || !got.Equal(hush) {
		t.Errorf("right: %v", err)
	}
}

func TestThePassphraseChangesUnderAnotherProcess(t *testing.T) {
	o := Options{Store: memory{}, Keyring: ring{}, StateDir: t.TempDir()}
	one := openVault(t, o)
	if err := one.Put(t.Context(), "a", User, hush); err != nil {
		t.Fatal(err)
	}
	two := openVault(t, o)
	for _, v := range []*Vault{one, two, one} {
		if err := v.SetPassphrase(t.Context(), secret.FromString("last")); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.SetPassphrase(t.Context(), secret.Value{}); err == nil {
		t.Error("an empty passphrase was set")
	}
	o.Keyring, o.PassphraseFile = ring(nil), file(t, "last", 0o600)
	if got, err := openVault(t, o).Get(t.Context(), "a"); err != nil || !got.Equal(hush) {
		t.Errorf("by the passphrase: %v", err)
	}
}
