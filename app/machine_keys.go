package app

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/target"
)

func (m *machine) Exists(ctx context.Context, name string) (bool, error) {
	root, err := m.elevated(ctx)
	if err != nil {
		return false, err
	}
	_, err = root.Stat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, translate(err)
}

// KeyObstacle looks for the openssl that makes keys.
func (m *machine) KeyObstacle(ctx context.Context) (string, error) {
	if !m.target.CanRun() {
		return "nothing runs on a root file system", nil
	}
	_, exit, err := m.target.Output(ctx, "openssl", "version")
	switch {
	case err != nil:
		return "", translate(err)
	case exit == 127:
		return "it has no openssl", nil
	case exit != 0:
		return "its openssl does not run", nil
	}
	return "", nil
}

func (m *machine) MakeKey(ctx context.Context, runID string, file provisioning.File, algorithm pki.Algorithm) error {
	root, err := m.elevated(ctx)
	if err != nil {
		return err
	}
	set := fileSet(m.mark(runID), []provisioning.File{file})
	set.Files[0].Make = target.KeyAlgorithm(algorithm)
	_, err = root.Place(ctx, set)
	return translate(err)
}

func (m *machine) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	root, err := m.elevated(ctx)
	if err != nil {
		return nil, err
	}
	public, err := publicKey(root.PublicKey(ctx, "root", name))
	if err != nil {
		return nil, err
	}
	return &remoteKey{ctx: ctx, root: root, path: name, public: public}, nil
}

func (m *machine) ReadAs(ctx context.Context, user, name string) ([]byte, error) {
	root, err := m.elevated(ctx)
	if err != nil {
		return nil, err
	}
	data, err := root.ReadAs(ctx, user, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(provisioning.ErrNotFound, err)
	}
	return data, translate(err)
}

func (m *machine) MayUse(ctx context.Context, user, node string) error {
	root, err := m.elevated(ctx)
	if err != nil {
		return err
	}
	err = root.MayUse(ctx, user, node)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(provisioning.ErrNotFound, err)
	}
	if errors.Is(err, fs.ErrPermission) {
		return err
	}
	return translate(err)
}

// PublicKeyAs has the key read on the device. Without openssl there, it comes
// here, as it had come from here.
func (m *machine) PublicKeyAs(ctx context.Context, user, name string) (crypto.PublicKey, error) {
	obstacle, err := m.KeyObstacle(ctx)
	if err != nil {
		return nil, err
	}
	if obstacle == "" {
		root, err := m.elevated(ctx)
		if err != nil {
			return nil, err
		}
		return publicKey(root.PublicKey(ctx, user, name))
	}
	text, err := m.ReadAs(ctx, user, name)
	if err != nil {
		return nil, err
	}
	key, err := pki.ParseKey(text, secret.Value{})
	clear(text)
	if err != nil {
		return nil, errors.Join(provisioning.ErrInvalid, err)
	}
	return key.Public(), nil
}

// publicKey reads what a Root answered. Whatever else openssl says of a key
// means that it is none, or encrypted.
func publicKey(der []byte, err error) (crypto.PublicKey, error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.Join(provisioning.ErrNotFound, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, context.Canceled), errors.Is(err, target.ErrUnknownResult), errors.Is(err, target.ErrUnreachable), errors.Is(err, target.ErrPath):
		return nil, translate(err)
	case err != nil:
		return nil, errors.Join(provisioning.ErrInvalid, err)
	}
	return x509.ParsePKIXPublicKey(der)
}

// remoteKey is a private key on a device: each signature is made there. It is
// for one run and lives as long as that run's context, which a signer is not
// given with each call.
type remoteKey struct {
	ctx    context.Context
	root   target.Root
	path   string
	public crypto.PublicKey
}

// Public gives a key of the kinds *ecdsa.PublicKey or *rsa.PublicKey.
func (k *remoteKey) Public() crypto.PublicKey { return k.public }

// Sign does what TLS 1.2, TLS 1.3 and certificate requests ask for: ECDSA, RSA
// with PKCS #1 v1.5, and RSA-PSS with a salt as long as the hash. random is not
// used: the device has its own.
func (k *remoteKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	hash := strings.ReplaceAll(strings.ToLower(opts.HashFunc().String()), "-", "")
	_, isRSA := k.public.(*rsa.PublicKey)
	pss, isPSS := opts.(*rsa.PSSOptions)
	if isPSS && pss.SaltLength != rsa.PSSSaltLengthEqualsHash && pss.SaltLength != opts.HashFunc().Size() {
		return nil, fmt.Errorf("sign with %s: a salt of %d bytes is not made", k.path, pss.SaltLength)
	}
	signature, err := k.root.Sign(k.ctx, k.path, target.Signing{Hash: hash, Digest: digest, RSA: isRSA, PSS: isPSS})
	return signature, translate(err)
}
