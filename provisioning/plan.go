package provisioning

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"edgewright/provisioning/finding"
)

// PlanVersion is the version of the plan format that this program reads and
// writes.
const PlanVersion = 1

// Plan says what a device is to become. It holds no secret: keys are
// references of the form "vault:NAME". It reads and writes as TOML, so that a
// form, a file, a row of a batch and a command are the same thing.
type Plan struct {
	Version      int              `toml:"version"`
	Device       DevicePlan       `toml:"device"`
	Cell         Cell             `toml:"cell"`
	Cloud        CloudPlan        `toml:"cloud"`
	Runtime      RuntimePlan      `toml:"runtime"`
	SymmetricKey SymmetricKeyPlan `toml:"symmetric_key,omitempty"`
	X509         X509Plan         `toml:"x509,omitempty"`
	EdgeCA       *EdgeCAPlan      `toml:"edge_ca,omitempty"`
	TrustBundle  TrustBundlePlan  `toml:"trust_bundle,omitempty"`
	TPM          TPMPlan          `toml:"tpm,omitempty"`
}

// DevicePlan names the device. With DPS the ID is also the registration ID
// unless RegistrationID (individual enrollments only) is given.
type DevicePlan struct {
	ID             string         `toml:"id"`
	RegistrationID string         `toml:"registration_id,omitempty"`
	Hostname       string         `toml:"hostname,omitempty"`
	Tags           map[string]any `toml:"tags,omitempty"`
}

// CloudPlan names the cloud by the name it has in the catalog.
type CloudPlan struct {
	Name       string `toml:"name"`
	Enrollment string `toml:"enrollment,omitempty"` // individual | group (dps)
	Group      string `toml:"group,omitempty"`
	// Existing says what to do about an equal-named object that differs:
	// refuse it, or adopt it as it is.
	Existing string `toml:"existing,omitempty"`
}

// The words of CloudPlan.
const (
	Individual = "individual"
	GroupWord  = "group"
	Refuse     = "refuse"
	Adopt      = "adopt"
)

// RuntimePlan names the IoT Edge version that the configuration is written
// for, as major.minor.
type RuntimePlan struct {
	Version string `toml:"version,omitempty"`
}

// SymmetricKeyPlan refers to a key of the vault; an empty one is made by the
// cloud.
type SymmetricKeyPlan struct {
	Key string `toml:"key,omitempty"`
}

// WithDefaults fills what was left out.
func (p Plan) WithDefaults() Plan {
	if p.Version == 0 {
		p.Version = PlanVersion
	}
	setDefault((*string)(&p.Cell.Platform), string(Linux))
	setDefault((*string)(&p.Cell.Provisioning), string(Manual))
	setDefault((*string)(&p.Cell.Authentication), string(SymmetricKey))
	setDefault(&p.Cloud.Name, "practice")
	setDefault(&p.Cloud.Existing, Refuse)
	setDefault(&p.Runtime.Version, RuntimeVersions()[0])
	if p.Cell.Provisioning == DPS && p.Cloud.Enrollment == "" {
		p.Cloud.Enrollment = Individual
		if p.Cloud.Group != "" {
			p.Cloud.Enrollment = GroupWord
		}
	}
	return p.withX509Defaults().withTPMDefaults()
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// RegistrationID is the ID that the device registers under with DPS. It is ""
// where that is made from an endorsement key that has to be read first.
func (p Plan) RegistrationID() string {
	if p.Cell.Authentication == TPM {
		return p.tpmRegistrationID()
	}
	if p.Device.RegistrationID != "" && p.Cloud.Enrollment != GroupWord {
		return p.Device.RegistrationID
	}
	return p.Device.ID
}

// ByGroup tells whether the device comes in through an enrollment group.
func (p Plan) ByGroup() bool {
	return p.Cell.Provisioning == DPS && p.Cloud.Enrollment == GroupWord
}

// EnrollmentName is the name of the enrollment or group that the plan needs.
func (p Plan) EnrollmentName() string {
	if p.ByGroup() {
		return p.Cloud.Group
	}
	return p.RegistrationID()
}

// ParsePlan reads a plan. Findings of level error make it unfit to run;
// unknown keys are among them, each by its name. The error is non-nil only if
// the text is not TOML or a value has the wrong type; it names line and field.
func ParsePlan(text []byte) (Plan, finding.List, error) {
	var findings finding.List
	var plan Plan
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	err := decoder.Decode(&plan)
	var unknown *toml.StrictMissingError
	switch {
	case errors.As(err, &unknown):
		for _, missing := range unknown.Errors {
			key := strings.Join(missing.Key(), ".")
			line, _ := missing.Position()
			findings.Add(finding.Error, key, fmt.Sprintf("The plan has an unknown key %s in line %d.", key, line),
				"Correct its name or remove it.")
		}
	case err != nil:
		return Plan{}, nil, planError(err)
	}
	plan = plan.WithDefaults()
	findings = append(findings, plan.Check()...)
	return plan, findings, nil
}

func planError(err error) error {
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, column := decode.Position()
		where := fmt.Sprintf("line %d, column %d", line, column)
		if len(decode.Key()) > 0 {
			where += ", field " + strings.Join(decode.Key(), ".")
		}
		return &Error{Kind: ErrInvalid, Message: "The plan does not read: " + where + ".",
			Hint: "Mend that line; the plan format is TOML.", Err: errors.New(strings.TrimPrefix(decode.Error(), "toml: "))}
	}
	return &Error{Kind: ErrInvalid, Message: "The plan does not read.", Hint: "The plan format is TOML.", Err: err}
}

// TOML writes the plan. Reading it again gives an equal plan.
func (p Plan) TOML() ([]byte, error) {
	var out bytes.Buffer
	if err := toml.NewEncoder(&out).Encode(p); err != nil {
		return nil, fmt.Errorf("write plan %s: %w", p.Device.ID, err)
	}
	return out.Bytes(), nil
}
