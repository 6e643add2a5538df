package provisioning

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// checkOnDevice looks at certificates and keys on the device as the users of the
// runtime's services do, before these see them: an identity that they cannot
// read they replace, file and all.
func (x *Execution) checkOnDevice(ctx context.Context) error {
	orders := x.Run.Plan.orders()
	if x.Run.Rotate != nil {
		orders = x.Run.Rotate.orders(x.Run.Plan)
	}
	for _, order := range orders {
		if err := x.checkPair(ctx, x.pairOf(order.Role), order); err != nil {
			return err
		}
	}
	if err := x.checkEST(ctx); err != nil {
		return err
	}
	bundle := ""
	switch {
	case len(x.Run.Plan.TrustBundle.Certificates) > 0:
		bundle = BundlePath
	case x.reaches():
		bundle = TrustPath
	default:
		return nil
	}
	return x.checkCertificates(ctx, bundle, "Put the trust bundle there as PEM, or let the run place it.")
}

// checkEST checks what the device brings along to an EST server.
func (x *Execution) checkEST(ctx context.Context) error {
	if x.Run.Rotate != nil {
		return nil
	}
	access := x.est.access
	if len(access.Trust) > 0 {
		if err := x.checkCertificates(ctx, estTrustPath, "Provision the device again."); err != nil {
			return err
		}
	}
	if leaf := access.Bootstrap.Leaf(); leaf != nil {
		return x.checkPair(ctx, access.Bootstrap, CertificateOrder{Role: roleBootstrap, CommonName: leaf.Subject.CommonName})
	}
	return nil
}

// checkCertificates checks a file of certificates that certd hands on.
func (x *Execution) checkCertificates(ctx context.Context, path, hint string) error {
	text, err := x.Machine.ReadAs(ctx, certificateUser, path)
	if err != nil {
		return unreadable(certificateUser, path, err)
	}
	if content, err := pki.Read(text, secret.Value{}); err != nil || len(content.Certificates) == 0 {
		return refusedFile(path, "it holds no certificate that reads", hint)
	}
	return nil
}

// checkPair checks one pair: readable, whole, in order, in time, for this
// device, and halves of one pair.
func (x *Execution) checkPair(ctx context.Context, pair Pair, order CertificateOrder) error {
	text, err := x.Machine.ReadAs(ctx, certificateUser, pair.CertificatePath)
	if err != nil {
		return unreadable(certificateUser, pair.CertificatePath, err)
	}
	content, err := pki.Read(text, secret.Value{})
	if err != nil || len(content.Certificates) == 0 {
		return refusedFile(pair.CertificatePath, "it holds no certificate that reads", "Provision the device again.")
	}
	chain := content.Certificates
	if name := chain[0].Subject.CommonName; name != order.CommonName {
		return refusedFile(pair.CertificatePath, fmt.Sprintf("the certificate in it is for %s, not for %s", name, order.CommonName), "Put the device's own certificate first in the file.")
	}
	for _, f := range pki.Verify(order.Role.purpose(), chain, nil, x.Now()) {
		if f.Level == finding.Error {
			return &Error{Kind: ErrRefused, Message: pair.CertificatePath + ": " + f.Problem, Hint: f.Fix}
		}
	}
	public, err := x.Machine.PublicKeyAs(ctx, keyUser, pair.KeyPath)
	switch {
	case errors.Is(err, ErrInvalid):
		return refusedFile(pair.KeyPath, "it holds no unencrypted private key that reads", "Provision the device again; the runtime would overwrite this file.")
	case err != nil:
		return unreadable(keyUser, pair.KeyPath, err)
	case !pki.SamePublicKey(public, chain[0].PublicKey):
		return refusedFile(pair.KeyPath, "the key does not belong to the certificate in "+pair.CertificatePath, "Provision the device again, so that both are made anew.")
	}
	return nil
}

// refusedFile stops a run for a file on the device.
func refusedFile(path, problem, hint string) error {
	return &Error{Kind: ErrRefused, Message: fmt.Sprintf("%s on the device cannot be used: %s.", path, problem), Hint: hint + " Nothing was applied."}
}

// unreadable stops a run for a file that a user of the runtime cannot read;
// other failures stay what they are.
func unreadable(user, path string, err error) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return refusedFile(path, "it is not there", "Try again, which places it.")
	case errors.Is(err, fs.ErrPermission):
		return refusedFile(path, "the user "+user+" cannot read it", fmt.Sprintf("Let %s own the file and open every folder above it (chmod o+x, or its owner).", user))
	}
	return fmt.Errorf("read %s as %s: %w", path, user, err)
}
