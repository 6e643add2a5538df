package token

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/secret"
)

// helperArgument makes the test program the process of a module.
const helperArgument = "serve-token"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == helperArgument {
		if err := Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

// rightPIN is a PIN that would be seen wherever it leaks.
const rightPIN = "86420-right"

// newToken makes a SoftHSM token in a folder of its own and gives the options
// that open it.
func newToken(t *testing.T, label string) Options {
	t.Helper()
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		t.Skip("needs softhsm2-util")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(config, []byte("directories.tokendir = "+dir+"\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", rightPIN, "--so-pin", "so-pin-4321")
	run.Env = append(os.Environ(), "SOFTHSM2_CONF="+config)
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	return Options{Address: address(t, "pkcs11:token="+label+"?module-path="+softHSM), PIN: gives(rightPIN),
		Command: []string{"env", "SOFTHSM2_CONF=" + config, os.Args[0], helperArgument}}
}

func gives(pin string) func(context.Context, Question) (secret.Value, error) {
	return func(context.Context, Question) (secret.Value, error) { return secret.FromString(pin), nil }
}

func address(t *testing.T, text string) URI {
	t.Helper()
	u, err := ParseURI(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func open(t *testing.T, options Options) *Session {
	t.Helper()
	s, err := logIn(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// shim compiles SoftHSM with a fault and puts it into the address.
func shim(t *testing.T, options Options, fault int, defines ...string) Options {
	t.Helper()
	compiler, err := exec.LookPath("clang")
	if err != nil {
		t.Skip("needs clang")
	}
	headers, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/miekg/pkcs11").Output()
	if err != nil {
		t.Skip("needs go, to find the headers of PKCS #11")
	}
	file := filepath.Join(t.TempDir(), "shim.so")
	args := append([]string{"-shared", "-fPIC", "-w", "-o", file, "-I", strings.TrimSpace(string(headers)), "-DFAULT=" + strconv.Itoa(fault),
		`-DSOFTHSM="` + softHSM + `"`, "testdata/shim.c"}, defines...)
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		t.Fatalf("clang: %v\n%s", err, out)
	}
	options.Address.modulePath = file
	return options
}

// soon is long enough for any answer of SoftHSM on a busy machine, and short
// for a test that waits for it to run out.
const soon = 2 * time.Second

// logIn finds a token and opens its keys.
func logIn(ctx context.Context, options Options) (*Session, error) {
	s, err := Find(ctx, options)
	if err == nil {
		err = s.LogIn(ctx, false)
	}
	return s, err
}
