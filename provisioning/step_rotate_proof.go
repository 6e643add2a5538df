package provisioning

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"edgewright/provisioning/pki"
)

// freshApplyStep applies the new configuration. The proof counts from here:
// what the cloud saw before was the old pair.
type freshApplyStep struct{ applyStep }

func (s freshApplyStep) Do(ctx context.Context, x *Execution) (Result, error) {
	now, err := x.cloudNow(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("ask the cloud for its time: %w", err)
	}
	x.Run.CloudStart = now
	if err := x.Journal.SaveRun(ctx, *x.Run); err != nil {
		return Result{}, fmt.Errorf("write the journal: %w", err)
	}
	return s.applyStep.Do(ctx, x)
}

func (freshApplyStep) Preview(_ context.Context, x *Execution, p *Preview) error {
	p.Actions = append(p.Actions, "iotedge config apply, which restarts the services and with them the modules")
	if x.Run.Rotate.What == RoleIdentity && x.Run.Plan.Cell.Provisioning == DPS {
		p.Actions = append(p.Actions, "iotedge system reprovision, with the new certificate")
	}
	return nil
}

// againStep makes the runtime register with its new certificate: DPS writes
// that into the hub.
type againStep struct{ reprovisionStep }

func (againStep) Look(_ context.Context, x *Execution) (Look, error) {
	if x.record(StepReprovision).State == StepDone && !x.takenUp {
		return Look{Done: true, Summary: "registered anew"}, nil
	}
	return Look{Summary: "the runtime registered with its old certificate", Undo: json.RawMessage(`{}`)}, nil
}

// namedProofStep proves an identity: beyond the proof of every run the hub
// names the new certificate, and lets it in.
type namedProofStep struct{ proofStep }

func (s namedProofStep) Do(ctx context.Context, x *Execution) (Result, error) {
	result, err := s.proofStep.Do(ctx, x)
	if err != nil {
		return result, err
	}
	if x.Machine.Runs() {
		if err := x.connectAsHeld(ctx, nil); err != nil {
			return result, fmt.Errorf("connect with the new certificate: %w", err)
		}
	}
	leaf := x.pairOf(RoleIdentity).Leaf()
	named, err := x.hubNames(ctx, leaf)
	if err != nil {
		x.Run.Outcome.Proof.Cloud = false
		return result, err
	}
	result.Summary += named
	return result, nil
}

// hubNames tells whether the hub knows the device by the certificate; named is
// for a person, and empty where it knows devices by their CA.
func (x *Execution) hubNames(ctx context.Context, leaf *x509.Certificate) (named string, err error) {
	if x.Cloud.Hub == nil {
		return "", nil
	}
	found, err := x.Cloud.Hub.Identity(ctx, x.Run.Plan.Device.ID)
	if err != nil {
		return "", fmt.Errorf("ask the hub for %s: %w", x.Run.Plan.Device.ID, err)
	}
	if found.Authentication != authSelfSigned {
		return "", nil
	}
	// With DPS it is DPS that writes the primary one, from what the device showed.
	known := known(found.Thumbprints, leaf)
	if known == "" || x.Run.Plan.Cell.Provisioning == DPS && !strings.EqualFold(known, found.Thumbprints[0]) {
		return "", unseen("The hub does not name the new certificate of " + x.Run.Plan.Device.ID + ".")
	}
	return "; the hub names " + known, nil
}

// edgeCAProofStep proves an Edge CA: its pair is whole on the device, and a TLS
// handshake with edgeHub shows the new chain.
type edgeCAProofStep struct{ proofStep }

func (s edgeCAProofStep) Do(ctx context.Context, x *Execution) (Result, error) {
	proof := &x.Run.Outcome.Proof
	*proof = Proof{How: ProofNone, Rehearsal: x.Cloud.Practice}
	if x.Run.RegistrationID() == "" { // made from an endorsement key, which a rotation does not read
		held, err := x.heldCredentials(ctx)
		if err != nil {
			return Result{}, err
		}
		x.Run.Registration = held.RegistrationID
	}
	if err := x.settleKeys(ctx); err != nil {
		return Result{}, err
	}
	if err := x.checkEdgeCA(ctx); err != nil {
		return Result{}, err
	}
	if !x.Machine.Runs() {
		proof.Reason = "nothing runs here that could show the new Edge CA; its pair was read back and is whole"
		return Result{Summary: proof.Reason}, nil
	}
	return s.shown(ctx, x)
}

// checkEdgeCA reads the pair back that the configuration names.
func (x *Execution) checkEdgeCA(ctx context.Context) error {
	held, found, err := x.readHeld(ctx, RoleEdgeCA)
	if err != nil {
		return err
	}
	problem := "it does not read"
	if found {
		problem = ""
		for _, order := range x.Run.Rotate.orders(x.Run.Plan) {
			if problem, err = x.fits(ctx, held, order); err != nil {
				return err
			}
		}
		if problem == "" && !held.Leaf().Equal(x.pairOf(RoleEdgeCA).Leaf()) {
			problem = "it is another certificate"
		}
	}
	if problem != "" {
		return &Error{Kind: ErrUnproven, Message: "The new Edge CA on the device does not do: " + problem + ".", Hint: "Read the details, and rotate again."}
	}
	return nil
}

// edgeHubPorts are where edgeHub serves TLS: MQTT, AMQP, HTTPS.
var edgeHubPorts = []int{8883, 5671, 443}

// shown waits for the services, for the runtime's call and for a handshake.
func (s edgeCAProofStep) shown(ctx context.Context, x *Execution) (Result, error) {
	proof := &x.Run.Outcome.Proof
	ctx, cancel := context.WithTimeoutCause(ctx, proofPatience, ErrUnproven)
	defer cancel()
	if err := x.poll(ctx, "the device starting its services", x.healthy); err != nil {
		return Result{}, err
	}
	checked, err := s.checks(ctx, x)
	if err != nil {
		return Result{}, err
	}
	if err := x.poll(ctx, "the device calling the cloud", x.seenByCloud); err != nil {
		return Result{}, err
	}
	proof.Cloud = true
	modules, err := x.Machine.Act(ctx, ActModules, nil)
	if err != nil {
		return Result{}, fmt.Errorf("ask for the modules: %w", err)
	}
	shower, can := x.Machine.(ShowsTLS)
	if !can || !strings.Contains(modules.Stdout, "edgeHub") {
		x.keepsOld = "the old pair stays on the device until the new one is proven"
		proof.Reason = "no edgeHub runs that could show the new Edge CA; its pair was read back and is whole, and the services run with it"
		return Result{Summary: checked + "; " + proof.Reason}, nil
	}
	err = x.poll(ctx, "edgeHub showing its new certificate", func(ctx context.Context) error { return x.showsEdgeCA(ctx, shower) })
	if err != nil {
		return Result{}, err
	}
	proof.Device, proof.How = true, ProofRuntime
	return Result{Summary: "edgeHub shows the new chain; " + checked}, nil
}

// showsEdgeCA asks edgeHub once.
func (x *Execution) showsEdgeCA(ctx context.Context, shower ShowsTLS) error {
	wanted := x.pairOf(RoleEdgeCA).Leaf()
	var tried []error
	for _, port := range edgeHubPorts {
		chain, err := shower.ShownTLS(ctx, fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			tried = append(tried, err)
			continue
		}
		for i, cert := range chain {
			if i > 0 && cert.Equal(wanted) && pki.Signed(cert, chain[i-1]) {
				return nil
			}
		}
		tried = append(tried, fmt.Errorf("port %d shows another chain", port))
	}
	return &Error{Kind: ErrUnproven, Message: "edgeHub does not show the new Edge CA.", Hint: "Look whether the module edgeHub runs and has its ports bound.",
		Err: errors.Join(tried...)}
}
