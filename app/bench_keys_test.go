package app

import (
	"context"
	"crypto"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"edgewright/provisioning"
	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// KeyObstacle: the device has the openssl of this machine.
func (m runtimeMachine) KeyObstacle(context.Context) (string, error) { return "", nil }

// MakeKey makes it with openssl; the folder keeps what was there.
func (m runtimeMachine) MakeKey(ctx context.Context, runID string, file provisioning.File, _ pki.Algorithm) error {
	if fileExists(m.file(file.Path)) {
		return nil
	}
	text, err := exec.CommandContext(ctx, "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256").Output()
	if err != nil {
		return err
	}
	file.Data = secret.New(text)
	_, err = m.Place(ctx, runID, []provisioning.File{file})
	return err
}

func (m runtimeMachine) Signer(_ context.Context, path string) (crypto.Signer, error) {
	text, err := os.ReadFile(m.file(path))
	if os.IsNotExist(err) {
		return nil, provisioning.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return pki.ParseKey(text, secret.Value{})
}

// ReadAs and PublicKeyAs act as the only user there is.
func (m runtimeMachine) ReadAs(_ context.Context, _, path string) ([]byte, error) {
	return os.ReadFile(m.file(path))
}

func (m runtimeMachine) PublicKeyAs(ctx context.Context, _, path string) (crypto.PublicKey, error) {
	key, err := m.Signer(ctx, path)
	if err != nil {
		return nil, err
	}
	return key.Public(), nil
}

// pair reads the certificate and the key that a configuration names.
func (m runtimeMachine) pair(ctx context.Context, named edgeconfig.Certificate) (provisioning.Pair, error) {
	if named.Cert == "" {
		return provisioning.Pair{}, nil
	}
	text, err := m.ReadAs(ctx, "aziotcs", strings.TrimPrefix(named.Cert, "file://"))
	if err != nil {
		return provisioning.Pair{}, err
	}
	content, err := pki.Read(text, secret.Value{})
	if err != nil || len(content.Certificates) == 0 {
		return provisioning.Pair{}, fmt.Errorf("certificate of the device: %w", err)
	}
	key, err := m.Signer(ctx, strings.TrimPrefix(named.Key, "file://"))
	return provisioning.Pair{Chain: content.Certificates, Signer: key}, err
}
