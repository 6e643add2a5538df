package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// identityStep makes the device identity in the hub (manual provisioning).
type identityStep struct{}

// identityUndo records that the identity was not there before this run.
type identityUndo struct {
	DeviceID string `json:"device_id"`
}

func (identityStep) Name() string { return StepIdentity }

func (identityStep) Look(ctx context.Context, x *Execution) (Look, error) {
	if x.Cloud.Hub == nil {
		return Look{}, noHub(x.Cloud.Name)
	}
	plan := x.Run.Plan
	if err := x.vouched(ctx); err != nil {
		return Look{}, err
	}
	found, err := x.Cloud.Hub.Identity(ctx, plan.Device.ID)
	if errors.Is(err, ErrNotFound) {
		return Look{Summary: "is not in the hub yet", Undo: encode(identityUndo{plan.Device.ID})}, nil
	}
	if err != nil {
		return Look{}, fmt.Errorf("look for device %s in %s: %w", plan.Device.ID, x.Cloud.Hub.Host(), err)
	}
	mine := x.acted(StepIdentity)
	if mine && !tagsEqual(plan.Device.Tags, found.Tags) {
		return Look{Summary: "tags are missing", Undo: x.record(StepIdentity).Undo}, nil
	}
	given, err := x.givenKey(ctx)
	if err != nil {
		return Look{}, err
	}
	differences, usable := x.identityDifferences(given, found)
	if err := judgeExisting("device "+plan.Device.ID, differences, usable, plan); err != nil {
		return Look{}, err
	}
	summary := summaryFound
	if mine {
		summary = "made"
	}
	return Look{Done: true, Summary: summary}, nil
}

func (identityStep) Do(ctx context.Context, x *Execution) (Result, error) {
	plan := x.Run.Plan
	wanted := Identity{DeviceID: plan.Device.ID, Edge: true, Enabled: true, Authentication: x.hubAuthentication(), Thumbprints: x.thumbprints()}
	given, err := x.givenKey(ctx)
	if err != nil {
		return Result{}, err
	}
	if !given.IsEmpty() {
		wanted.Primary, wanted.Secondary = given, secret.New(x.Random(32))
	}
	_, err = x.Cloud.Hub.CreateIdentity(ctx, wanted)
	// A killed attempt of this run may have made it between its look and now.
	if err != nil && !(errors.Is(err, ErrConflict) && x.acted(StepIdentity)) {
		return Result{}, fmt.Errorf("make device %s: %w", plan.Device.ID, err)
	}
	if len(plan.Device.Tags) > 0 {
		if err := x.Cloud.Hub.SetTags(ctx, plan.Device.ID, plan.Device.Tags); err != nil {
			return Result{}, fmt.Errorf("set tags of %s: %w", plan.Device.ID, err)
		}
	}
	return Result{Summary: "made, edge device"}, nil
}

func (identityStep) Undo(ctx context.Context, x *Execution, record json.RawMessage) (Undone, error) {
	var undo identityUndo
	if err := json.Unmarshal(record, &undo); err != nil {
		return Undone{}, fmt.Errorf("read undo record: %w", err)
	}
	if x.Cloud.Hub == nil {
		return Undone{Left: []string{"device " + undo.DeviceID}}, nil
	}
	if err := x.Cloud.Hub.DeleteIdentity(ctx, undo.DeviceID); err != nil && !errors.Is(err, ErrNotFound) {
		return Undone{}, fmt.Errorf("remove device %s: %w", undo.DeviceID, err)
	}
	return Undone{Summary: "removed from the hub"}, nil
}

func (s identityStep) Preview(ctx context.Context, x *Execution, p *Preview) error {
	p.addVouched(x)
	look, err := s.Look(ctx, x)
	return p.addCloud("device "+x.Run.Plan.Device.ID, look, err)
}

// givenKey is the key that the plan refers to, or an empty one.
func (x *Execution) givenKey(ctx context.Context) (secret.Value, error) {
	name := strings.TrimPrefix(x.Run.Plan.SymmetricKey.Key, "vault:")
	if name == "" {
		return secret.Value{}, nil
	}
	key, err := x.Secrets.Secret(ctx, name)
	if err != nil {
		return secret.Value{}, fmt.Errorf("key %s of the vault: %w", name, err)
	}
	raw, err := secret.FromBase64(strings.TrimSpace(key.RevealString()))
	if n := len(raw.Reveal()); err != nil || n < 16 || n > 64 {
		return secret.Value{}, &Error{Kind: ErrInvalid, Message: fmt.Sprintf("The secret %s is not a symmetric key.", name),
			Hint: "Store base64 of 16 to 64 bytes under that name."}
	}
	return raw, nil
}

func (x *Execution) identityDifferences(given secret.Value, found Identity) (differences []string, usable bool) {
	usable = true
	if !found.Edge {
		differences, usable = append(differences, "it is not an edge device"), false
	}
	if found.Authentication != x.hubAuthentication() {
		differences, usable = append(differences, "it authenticates by "+found.Authentication), false
	}
	if !found.Enabled {
		differences, usable = append(differences, "it is disabled"), false
	}
	if !given.IsEmpty() && !given.Equal(found.Primary) && !given.Equal(found.Secondary) {
		differences = append(differences, "it has another key")
	}
	if found.Authentication == authSelfSigned && !knowsPair(found.Thumbprints, x.pairOf(RoleIdentity)) {
		differences, usable = append(differences, "it knows another certificate"), false
	}
	if !tagsEqual(x.Run.Plan.Device.Tags, found.Tags) {
		differences = append(differences, "its tags differ")
	}
	return differences, usable
}

// How a hub knows a device (OpenAPI 2021-04-12, authentication.type).
const (
	authSAS        = "sas"
	authSelfSigned = "selfSigned"
	authCA         = "certificateAuthority"
)

// hubAuthentication is how the hub is to know the device. A certificate that a
// CA signed is known by the CA, which the hub has to hold.
func (x *Execution) hubAuthentication() string {
	plan := x.Run.Plan
	switch leaf := x.pairOf(RoleIdentity).Leaf(); {
	case plan.Cell.Authentication != X509:
		return authSAS
	case plan.X509.Source == SourceIssue || plan.IssuedOnDevice() || leaf != nil && !pki.IsSelfSigned(leaf):
		return authCA
	}
	return authSelfSigned
}

// thumbprints are those that the hub is to know; a device without a spare pair
// has its own in both places.
func (x *Execution) thumbprints() []string {
	leaf := x.pairOf(RoleIdentity).Leaf()
	if leaf == nil || x.hubAuthentication() != authSelfSigned {
		return nil
	}
	hash := pki.SHA256
	if x.Run.Plan.X509.Thumbprint == ThumbprintSHA1 {
		hash = pki.SHA1
	}
	spare := x.pairOf(RoleSpare).Leaf()
	if spare == nil {
		spare = leaf
	}
	return []string{hash(leaf), hash(spare)}
}

// knowsPair tells whether thumbprints of either kind name the certificate.
func knowsPair(thumbprints []string, pair Pair) bool {
	leaf := pair.Leaf()
	return leaf != nil && slices.ContainsFunc(thumbprints, func(given string) bool {
		return strings.EqualFold(given, pki.SHA256(leaf)) || strings.EqualFold(given, pki.SHA1(leaf))
	})
}

// judgeExisting decides about something that was in the cloud before: equal is
// fine, different is refused unless the plan adopts it, and what could never
// work is refused always.
func judgeExisting(what string, differences []string, usable bool, plan Plan) error {
	if len(differences) == 0 {
		return nil
	}
	text := strings.ToUpper(what[:1]) + what[1:] + " exists and differs: " + strings.Join(differences, ", ") + "."
	if !usable {
		return &Error{Kind: ErrConflict, Message: text, Hint: "Mend it in the cloud, remove it there, or choose another name."}
	}
	if plan.Cloud.Existing != Adopt {
		return &Error{Kind: ErrConflict, Message: text, Hint: `Choose another name, or write existing = "adopt" to use it as it is.`}
	}
	return nil
}

// tagsEqual tells whether every wanted tag is there with its value. Both sides
// go through JSON, because TOML and JSON number types differ.
func tagsEqual(wanted, found map[string]any) bool {
	for key, value := range wanted {
		if !reflect.DeepEqual(throughJSON(value), throughJSON(found[key])) {
			return false
		}
	}
	return true
}

func throughJSON(value any) any {
	raw, err := json.Marshal(value)
	if err != nil {
		return value
	}
	var out any
	if json.Unmarshal(raw, &out) != nil {
		return value
	}
	return out
}

func noHub(cloud string) error {
	return &Error{Kind: ErrInvalid, Message: fmt.Sprintf("The cloud %s has no IoT Hub connection.", cloud),
		Hint: "Add one with `edgewright clouds add NAME --hub`, or choose DPS."}
}
