package softtpm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
	"edgewright/provisioning/tpm/softtpm"
)

func key(fill byte) secret.Value {
	return secret.New(bytes.Repeat([]byte{fill}, softtpm.KeySize))
}

// endorsementKey runs the TPM of a state for one reading.
func endorsementKey(t *testing.T, state string, with secret.Value) (string, error) {
	t.Helper()
	process, err := softtpm.Start(t.Context(), state, with)
	if err != nil {
		return "", err
	}
	socket := strings.TrimPrefix(process.Address, "unix:")
	defer func() {
		if err := process.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(socket); err == nil {
			t.Error("the socket outlives its TPM")
		}
	}()
	transport, err := tpm.Open(t.Context(), process.Address)
	if err != nil {
		return "", err
	}
	chip := tpm.New(transport, tpm.Auth{})
	defer chip.Close()
	keys, err := chip.Keys(t.Context())
	return keys.EK.Sum(), err
}

func TestStateIsEncryptedAndStays(t *testing.T) {
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	state := filepath.Join(t.TempDir(), "state")
	first, err := endorsementKey(t, state, key(1))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := endorsementKey(t, state, key(1)); err != nil || again != first {
		t.Errorf("%s became %s: %v", first, again, err)
	}
	if got, err := endorsementKey(t, state, key(2)); err == nil && got == first {
		t.Error("another key opens the state")
	}
	if got, err := endorsementKey(t, state, secret.Value{}); err == nil && got == first {
		t.Error("the state opens without its key")
	}
	if other, err := endorsementKey(t, filepath.Join(t.TempDir(), "state"), key(1)); err != nil || other == first {
		t.Errorf("two TPMs have one key: %v", err)
	}
	if _, err := softtpm.Start(t.Context(), state, secret.FromString("short")); err == nil {
		t.Error("a short key is taken")
	}
}

func TestMissingProgramIsNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := softtpm.Available(); err == nil || !strings.Contains(err.Error(), "swtpm") {
		t.Error(err)
	}
	if _, err := softtpm.Start(t.Context(), t.TempDir(), secret.Value{}); err == nil {
		t.Error("it starts without a program")
	}
}
