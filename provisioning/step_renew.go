package provisioning

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// renewStep makes the pairs that take the place of those on the device.
type renewStep struct{ certificateStep }

func (renewStep) Look(ctx context.Context, x *Execution) (Look, error) {
	if err := x.Run.Rotate.Refuses(x.Run.Plan); err != nil {
		return Look{}, err
	}
	x.pairs = map[CertificateRole]Pair{}
	orders := x.Run.Rotate.orders(x.Run.Plan)
	before, err := x.rotatedBefore()
	if err == nil && len(before.Old) == 0 {
		before, err = x.pairsToGo(ctx, orders)
	}
	if err != nil {
		return Look{}, err
	}
	if _, err := x.obstacle(ctx); err != nil {
		return Look{}, err
	}
	var missing []string
	for _, order := range orders {
		pair, err := x.renewed(ctx, order, before)
		if err != nil {
			return Look{}, err
		}
		x.pairs[order.Role] = pair
		if pair.Leaf() == nil {
			missing = append(missing, order.title())
		}
	}
	look := Look{Done: len(missing) == 0, Summary: "made", Undo: encode(before)}
	if len(missing) > 0 {
		look.Summary = strings.Join(missing, " and ") + " to be made"
	}
	return look, nil
}

// pairsToGo are the pairs in use. The one of the identity or Edge CA has to be
// there; a spare may be missing.
func (x *Execution) pairsToGo(ctx context.Context, orders []CertificateOrder) (rotated, error) {
	born, err := x.keysBorn(ctx)
	if err != nil {
		return rotated{}, err
	}
	before := rotated{Born: born, Old: map[CertificateRole]rotatedFiles{}}
	current := 0
	for _, order := range orders {
		held, found, err := x.readHeld(ctx, order.Role)
		if err != nil {
			return rotated{}, err
		}
		if !found {
			if order.Role == RoleSpare {
				continue
			}
			return rotated{}, &Error{Kind: ErrRefused, Message: "The configuration on the device names no certificate of " + order.title() + " that reads.",
				Hint: "Provision the device again instead."}
		}
		before.Old[order.Role] = rotatedFiles{Leaf: held.Leaf().Raw, Certificate: held.CertificatePath, Key: held.KeyPath}
		current = max(current, generationOf(x.Run.Plan.Device.ID, order.Role, held.CertificatePath))
	}
	next, err := x.nextGeneration(ctx, current, orders)
	before.Generation = next
	return before, err
}

// renewed is the new pair of an order: on the device already, made by this run,
// or in files of this computer. Without any its chain is empty.
func (x *Execution) renewed(ctx context.Context, order CertificateOrder, before rotated) (Pair, error) {
	cert, key := x.rotatedPaths(before, order.Role)
	if x.acted(StepFiles) {
		placed, found, err := x.readPair(ctx, "file://"+cert, "file://"+key)
		if err != nil || found {
			return placed, err
		}
	}
	pair := Pair{CertificatePath: cert, KeyPath: key}
	var from Pair
	var err error
	if files, fromFiles := x.Run.Plan.given(order.Role); fromFiles {
		if from, err = x.Certificates.FromFiles(ctx, files); err != nil {
			return Pair{}, err
		}
		if err := x.checkAnother(ctx, from, order); err != nil {
			return Pair{}, err
		}
	} else {
		from, err = x.Certificates.Made(ctx, x.Run.ID, order.Role)
		if errors.Is(err, ErrNotFound) {
			if !order.SelfSigned {
				err = x.Certificates.Ready(ctx, order.CA, !x.preview)
			} else {
				err = nil
			}
		}
		if err != nil {
			return Pair{}, fmt.Errorf("look for %s: %w", order.title(), err)
		}
	}
	pair.Chain, pair.Key = from.Chain, from.Key
	if pair.Leaf() != nil && pair.Key.IsEmpty() {
		err = x.findBorn(ctx, &pair)
	}
	return pair, err
}

// checkAnother refuses files that are those in use, or could not work.
func (x *Execution) checkAnother(ctx context.Context, given Pair, order CertificateOrder) error {
	held, found, err := x.readHeld(ctx, order.Role)
	if err != nil {
		return err
	}
	if found && held.Leaf().Equal(given.Leaf()) {
		return &Error{Kind: ErrInvalid, Message: "The files of the plan hold the certificate that is in use.",
			Hint: "Put the new certificate and its key there first; the paths stand in the plan."}
	}
	if found && x.Run.Rotate.NewKey && pki.SamePublicKey(held.Leaf().PublicKey, given.Leaf().PublicKey) {
		return &Error{Kind: ErrInvalid, Message: "The files of the plan hold the key that is in use.", Hint: "Put a new key there, or keep the key."}
	}
	return x.checkGiven(given, order)
}

func (renewStep) Do(ctx context.Context, x *Execution) (Result, error) {
	before, err := x.rotatedBefore()
	if err != nil {
		return Result{}, err
	}
	var made []string
	for _, order := range x.Run.Rotate.orders(x.Run.Plan) {
		pair := x.pairOf(order.Role)
		if pair.Leaf() != nil {
			continue
		}
		if order, err = x.keyToRenew(ctx, before, order, &pair); err != nil {
			return Result{}, fmt.Errorf("look for the key of %s: %w", order.title(), err)
		}
		summary, err := x.makePair(ctx, order, pair)
		if err != nil {
			return Result{}, err
		}
		made = append(made, summary)
	}
	return Result{Summary: strings.Join(made, "; ")}, nil
}

// keyToRenew completes an order with the key that gets the new certificate: one
// that the device makes or has, the one of the pair in use, or none, which has a
// new one made on this computer.
func (x *Execution) keyToRenew(ctx context.Context, before rotated, order CertificateOrder, pair *Pair) (CertificateOrder, error) {
	switch keeps := x.keepsKey(before, order.Role); {
	case before.Born && keeps:
		return x.requestBorn(ctx, order, pair, pair.KeyPath)
	case before.Born:
		return x.makeBorn(ctx, order, pair)
	case keeps:
		held, found, err := x.readHeld(ctx, order.Role)
		if err != nil || !found {
			return order, err
		}
		order.Key, err = x.heldKey(ctx, held)
		return order, err
	}
	return order, nil
}

func (s renewStep) Preview(ctx context.Context, x *Execution, p *Preview) error {
	look, err := s.Look(ctx, x)
	var refused *Error
	if errors.As(err, &refused) {
		p.Findings.Add(finding.Error, cmp.Or(refused.Field, string(x.Run.Rotate.What)), refused.Message, refused.Hint)
		x.pairs = nil
		return errPreviewEnds
	}
	if err != nil {
		return err
	}
	var before rotated
	if err := json.Unmarshal(look.Undo, &before); err != nil {
		return fmt.Errorf("look at the pairs in use: %w", err)
	}
	x.keep(StepRecord{Name: StepCertificate, Undo: look.Undo})
	for _, order := range x.Run.Rotate.orders(x.Run.Plan) {
		detail := x.orderDetail(order)
		if x.keepsKey(before, order.Role) {
			detail = "with the key that is in use; " + x.orderKind(order)
		} else {
			detail = "with a new key; " + detail
		}
		p.Certificates = append(p.Certificates, Write{What: order.title(), Action: WriteMake, Detail: detail})
		if old, ok := before.Old[order.Role]; ok {
			leaf, err := old.leaf()
			if err != nil {
				return err
			}
			p.Certificates = append(p.Certificates, Write{What: old.Certificate, Action: WriteRemove,
				Detail: "once the new one is proven; holds until " + leaf.NotAfter.Format("2006-01-02") + ", SHA-256 " + pki.SHA256(leaf)})
		}
	}
	return nil
}
