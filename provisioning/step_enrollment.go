package provisioning

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"edgewright/provisioning/secret"
)

// enrollmentStep makes the individual enrollment or the enrollment group. Its
// undo also takes back what registering made: the registration record and the
// hub identity.
type enrollmentStep struct{}

// enrollmentUndo says what was there before this run.
type enrollmentUndo struct {
	Group          bool   `json:"group"`
	Name           string `json:"name"`
	Existed        bool   `json:"existed"`
	RegistrationID string `json:"registration_id"`
	Registered     bool   `json:"registered"`
	DeviceID       string `json:"device_id"`
	// Identity tells whether the hub had the device; HubKnown is false where
	// the hub could not be asked, and then nothing is removed there.
	Identity bool   `json:"identity"`
	HubKnown bool   `json:"hub_known"`
	Hub      string `json:"hub"`
}

func (enrollmentStep) Name() string { return StepEnrollment }

// Guard keeps the runs of a batch apart while one of them makes their group:
// two that both find none would both make it, the second with new keys.
func (enrollmentStep) Guard(ctx context.Context, x *Execution) (release func(), err error) {
	if !x.Run.Plan.ByGroup() {
		return nil, nil
	}
	key := x.Cloud.DPS.IDScope() + "/group/" + x.Run.Plan.Cloud.Group
	release, err = x.Locks.Wait(ctx, key, x.Run.ID, func() { x.waiting(StepEnrollment, "another run that makes the same group") })
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", x.enrollmentTitle(), err)
	}
	return release, nil
}

func (enrollmentStep) Look(ctx context.Context, x *Execution) (Look, error) {
	if x.Cloud.DPS == nil {
		return Look{}, &Error{Kind: ErrInvalid, Message: fmt.Sprintf("The cloud %s has no Device Provisioning Service connection.", x.Cloud.Name),
			Hint: "Add one with `edgewright clouds add NAME --dps`, or choose manual provisioning."}
	}
	plan := x.Run.Plan
	if err := x.vouched(ctx); err != nil {
		return Look{}, err
	}
	found, exists, err := x.findEnrollment(ctx)
	if err != nil {
		return Look{}, err
	}
	undo, err := x.enrollmentBefore(ctx, exists)
	if err != nil {
		return Look{}, err
	}
	if !exists {
		return Look{Summary: "is not there yet", Undo: undo}, nil
	}
	given, err := x.givenKey(ctx)
	if err != nil {
		return Look{}, err
	}
	if !given.IsEmpty() {
		// Keys are read back by a call of their own.
		key, err := x.Cloud.DPS.DeviceKey(ctx, plan.ByGroup(), x.Run.enrollmentName(), x.Run.RegistrationID())
		if err != nil {
			return Look{}, fmt.Errorf("read the key of %s: %w", x.enrollmentTitle(), err)
		}
		found.Primary = key
		if plan.ByGroup() {
			given = x.Cloud.DPS.Derive(given, x.Run.RegistrationID())
		}
	}
	differences, usable, err := x.enrollmentDifferences(ctx, given, found)
	if err != nil {
		return Look{}, err
	}
	if err := judgeExisting(x.enrollmentTitle(), differences, usable, plan); err != nil {
		return Look{}, err
	}
	summary := summaryFound
	if x.acted(StepEnrollment) {
		summary = "made"
	}
	return Look{Done: true, Summary: summary, Undo: undo}, nil
}

func (x *Execution) findEnrollment(ctx context.Context) (found Enrollment, exists bool, err error) {
	found, err = x.Cloud.DPS.Enrollment(ctx, x.Run.Plan.ByGroup(), x.Run.enrollmentName())
	switch {
	case errors.Is(err, ErrNotFound) && x.Run.Plan.Cell.Authentication == TPM:
		return x.enrollmentOfTPM(ctx)
	case errors.Is(err, ErrNotFound):
		return Enrollment{}, false, nil
	case err != nil:
		return Enrollment{}, false, fmt.Errorf("look for %s: %w", x.enrollmentTitle(), err)
	}
	return found, true, nil
}

// enrollmentBefore records what registering may change, before it does. A run
// that already has a record keeps it: by now its own effects may be there.
func (x *Execution) enrollmentBefore(ctx context.Context, exists bool) (json.RawMessage, error) {
	if before := x.record(StepEnrollment).Undo; len(before) > 0 {
		return before, nil
	}
	plan := x.Run.Plan
	undo := enrollmentUndo{Group: plan.ByGroup(), Name: x.Run.enrollmentName(), Existed: exists,
		RegistrationID: x.Run.RegistrationID(), DeviceID: plan.Device.ID}
	_, err := x.Cloud.DPS.Registration(ctx, undo.RegistrationID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("look for registration %s: %w", undo.RegistrationID, err)
	}
	undo.Registered = err == nil
	if x.Cloud.Hub != nil {
		_, err := x.Cloud.Hub.Identity(ctx, undo.DeviceID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("look for device %s in %s: %w", undo.DeviceID, x.Cloud.Hub.Host(), err)
		}
		undo.Identity, undo.HubKnown, undo.Hub = err == nil, true, x.Cloud.Hub.Host()
	}
	return encode(undo), nil
}

func (enrollmentStep) Do(ctx context.Context, x *Execution) (Result, error) {
	plan := x.Run.Plan
	wanted := Enrollment{Group: plan.ByGroup(), Name: x.Run.enrollmentName(), Edge: true, Enabled: true,
		Authentication: plan.Cell.Authentication, Tags: plan.Device.Tags}
	if !plan.ByGroup() {
		wanted.DeviceID = plan.Device.ID
	} else {
		wanted.Tags = nil // tags of one device are not those of a group
	}
	given, err := x.givenKey(ctx)
	if err != nil {
		return Result{}, err
	}
	if !given.IsEmpty() {
		wanted.Primary, wanted.Secondary = given, secret.New(x.Random(64))
	}
	if plan.Cell.Authentication == X509 {
		wanted.Uploaded = plan.X509.Uploaded
		if wanted.Certificate, err = x.enrolled(ctx); err != nil {
			return Result{}, err
		}
	}
	if plan.Cell.Authentication == TPM {
		wanted.EndorsementKey = x.tpm.Key.Public
	}
	_, err = x.Cloud.DPS.CreateEnrollment(ctx, wanted)
	if err != nil && !(errors.Is(err, ErrConflict) && x.acted(StepEnrollment)) {
		return Result{}, fmt.Errorf("make %s: %w", x.enrollmentTitle(), err)
	}
	return Result{Summary: "made"}, nil
}

func (enrollmentStep) Undo(ctx context.Context, x *Execution, record json.RawMessage) (Undone, error) {
	var undo enrollmentUndo
	if err := json.Unmarshal(record, &undo); err != nil {
		return Undone{}, fmt.Errorf("read undo record: %w", err)
	}
	var done Undone
	if !undo.Existed && x.acted(StepEnrollment) {
		left, err := x.removeEnrollment(ctx, undo)
		if err != nil {
			return Undone{}, err
		}
		done.Left = append(done.Left, left...)
	}
	hub := undo.Hub
	if !undo.Registered {
		registration, err := x.Cloud.DPS.Registration(ctx, undo.RegistrationID)
		if err == nil && registration.Hub != "" {
			hub = registration.Hub
		}
		if err := x.Cloud.DPS.DeleteRegistration(ctx, undo.RegistrationID); err != nil && !errors.Is(err, ErrNotFound) {
			return Undone{}, fmt.Errorf("remove registration %s: %w", undo.RegistrationID, err)
		}
		left, err := x.removeAssigned(ctx, undo, hub)
		if err != nil {
			return Undone{}, err
		}
		done.Left = append(done.Left, left...)
	}
	done.Summary = "enrollment, registration and device removed"
	return done, nil
}

func (x *Execution) removeEnrollment(ctx context.Context, undo enrollmentUndo) (left []string, err error) {
	if undo.Group {
		others, err := x.Cloud.DPS.OthersInGroup(ctx, undo.Name, undo.RegistrationID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("look who uses group %s: %w", undo.Name, err)
		}
		if others {
			return []string{"enrollment group " + undo.Name + ": other devices use it"}, nil
		}
	}
	if err := x.Cloud.DPS.DeleteEnrollment(ctx, undo.Group, undo.Name); err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("remove %s: %w", enrollmentTitle(undo.Group, undo.Name), err)
	}
	return nil, nil
}

// removeAssigned removes the identity that DPS made, if the hub it went to is
// the one that this cloud may write, and the device was not there before.
func (x *Execution) removeAssigned(ctx context.Context, undo enrollmentUndo, hub string) (left []string, err error) {
	switch {
	case undo.Identity:
		return nil, nil
	case !undo.HubKnown || x.Cloud.Hub == nil:
		return []string{"device " + undo.DeviceID + " in the hub that DPS chose: this cloud holds no hub connection"}, nil
	case hub != x.Cloud.Hub.Host():
		return []string{"device " + undo.DeviceID + " in " + hub}, nil
	}
	if err := x.Cloud.Hub.DeleteIdentity(ctx, undo.DeviceID); err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("remove device %s: %w", undo.DeviceID, err)
	}
	return nil, nil
}

func (s enrollmentStep) Preview(ctx context.Context, x *Execution, p *Preview) error {
	look, err := s.Look(ctx, x)
	if err := p.addCloud(x.enrollmentTitle(), look, err); err != nil {
		return err
	}
	var undo enrollmentUndo
	if json.Unmarshal(look.Undo, &undo) == nil {
		p.addAssigned(x.Run.Plan.Device.ID, undo)
	}
	return nil
}

func (x *Execution) enrollmentTitle() string {
	return enrollmentTitle(x.Run.Plan.ByGroup(), x.Run.enrollmentName())
}

func enrollmentTitle(group bool, name string) string {
	if group {
		return "enrollment group " + name
	}
	return "enrollment " + name
}

func (x *Execution) enrollmentDifferences(ctx context.Context, given secret.Value, found Enrollment) (differences []string, usable bool, err error) {
	plan := x.Run.Plan
	usable = true
	if !found.Edge {
		differences, usable = append(differences, "it makes devices without the edge capability"), false
	}
	if found.Authentication != plan.Cell.Authentication {
		differences, usable = append(differences, "it attests by "+string(found.Authentication)), false
	}
	if !found.Enabled {
		differences, usable = append(differences, "it is disabled"), false
	}
	if !given.IsEmpty() && !given.Equal(found.Primary) {
		differences = append(differences, "it has another key")
	}
	if plan.Cell.Authentication == X509 && found.Authentication == X509 {
		known, err := x.knownToEnrollment(ctx, found)
		if err != nil {
			return nil, false, err
		}
		if !known {
			differences, usable = append(differences, "it knows another certificate"), false
		}
	}
	if plan.Cell.Authentication == TPM && found.Authentication == TPM {
		if problem := x.otherTPM(found); problem != "" {
			differences, usable = append(differences, problem), false
		}
	}
	if !plan.ByGroup() {
		if id := cmp.Or(found.DeviceID, found.Name); id != plan.Device.ID {
			differences, usable = append(differences, "it makes a device "+id), false
		}
		if !tagsEqual(plan.Device.Tags, found.Tags) {
			differences = append(differences, "its initial tags differ")
		}
	}
	return differences, usable, nil
}

// enrolled is the certificate that an enrollment has to know: the device's own
// for an individual one, for a group that of the CA that issued it, or nil
// where the group names an uploaded CA.
func (x *Execution) enrolled(ctx context.Context) (*x509.Certificate, error) {
	plan := x.Run.Plan
	pair := x.pairOf(RoleIdentity)
	switch {
	case plan.X509.Uploaded != "":
		return nil, nil
	case !plan.ByGroup():
		return pair.Leaf(), nil
	case plan.identityByEST():
		return x.est.anchor, nil
	case plan.X509.Source == SourceIssue || plan.localCA():
		authority, err := x.Certificates.Authority(ctx, plan.X509.CA)
		if errors.Is(err, ErrNotFound) && x.preview {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("find the CA %s: %w", plan.X509.CA, err)
		}
		return authority.Chain[0], nil
	case len(pair.Chain) > 1:
		return pair.Chain[1], nil
	}
	return nil, &Error{Kind: ErrInvalid, Message: "The file has no CA certificate that the group could know.",
		Hint: "Put the certificates above the device's own into the same file, or name an uploaded CA."}
}

func (x *Execution) knownToEnrollment(ctx context.Context, found Enrollment) (bool, error) {
	if uploaded := x.Run.Plan.X509.Uploaded; uploaded != "" {
		return strings.EqualFold(found.Uploaded, uploaded), nil
	}
	wanted, err := x.enrolled(ctx)
	if err != nil || wanted == nil {
		return false, err
	}
	return knowsPair(found.Thumbprints, Pair{Chain: []*x509.Certificate{wanted}}), nil
}
