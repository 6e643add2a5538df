package provisioning

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// Rotation is what a run changes in place on a device that is provisioned: the
// pair of its identity or of its Edge CA.
type Rotation struct {
	What CertificateRole // RoleIdentity or RoleEdgeCA
	// NewKey asks for a new key; without it the key of the pair in use gets a
	// new certificate.
	NewKey bool
}

// String is how a journal keeps a rotation; ParseRotation reads it.
func (r Rotation) String() string {
	text := "rotate " + string(r.What)
	if r.NewKey {
		text += " new-key"
	}
	return text
}

// ParseRotation reads what String wrote; ok is false for anything else.
func ParseRotation(text string) (rotation Rotation, ok bool) {
	for _, what := range []CertificateRole{RoleIdentity, RoleEdgeCA} {
		for _, newKey := range []bool{false, true} {
			if r := (Rotation{What: what, NewKey: newKey}); r.String() == text {
				return r, true
			}
		}
	}
	return Rotation{}, false
}

// Refuses says why a device of that plan has nothing of the kind to rotate, nil
// if it has.
func (r Rotation) Refuses(plan Plan) error {
	plan = plan.WithDefaults()
	refuse := func(message, hint string) error {
		return &Error{Kind: ErrUnsupported, Message: message, Hint: hint}
	}
	itself := "Shorten its life in the plan and provision again, if it shall be renewed sooner."
	switch {
	case r.What != RoleIdentity && r.What != RoleEdgeCA:
		return &Error{Kind: ErrInvalid, Message: fmt.Sprintf("%q cannot be rotated.", r.What), Hint: "Choose identity or edge-ca."}
	case r.What == RoleEdgeCA && plan.EdgeCA == nil:
		return refuse("The Edge CA of "+plan.Device.ID+" is the runtime's own, which the runtime renews itself.", "Give the device an Edge CA of its own (table edge_ca of the plan) and provision it again.")
	case r.What == RoleEdgeCA && plan.edgeCAByEST():
		return refuse("The Edge CA of "+plan.Device.ID+" comes from an EST server, and the device renews it itself.", itself)
	case r.What == RoleEdgeCA:
		return nil
	case plan.Cell.Authentication == SymmetricKey:
		return refuse(plan.Device.ID+" has a symmetric key and no certificate as its identity.", "Rotate its Edge CA, or provision it with X.509.")
	case plan.Cell.Authentication == TPM:
		return refuse("The identity of "+plan.Device.ID+" is the key inside its TPM, which never changes.", "Rotate its Edge CA.")
	case plan.IssuedOnDevice():
		return refuse("The device "+plan.Device.ID+" obtains its identity certificate and renews it itself.", itself)
	}
	return nil
}

// orders are the pairs that a rotation makes: of a self-signed identity the
// spare ends with it and is made anew as well.
func (r Rotation) orders(plan Plan) []CertificateOrder {
	var orders []CertificateOrder
	for _, order := range plan.orders() {
		if order.Role == r.What || r.What == RoleIdentity && order.Role == RoleSpare {
			orders = append(orders, order)
		}
	}
	return orders
}

// rotationSteps are the steps of a run that rotates.
func (x *Execution) rotationSteps() []Step {
	identity := x.Run.Rotate.What == RoleIdentity
	steps := []Step{lookStep{}, renewStep{}}
	if identity {
		steps = append(steps, secondaryStep{})
	}
	steps = append(steps, filesStep{})
	if x.Machine.Runs() {
		steps = append(steps, freshApplyStep{})
		if identity && x.Run.Plan.Cell.Provisioning == DPS {
			steps = append(steps, againStep{})
		}
	}
	if identity {
		steps = append(steps, namedProofStep{})
	} else {
		steps = append(steps, edgeCAProofStep{})
	}
	return append(steps, retireStep{})
}

// rotated is the part of the journal by which a rotation knows, after a kill
// and for undo, the pairs that were there before and the names of the new ones.
type rotated struct {
	Generation int `json:"generation"`
	// Born tells that the keys are used and made on the device only.
	Born bool                             `json:"born"`
	Old  map[CertificateRole]rotatedFiles `json:"old"`
}

// rotatedFiles are a pair that is to go: its certificate (DER) and its paths.
type rotatedFiles struct {
	Leaf        []byte `json:"leaf"`
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

func (f rotatedFiles) leaf() (*x509.Certificate, error) {
	leaf, err := x509.ParseCertificate(f.Leaf)
	if err != nil {
		return nil, fmt.Errorf("read the former certificate in the journal: %w", err)
	}
	return leaf, nil
}

// rotatedPaths are where the new pair of an order lies. A key that never leaves the
// device stays in its place when it gets another certificate.
func (x *Execution) rotatedPaths(before rotated, role CertificateRole) (certificate, key string) {
	certificate, key = newPaths(x.Run.Plan.Device.ID, role, before.Generation)
	if before.Born && x.keepsKey(before, role) {
		key = before.Old[role].Key
	}
	return certificate, key
}

// keepsKey tells whether the key of a pair gets another certificate. A spare, which
// is found by its name beside the identity, has a new key where the device makes
// keys: it is not in use.
func (x *Execution) keepsKey(before rotated, role CertificateRole) bool {
	_, had := before.Old[role]
	return had && !x.Run.Rotate.NewKey && !(before.Born && role == RoleSpare)
}

// rotatedBefore reads it back from the step that wrote it.
func (x *Execution) rotatedBefore() (rotated, error) {
	var before rotated
	err := x.undoRecord(StepCertificate, &before)
	return before, err
}

// nextGeneration finds names that nothing on the device has yet.
func (x *Execution) nextGeneration(ctx context.Context, current int, orders []CertificateOrder) (int, error) {
	for next := max(current+1, 2); ; next++ {
		free := true
		for _, order := range orders {
			cert, key := newPaths(x.Run.Plan.Device.ID, order.Role, next)
			for _, path := range []string{cert, key} {
				exists, err := x.Machine.Exists(ctx, path)
				if err != nil {
					return 0, fmt.Errorf("look for %s: %w", path, err)
				}
				free = free && !exists
			}
		}
		if free {
			return next, nil
		}
	}
}

// newFiles are the files of a rotation: the new pairs, and a configuration that
// names them and is otherwise as it was.
func (x *Execution) newFiles(before FileState) ([]File, error) {
	var files []File
	changes := edgeconfig.Changes{}
	where := map[Method]string{Manual: "provisioning.authentication", DPS: "provisioning.attestation"}[x.Run.Plan.Cell.Provisioning]
	for _, order := range x.Run.Rotate.orders(x.Run.Plan) {
		pair := x.pairOf(order.Role)
		files = append(files, pairFiles(pair)...)
		switch order.Role {
		case RoleIdentity:
			changes.Set(where+".identity_cert", "file://"+pair.CertificatePath)
			changes.Set(where+".identity_pk", "file://"+pair.KeyPath)
		case RoleEdgeCA:
			changes.Set("edge_ca.cert", "file://"+pair.CertificatePath)
			changes.Set("edge_ca.pk", "file://"+pair.KeyPath)
		}
	}
	config, err := edgeconfig.Apply(before.Data.Reveal(), changes)
	if err != nil {
		return nil, &Error{Kind: ErrInvalid, Message: "The config.toml on the device cannot be changed as it is.",
			Hint: "Mend the line that is named.", Err: err}
	}
	return append(files, File{Path: ConfigPath, Data: secret.New(config), Owner: "root", Group: "root", Mode: 0o600}), nil
}

// hash is how the hub of the plan knows certificates.
func (p Plan) hash() func(*x509.Certificate) string {
	if p.Cell.Provisioning == Manual && p.X509.Thumbprint == ThumbprintSHA1 {
		return pki.SHA1
	}
	return pki.SHA256
}

// known is the one of the thumbprints that names the certificate, "" for none.
func known(thumbprints []string, cert *x509.Certificate) string {
	i := slices.IndexFunc(thumbprints, func(given string) bool {
		return strings.EqualFold(given, pki.SHA256(cert)) || strings.EqualFold(given, pki.SHA1(cert))
	})
	if i < 0 {
		return ""
	}
	return thumbprints[i]
}
