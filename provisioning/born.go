package provisioning

import (
	"context"
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"fmt"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// The users of the runtime: its certificate service reads certificates, its key
// service keys.
const (
	certificateUser = "aziotcs"
	keyUser         = "aziotks"
)

// keyFile is a private key as it has to lie on a device.
func keyFile(path string) File {
	return File{Path: path, Owner: keyUser, Group: keyUser, Mode: 0o600, Hidden: true}
}

// waitingPath is where a new key lies until its certificate does: a pair whose
// halves do not fit is one that the runtime destroys.
func waitingPath(keyPath string) string { return keyPath + ".new" }

// obstacle says why the device makes and uses no keys, "" where it does.
func (x *Execution) obstacle(ctx context.Context) (string, error) {
	if x.keyObstacle != nil {
		return *x.keyObstacle, nil
	}
	obstacle, err := x.Machine.KeyObstacle(ctx)
	if err != nil {
		return "", fmt.Errorf("look whether the device can make keys: %w", err)
	}
	x.keyObstacle = &obstacle
	return obstacle, nil
}

// keysBorn tells whether the keys of this run are made on the device.
func (x *Execution) keysBorn(ctx context.Context) (bool, error) {
	obstacle, err := x.obstacle(ctx)
	if err != nil {
		return false, err
	}
	if obstacle != "" && x.Run.Plan.X509.Key == KeyOnDevice {
		return false, &Error{Kind: ErrInvalid, Message: "The key cannot be made on the device: " + obstacle + ".", Hint: keyHint}
	}
	return x.keysAreBorn(), nil
}

const keyHint = `Install openssl there, or write key = "workstation".`

// keysAreBorn is keysBorn once that was asked.
func (x *Execution) keysAreBorn() bool {
	return x.keyObstacle != nil && *x.keyObstacle == "" && x.Run.Plan.X509.Key != KeyOnWorkstation
}

// previewKeys says where keys are made, and why not on the device.
func (x *Execution) previewKeys(ctx context.Context, p *Preview) error {
	obstacle, err := x.obstacle(ctx)
	switch {
	case err != nil:
		return err
	case obstacle != "" && x.Run.Plan.X509.Key == KeyOnDevice:
		p.Findings.Add(finding.Error, "x509.key", "The key cannot be made on the device: "+obstacle+".", keyHint)
		return errPreviewEnds
	case obstacle != "" && x.Run.Plan.X509.Key == "" && x.makesKeys():
		p.Findings.Add(finding.Note, "x509.key", "The key is made on this computer and goes to the device: "+obstacle+".", "Nothing has to be done; it is forgotten here once it lies there.")
	case obstacle == "" && x.Run.Plan.X509.Key == KeyOnWorkstation:
		p.Findings.Add(finding.Note, "x509.key", "The key is made on this computer, although the device could make it itself.", `Write key = "device", so that it never leaves the device.`)
	}
	return nil
}

// makesKeys tells whether a pair of the plan is not given by files.
func (x *Execution) makesKeys() bool {
	for _, order := range x.Run.Plan.orders() {
		if _, fromFiles := x.Run.Plan.given(order.Role); !fromFiles {
			return true
		}
	}
	return false
}

// readKey finds the key of a pair on the device: where that can use it, it stays
// there, else it is read. It gives false where there is none.
func (x *Execution) readKey(ctx context.Context, pair *Pair) (bool, error) {
	obstacle, err := x.obstacle(ctx)
	if err != nil {
		return false, err
	}
	if obstacle == "" {
		pair.Signer, err = x.Machine.Signer(ctx, pair.KeyPath)
		switch {
		case errors.Is(err, ErrNotFound):
			return false, nil
		case err != nil && !errors.Is(err, ErrInvalid):
			return false, fmt.Errorf("look at the key %s: %w", pair.KeyPath, err)
		}
		return true, nil
	}
	key, err := x.Machine.Read(ctx, pair.KeyPath)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", pair.KeyPath, err)
	}
	pair.Key = key.Data
	if signer, err := pki.ParseKey(key.Data.Reveal(), secret.Value{}); err == nil {
		pair.Signer = signer
	}
	return key.Exists, nil
}

// heldKey is the key of a pair as it lies on the device, which a rotation from
// this computer gives a second certificate and another name.
func (x *Execution) heldKey(ctx context.Context, pair Pair) (secret.Value, error) {
	if !pair.Key.IsEmpty() {
		return pair.Key, nil
	}
	file, err := x.Machine.Read(ctx, pair.KeyPath)
	if err != nil {
		return secret.Value{}, fmt.Errorf("read %s: %w", pair.KeyPath, err)
	}
	return file.Data, nil
}

// findBorn finds the key of a certificate that this run had made for a key on
// the device. Where it is lost, the certificate is as good as not made.
func (x *Execution) findBorn(ctx context.Context, pair *Pair) error {
	leaf := pair.Leaf()
	found := *pair
	found.KeyPath = waitingPath(pair.KeyPath)
	for _, waiting := range []string{found.KeyPath, ""} {
		if waiting == "" {
			found.KeyPath = pair.KeyPath
		}
		if exists, err := x.readKey(ctx, &found); err != nil {
			return err
		} else if exists && found.Signer != nil && pki.SamePublicKey(found.Signer.Public(), leaf.PublicKey) {
			pair.Signer, pair.Key, pair.Waiting = found.Signer, found.Key, waiting
			return nil
		}
		found.Signer = nil
	}
	pair.Chain = nil
	return nil
}

// makeBorn has the device make the key of an order, and asks for the
// certificate with a request that this key has signed.
func (x *Execution) makeBorn(ctx context.Context, order CertificateOrder, pair *Pair) (CertificateOrder, error) {
	pair.Waiting = waitingPath(pair.KeyPath)
	if err := x.Machine.MakeKey(ctx, x.Run.ID, keyFile(pair.Waiting), order.Algorithm); err != nil {
		return order, err
	}
	return x.requestBorn(ctx, order, pair, pair.Waiting)
}

// requestBorn asks for a certificate for a key that lies on the device, with a
// request that this key signs there.
func (x *Execution) requestBorn(ctx context.Context, order CertificateOrder, pair *Pair, keyPath string) (CertificateOrder, error) {
	key, err := x.Machine.Signer(ctx, keyPath)
	if err != nil {
		return order, err
	}
	pair.Signer, order.Signer = key, key
	if !order.SelfSigned {
		order.Request, err = pki.NewRequest(rand.Reader, pkix.Name{CommonName: order.CommonName}, key)
	}
	return order, err
}
