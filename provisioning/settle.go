package provisioning

import (
	"context"
	"crypto/x509"
	"fmt"
)

// settleKeys says where keys are now that the files lie on the device: those that
// this run made are forgotten here, of those that came in files it is noted.
func (x *Execution) settleKeys(ctx context.Context) error {
	if x.acted(StepCertificate) {
		if err := x.Certificates.Settle(ctx, x.Run.ID); err != nil {
			return fmt.Errorf("forget the keys that lie on the device now: %w", err)
		}
	}
	for _, order := range x.Run.Plan.orders() {
		leaf := x.pairOf(order.Role).Leaf()
		if _, fromFiles := x.Run.Plan.given(order.Role); !fromFiles || leaf == nil {
			continue
		}
		if err := x.Certificates.KeyOnDevice(ctx, leaf, true); err != nil {
			return fmt.Errorf("note where the key of %s is: %w", order.title(), err)
		}
	}
	return nil
}

// givenOnDevice are the certificates that came in files and lie on the device. What
// does not read is none: an undo goes on without.
func (x *Execution) givenOnDevice(ctx context.Context) map[CertificateRole]*x509.Certificate {
	held := map[CertificateRole]*x509.Certificate{}
	for _, order := range x.Run.Plan.orders() {
		if _, fromFiles := x.Run.Plan.given(order.Role); !fromFiles {
			continue
		}
		if pair, found, err := x.readHeld(ctx, order.Role); err == nil && found {
			held[order.Role] = pair.Leaf()
		}
	}
	return held
}

// unsettleKeys notes which of the certificates have left the device with their
// keys.
func (x *Execution) unsettleKeys(ctx context.Context, had map[CertificateRole]*x509.Certificate) error {
	if len(had) == 0 {
		return nil
	}
	has := x.givenOnDevice(ctx)
	for role, cert := range had {
		if still := has[role]; still != nil && still.Equal(cert) {
			continue
		}
		if err := x.Certificates.KeyOnDevice(ctx, cert, false); err != nil {
			return fmt.Errorf("note where the key of %s is: %w", cert.Subject.CommonName, err)
		}
	}
	return nil
}
