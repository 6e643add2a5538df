package token

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

func TestKeysAreMadeFoundAndSign(t *testing.T) {
	t.Parallel()
	options := newToken(t, "ewca")
	s := open(t, options)
	if info := s.Info(); info.Label != "ewca" || info.Serial == "" || !info.NeedsLogin {
		t.Errorf("%+v", info)
	}
	for _, algorithm := range []pki.Algorithm{pki.P256, pki.P384, pki.RSA2048, pki.RSA3072, pki.RSA4096} {
		made, err := s.MakeKey(t.Context(), algorithm, "CA "+string(algorithm))
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		if made.Address().Object() != "CA "+string(algorithm) || len(made.Address().ID()) != 16 || made.Address().Token() != "ewca" {
			t.Errorf("%s: %s", algorithm, made.Address())
		}
		other := open(t, options)
		found, err := other.Key(t.Context(), made.Address())
		if err != nil || !pki.SamePublicKey(found.Public(), made.Public()) || pki.AlgorithmOf(found.Public()) != algorithm {
			t.Fatalf("%s: found %v, %v", algorithm, found, err)
		}
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			h := hash.New()
			h.Write([]byte("to be signed"))
			opts := []crypto.SignerOpts{hash}
			if strings.HasPrefix(string(algorithm), "rsa") {
				opts = append(opts, &rsa.PSSOptions{Hash: hash, SaltLength: rsa.PSSSaltLengthEqualsHash}, &rsa.PSSOptions{Hash: hash, SaltLength: rsa.PSSSaltLengthAuto})
			}
			for _, opt := range opts {
				// Sign itself checks the signature.
				if signature, err := found.Sign(rand.Reader, h.Sum(nil), opt); err != nil || len(signature) == 0 {
					t.Errorf("%s with %s: %v", algorithm, hash, err)
				}
			}
		}
	}
	if _, err := s.MakeKey(t.Context(), pki.P256, "CA p256"); !errors.Is(err, ErrExists) {
		t.Errorf("a second key of the name: %v", err)
	}
	if _, err := s.MakeKey(t.Context(), "p521", "x"); !errors.Is(err, ErrUnsupported) {
		t.Errorf("another curve: %v", err)
	}
}

func TestSignTakesDigestsOnly(t *testing.T) {
	t.Parallel()
	key, err := open(t, newToken(t, "ewca")).MakeKey(t.Context(), pki.P256, "ca")
	if err != nil {
		t.Fatal(err)
	}
	long := sha512.Sum512(nil)
	for name, c := range map[string]struct {
		digest []byte
		opts   crypto.SignerOpts
	}{"no hash": {[]byte("text"), crypto.Hash(0)}, "length": {long[:], crypto.SHA256}, "MD5": {long[:16], crypto.MD5}, "SHA-1": {long[:20], crypto.SHA1}} {
		if _, err := key.Sign(rand.Reader, c.digest, c.opts); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeyStaysInToken asks the token's own tool.
func TestKeyStaysInToken(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pkcs11-tool"); err != nil {
		t.Skip("needs pkcs11-tool")
	}
	options := newToken(t, "ewca")
	if _, err := open(t, options).MakeKey(t.Context(), pki.P384, "ca"); err != nil {
		t.Fatal(err)
	}
	tool := exec.Command("pkcs11-tool", "--module", softHSM, "--token-label", "ewca", "--login", "--pin", rightPIN, "--list-objects", "--type", "privkey")
	tool.Env = append(os.Environ(), options.Command[1])
	out, err := tool.CombinedOutput()
	for _, word := range []string{"sensitive", "always sensitive", "never extract", "local", "Usage:      sign\n"} {
		if err != nil || !strings.Contains(string(out), word) {
			t.Errorf("%s is missing (%v) in\n%s", word, err, out)
		}
	}
}

func TestTokensAndKeysThatAreNotThere(t *testing.T) {
	t.Parallel()
	options := newToken(t, "ewca")
	s := open(t, options)
	made, err := s.MakeKey(t.Context(), pki.P256, "ca")
	if err != nil {
		t.Fatal(err)
	}
	for text, kind := range map[string]error{
		"pkcs11:token=other":                 ErrNotFound,
		"pkcs11:token=ewca;serial=1":         ErrNotFound,
		"pkcs11:token=ewca;model=x":          ErrNotFound,
		"pkcs11:library-version=0.1":         ErrNotFound,
		"pkcs11:slot-id=77":                  ErrNotFound,
		"pkcs11:slot-description=SoftHSM%20": ErrNotFound,
	} {
		o := options
		o.Address = address(t, text+"?module-path="+softHSM)
		if _, err := logIn(t.Context(), o); !errors.Is(err, kind) || !strings.Contains(err.Error(), `"ewca"`) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, kind := range map[string]error{"pkcs11:object=other": ErrNotFound, "pkcs11:object=ca;id=%01": ErrNotFound, "pkcs11:token=ewca": ErrURI} {
		if _, err := s.Key(t.Context(), address(t, text)); !errors.Is(err, kind) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := s.Key(t.Context(), address(t, "pkcs11:").WithKey("", made.Address().ID())); err != nil {
		t.Errorf("by ID: %v", err)
	}
	for text, kind := range map[string]error{"module-path=/nowhere/x.so": ErrModule, "module-name=nowhere-x": ErrModule, "module-path=/etc/passwd": ErrModule, "": ErrURI} {
		o := options
		o.Address = address(t, "pkcs11:token=ewca?module-name=x")
		o.Address.moduleName = ""
		if text != "" {
			o.Address = address(t, "pkcs11:token=ewca?"+text)
		}
		if _, err := logIn(t.Context(), o); !errors.Is(err, kind) {
			t.Errorf("%s: %v", text, err)
		}
	}
	o := options
	o.Address = address(t, "pkcs11:token=ewca?module-name=softhsm2")
	open(t, o)
	o.Command = []string{"/nowhere/edgewright"}
	if _, err := logIn(t.Context(), o); !errors.Is(err, ErrModule) {
		t.Errorf("no helper: %v", err)
	}
}

// TestPINIsTriedOnce counts logins in the module itself.
func TestPINIsTriedOnce(t *testing.T) {
	t.Parallel()
	logins := t.TempDir() + "/logins"
	options := shim(t, newToken(t, "ewca"), 9, `-DLOGINS="`+logins+`"`)
	var asked []Question
	options.PIN = func(_ context.Context, q Question) (secret.Value, error) {
		asked = append(asked, q)
		return secret.FromString("97531-wrong"), nil
	}
	_, err := logIn(t.Context(), options)
	if !errors.Is(err, ErrPIN) || strings.Contains(err.Error(), "97531") {
		t.Errorf("wrong PIN: %v", err)
	}
	if tried, _ := os.ReadFile(logins); bytes.Count(tried, []byte("login")) != 1 || len(asked) != 1 || asked[0].Token.Label != "ewca" || asked[0].Again {
		t.Errorf("tried %q, asked %+v", tried, asked)
	}
	options.PIN = nil
	if _, err := logIn(t.Context(), options); !errors.Is(err, ErrNoPIN) {
		t.Errorf("nobody to ask: %v", err)
	}
	options.PIN = gives("")
	if _, err := logIn(t.Context(), options); !errors.Is(err, ErrNoPIN) {
		t.Errorf("empty: %v", err)
	}
	options.PIN = func(context.Context, Question) (secret.Value, error) { return secret.Value{}, context.Canceled }
	if _, err := logIn(t.Context(), options); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if tried, _ := os.ReadFile(logins); bytes.Count(tried, []byte("login")) != 1 {
		t.Errorf("tried %q", tried)
	}
}

func TestModulesThatCrashHangAndLie(t *testing.T) {
	t.Parallel()
	options := newToken(t, "ewca")
	made, err := open(t, options).MakeKey(t.Context(), pki.P256, "ca")
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	for name, c := range map[string]struct {
		fault int
		kind  error
	}{
		"crash": {1, ErrCrashed}, "hang": {2, ErrHung}, "wrong signature": {3, ErrLied}, "endless output": {4, ErrLied}, "output like answers": {5, nil},
		"locked": {6, ErrLocked}, "crash while loading": {7, ErrCrashed}, "pulled out": {10, ErrRemoved}, "child keeps the output": {11, ErrHung},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := shim(t, options, c.fault)
			if c.kind == ErrHung {
				o.CallTime = soon
			}
			s, err := logIn(t.Context(), o)
			var key *Key
			if err == nil {
				defer s.Close()
				if key, err = s.Key(t.Context(), made.Address()); err == nil {
					_, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
				}
			}
			if !errors.Is(err, c.kind) {
				t.Fatalf("%v, want %v", err, c.kind)
			}
			if ends := c.kind != nil && c.fault != 3; ends && key != nil {
				if _, again := key.Sign(rand.Reader, digest[:], crypto.SHA256); !errors.Is(again, c.kind) || s.Alive() {
					t.Errorf("the next call: %v", again)
				}
			}
		})
	}
	t.Run("public key of nobody", func(t *testing.T) {
		t.Parallel()
		s := open(t, shim(t, options, 8))
		// A point that is not on the curve is no key at all.
		if _, err := s.Key(t.Context(), made.Address()); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%v", err)
		}
	})
}

func TestSessionIsSharedAndClosed(t *testing.T) {
	t.Parallel()
	s := open(t, newToken(t, "ewca"))
	key, err := s.MakeKey(t.Context(), pki.P256, "ca")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			digest := sha256.Sum256([]byte{byte(i)})
			if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Key(cancelled, key.Address()); !errors.Is(err, context.Canceled) || !s.Alive() {
		t.Errorf("cancelled before: %v", err)
	}
	s.Close()
	s.Close()
	digest := sha256.Sum256(nil)
	if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); !errors.Is(err, ErrRefused) {
		t.Errorf("closed: %v", err)
	}
}

// TestPINIsNowhereButInTheRequest looks at what other processes of the user can
// see while a session is open.
func TestPINIsNowhereButInTheRequest(t *testing.T) {
	t.Parallel()
	s := open(t, newToken(t, "ewca"))
	for _, name := range []string{"cmdline", "environ"} {
		seen, err := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/" + name)
		if err != nil {
			t.Skip("needs /proc")
		}
		if bytes.Contains(seen, []byte(rightPIN)) {
			t.Errorf("the PIN is in %s", name)
		}
	}
}

// TestKeysThatWantThePINEachTime has a key of the token's own tool.
func TestKeysThatWantThePINEachTime(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pkcs11-tool"); err != nil {
		t.Skip("needs pkcs11-tool")
	}
	options := newToken(t, "ewca")
	tool := exec.Command("pkcs11-tool", "--module", softHSM, "--token-label", "ewca", "--login", "--pin", rightPIN, "--keypairgen", "--key-type", "EC:secp256r1",
		"--label", "careful", "--id", "01", "--always-auth", "--usage-sign")
	tool.Env = append(os.Environ(), options.Command[1])
	if out, err := tool.CombinedOutput(); err != nil {
		t.Fatalf("pkcs11-tool: %v\n%s", err, out)
	}
	logins := t.TempDir() + "/logins"
	s := open(t, shim(t, options, 9, `-DLOGINS="`+logins+`"`))
	key, err := s.Key(t.Context(), address(t, "pkcs11:object=careful;id=%01"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		digest := sha256.Sum256([]byte{byte(i)})
		if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	if tried, _ := os.ReadFile(logins); bytes.Count(tried, []byte("login")) != 4 {
		t.Errorf("logged in %q, want once for the session and once for each signature", tried)
	}
}
