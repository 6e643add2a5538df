package provisioning

import "fmt"

// Platform is what IoT Edge runs on.
type Platform string

// The three platforms of the board.
const (
	Linux   Platform = "linux"
	EFLOW   Platform = "eflow"
	Windows Platform = "windows"
)

// Method is how a device learns which hub it belongs to. The plan calls the
// field "provisioning", as the product documentation does.
type Method string

// The two ways of provisioning: one device by hand, or through the Device
// Provisioning Service.
const (
	Manual Method = "manual"
	DPS    Method = "dps"
)

// Authentication is how a device shows who it is.
type Authentication string

// The three ways of authentication. TPM attestation exists only through DPS.
const (
	SymmetricKey Authentication = "symmetric-key"
	X509         Authentication = "x509"
	TPM          Authentication = "tpm"
)

// Cell is one field of the board: a platform, a way of provisioning and a way
// of authentication.
type Cell struct {
	Platform       Platform       `toml:"platform" json:"platform"`
	Provisioning   Method         `toml:"provisioning" json:"provisioning"`
	Authentication Authentication `toml:"authentication" json:"authentication"`
}

// String gives the three words with slashes, as in "linux/dps/symmetric-key".
func (c Cell) String() string {
	return fmt.Sprintf("%s/%s/%s", c.Platform, c.Provisioning, c.Authentication)
}

// CellInfo is a row of the table of cells: what a cell needs, which inputs it
// asks for and which steps it runs.
type CellInfo struct {
	Cell
	// Available tells whether this version can run the cell; Reason says why
	// not, in words for a person.
	Available bool
	Reason    string
	// Needs are conditions on device and cloud, in words for a person.
	Needs []string
	// Inputs are the plan fields that a form has to ask for, as dotted paths.
	Inputs []string
	// Steps are the names of the steps in their order.
	Steps []string
}

// Methods lists the five ways of a platform in the order of the board.
var Methods = []Cell{
	{"", Manual, SymmetricKey},
	{"", Manual, X509},
	{"", DPS, SymmetricKey},
	{"", DPS, X509},
	{"", DPS, TPM},
}

// Platforms lists the columns of the board.
var Platforms = []Platform{Linux, EFLOW, Windows}

// linuxRows is the table of what Linux cells need; the other platforms share
// needs and inputs and differ in the steps that come with them.
var linuxRows = map[Cell]CellInfo{
	{Linux, Manual, SymmetricKey}: {
		Available: true,
		Needs:     []string{"an IoT Hub that may create device identities"},
		Inputs:    []string{"device.id", "cloud.name", "symmetric_key.key"},
		Steps:     []string{StepLook, StepIdentity, StepFiles, StepApply, StepProof},
	},
	{Linux, DPS, SymmetricKey}: {
		Available: true,
		Needs:     []string{"a Device Provisioning Service that may write enrollments"},
		Inputs:    []string{"device.id", "device.registration_id", "cloud.name", "cloud.enrollment", "cloud.group", "symmetric_key.key"},
		Steps:     []string{StepLook, StepEnrollment, StepFiles, StepApply, StepReprovision, StepProof},
	},
	{Linux, Manual, X509}: {
		Available: true,
		Needs:     []string{"an IoT Hub that may create device identities", "a certificate for the device, which Edgewright makes or takes from files"},
		Inputs:    []string{"device.id", "cloud.name", "x509.source", "x509.ca", "x509.files", "x509.est"},
		Steps:     []string{StepLook, StepCertificate, StepIdentity, StepFiles, StepApply, StepProof},
	},
	{Linux, DPS, X509}: {
		Available: true,
		Needs:     []string{"a Device Provisioning Service that may write enrollments", "a certificate for the device, for a group from a CA that it knows"},
		Inputs:    []string{"device.id", "device.registration_id", "cloud.name", "cloud.enrollment", "cloud.group", "x509.source", "x509.ca", "x509.files", "x509.est"},
		Steps:     []string{StepLook, StepCertificate, StepEnrollment, StepFiles, StepApply, StepReprovision, StepProof},
	},
	{Linux, DPS, TPM}: {
		Available: true,
		Needs:     []string{"a Device Provisioning Service that may write enrollments", "a TPM 2.0 on the device, or its endorsement key from the catalog"},
		Inputs:    []string{"device.id", "cloud.name", "tpm.at", "tpm.registration_id", "tpm.endorsement_key", "tpm.endorsement_auth", "tpm.owner_auth"},
		Steps:     []string{StepLook, StepTPM, StepEnrollment, StepFiles, StepApply, StepReprovision, StepProof},
	},
}

// Cells returns the table of all fifteen cells, platform by platform, each in
// the order of Methods. The caller owns the slice.
func Cells() []CellInfo {
	cells := make([]CellInfo, 0, len(Platforms)*len(Methods))
	for _, platform := range Platforms {
		for _, method := range Methods {
			key := method
			key.Platform = Linux
			info := linuxRows[key]
			info.Cell = method
			info.Platform = platform
			if platform != Linux {
				info.Available, info.Steps = false, nil
				info.Reason = "comes later: Windows"
			}
			cells = append(cells, info)
		}
	}
	return cells
}

// Info finds c in the table; ok is false for a combination that does not
// exist, such as TPM without DPS.
func (c Cell) Info() (info CellInfo, ok bool) {
	for _, info := range Cells() {
		if info.Cell == c {
			return info, true
		}
	}
	return CellInfo{}, false
}
