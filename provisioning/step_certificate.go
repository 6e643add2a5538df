package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// certificateStep makes the pairs that go to the device. What lies on the
// device and fits stays.
type certificateStep struct{}

// certificateUndo says whether keys were to be made on the device.
type certificateUndo struct {
	Born bool `json:"born"`
}

func (certificateStep) Name() string { return StepCertificate }

func (certificateStep) Look(ctx context.Context, x *Execution) (Look, error) {
	x.pairs = map[CertificateRole]Pair{}
	if err := x.lookAtEST(ctx); err != nil {
		return Look{}, err
	}
	born, err := x.keysBorn(ctx)
	if err != nil {
		return Look{}, err
	}
	made, missing := 0, []string{}
	for _, order := range x.Run.Plan.orders() {
		pair, ours, err := x.findPair(ctx, order)
		if err != nil {
			return Look{}, err
		}
		x.pairs[order.Role] = pair
		switch {
		case pair.Leaf() == nil:
			// Before anything is touched.
			if !order.SelfSigned {
				if err := x.Certificates.Ready(ctx, order.CA, !x.preview); err != nil {
					return Look{}, err
				}
			}
			missing = append(missing, order.title())
		case ours:
			made++
		}
	}
	switch {
	case len(missing) > 0:
		return Look{Summary: strings.Join(missing, " and ") + " to be made", Undo: encode(certificateUndo{Born: born})}, nil
	case made > 0:
		return Look{Done: true, Summary: "made"}, nil
	}
	return Look{Done: true, Summary: x.pairsSummary()}, nil
}

// pairsSummary says where pairs that were not made come from.
func (x *Execution) pairsSummary() string {
	switch plan := x.Run.Plan; {
	case plan.Cell.Authentication == X509 && plan.X509.Source == SourceFiles:
		return "from files"
	case len(plan.orders()) == 0:
		return "the device obtains them itself"
	}
	return summaryFound
}

func (o CertificateOrder) title() string {
	switch o.Role {
	case RoleSpare:
		return "a spare certificate"
	case RoleEdgeCA:
		return "Edge CA " + o.CommonName
	case RoleLocalCA:
		return "the device's own CA " + o.CommonName
	}
	return "certificate " + o.CommonName
}

// findPair finds the pair of an order: made by this run, on the device, or in
// files of this computer. Without any, the chain is empty and the paths are
// those where it will lie.
func (x *Execution) findPair(ctx context.Context, order CertificateOrder) (pair Pair, ours bool, err error) {
	held, found, err := x.readHeld(ctx, order.Role)
	if err != nil {
		return Pair{}, false, err
	}
	if found {
		problem, err := x.fits(ctx, held, order)
		if err != nil {
			return Pair{}, false, fmt.Errorf("look at %s: %w", held.CertificatePath, err)
		}
		if problem == "" {
			return held, x.acted(StepCertificate), nil
		}
		x.log(StepCertificate, "%s on the device is replaced: %s", held.CertificatePath, problem)
	}
	pair.CertificatePath, pair.KeyPath = newPaths(x.Run.Plan.Device.ID, order.Role, x.sameGeneration(order.Role, held))
	if files, fromFiles := x.Run.Plan.given(order.Role); fromFiles {
		given, err := x.Certificates.FromFiles(ctx, files)
		if err != nil {
			return Pair{}, false, err
		}
		pair.Chain, pair.Key = given.Chain, given.Key
		return pair, false, x.checkGiven(pair, order)
	}
	made, err := x.Certificates.Made(ctx, x.Run.ID, order.Role)
	if errors.Is(err, ErrNotFound) {
		return pair, true, nil
	}
	if err != nil {
		return Pair{}, false, fmt.Errorf("look for %s: %w", order.title(), err)
	}
	pair.Chain, pair.Key = made.Chain, made.Key
	if made.Key.IsEmpty() {
		err = x.findBorn(ctx, &pair)
	}
	return pair, true, err
}

// sameGeneration is that of the pair which is replaced; a spare lies beside its
// identity.
func (x *Execution) sameGeneration(role CertificateRole, held Pair) int {
	if role == RoleSpare {
		role, held = RoleIdentity, x.pairOf(RoleIdentity)
	}
	return generationOf(x.Run.Plan.Device.ID, role, held.CertificatePath)
}

// checkGiven refuses files that could not work.
func (x *Execution) checkGiven(pair Pair, order CertificateOrder) error {
	problem := x.judge(pair, order)
	if name := pair.Leaf().Subject.CommonName; problem == "" && name != order.CommonName {
		problem = fmt.Sprintf("The certificate is for %s, not for %s.", name, order.CommonName)
	}
	if problem == "" {
		return nil
	}
	return &Error{Kind: ErrInvalid, Message: problem, Hint: "Choose the certificate of this device, with the certificates above it in the same file."}
}

func (certificateStep) Do(ctx context.Context, x *Execution) (Result, error) {
	born, err := x.keysBorn(ctx)
	if err != nil {
		return Result{}, err
	}
	var made []string
	for _, order := range x.Run.Plan.orders() {
		pair := x.pairOf(order.Role)
		if pair.Leaf() != nil {
			continue
		}
		if born {
			if order, err = x.makeBorn(ctx, order, &pair); err != nil {
				return Result{}, fmt.Errorf("make the key of %s on the device: %w", order.title(), err)
			}
		}
		summary, err := x.makePair(ctx, order, pair)
		if err != nil {
			return Result{}, err
		}
		made = append(made, summary)
	}
	return Result{Summary: strings.Join(made, "; ")}, nil
}

// makePair has a certificate made and keeps it as the pair of its role, in the
// place that pair names; it tells what it is and how long it holds.
func (x *Execution) makePair(ctx context.Context, order CertificateOrder, pair Pair) (summary string, err error) {
	fresh, err := x.Certificates.Make(ctx, x.Run.ID, order)
	if err != nil {
		return "", fmt.Errorf("make %s: %w", order.title(), err)
	}
	pair.Chain, pair.Key = fresh.Chain, fresh.Key
	x.pairs[order.Role] = pair
	return fmt.Sprintf("%s until %s", order.title(), fresh.Leaf().NotAfter.Format("2006-01-02")), nil
}

// Undo leaves the certificates listed, as revoked. A key that was born on the
// device and did not get into its place goes with what else the run kept there.
func (certificateStep) Undo(ctx context.Context, x *Execution, record json.RawMessage) (Undone, error) {
	var undo certificateUndo
	if err := json.Unmarshal(record, &undo); err != nil {
		return Undone{}, fmt.Errorf("read undo record: %w", err)
	}
	if undo.Born {
		if err := x.Machine.PutBack(ctx, x.Run.ID); err != nil {
			return Undone{}, fmt.Errorf("remove new keys from the device: %w", err)
		}
	}
	if err := x.Certificates.Revoke(ctx, x.Run.ID); err != nil {
		return Undone{}, fmt.Errorf("list the certificates as revoked: %w", err)
	}
	return Undone{Summary: "certificates listed as revoked"}, nil
}

func (s certificateStep) Preview(ctx context.Context, x *Execution, p *Preview) error {
	if err := x.previewKeys(ctx, p); err != nil {
		return err
	}
	_, err := s.Look(ctx, x)
	var refused *Error
	if errors.As(err, &refused) && (errors.Is(err, ErrInvalid) || errors.Is(err, ErrNotFound)) {
		field := "x509"
		var named *fieldError
		if errors.As(err, &named) {
			field = named.field
		}
		p.Findings.Add(finding.Error, field, refused.Message, refused.Hint)
		x.pairs = nil
		return errPreviewEnds
	}
	if err != nil {
		return err
	}
	for _, order := range x.Run.Plan.orders() {
		pair := x.pairOf(order.Role)
		write := Write{What: order.title(), Action: WriteMake, Detail: x.orderDetail(order)}
		if leaf := pair.Leaf(); leaf != nil {
			write.Action, write.Detail = WriteKeep, "holds until "+leaf.NotAfter.Format("2006-01-02")+", SHA-256 "+pki.SHA256(leaf)
		}
		p.Certificates = append(p.Certificates, write)
	}
	writes, err := x.issuedPreview(ctx)
	if err != nil {
		return err
	}
	p.Certificates = append(p.Certificates, writes...)
	if plan := x.Run.Plan; plan.EdgeCA == nil {
		p.Findings.Add(finding.Note, "edge_ca", "The runtime makes its own Edge CA, which is not for production.", "Give a device that stays an Edge CA of its own (table edge_ca).")
	}
	return nil
}

// orderKind says what is ordered, orderDetail also where its key is made.
func (x *Execution) orderKind(o CertificateOrder) string {
	by := "signed by itself"
	if !o.SelfSigned {
		by = "signed by " + o.CA
		if o.CA == "" {
			by = "signed by the practice CA"
		}
	}
	return fmt.Sprintf("%s, %s", o.Algorithm, by)
}

func (x *Execution) orderDetail(o CertificateOrder) string {
	where := "the key is made here and goes to the device over standard input"
	if x.keysAreBorn() {
		where = "the key is made on the device and never leaves it"
	}
	return x.orderKind(o) + "; " + where
}
