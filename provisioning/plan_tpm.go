package provisioning

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"edgewright/provisioning/finding"
)

// TPMPlan says which TPM a device attests with, and how it is opened.
type TPMPlan struct {
	// At is where the TPM is: that of the target, this computer's, or a software
	// TPM by its socket.
	At string `toml:"at,omitempty"` // target | local | unix:/path | tcp:host:port
	// RegistrationID is the form of the ID: the device ID, one of the two that
	// are made from the endorsement key, or the ID itself.
	RegistrationID string `toml:"registration_id,omitempty"` // device | base32 | hex | a literal
	// EndorsementKey is "catalog:ID" for a key that was collected before; then no
	// TPM is opened.
	EndorsementKey string `toml:"endorsement_key,omitempty"`
	// TCTI is the loader string of the runtime, which 1.4 and later read.
	TCTI string `toml:"tcti,omitempty"`
	// EndorsementAuth and OwnerAuth are passwords of hierarchies, "vault:NAME".
	EndorsementAuth string `toml:"endorsement_auth,omitempty"`
	OwnerAuth       string `toml:"owner_auth,omitempty"`
}

// The words of TPMPlan.
const (
	TPMAtTarget = "target"
	TPMAtLocal  = "local"

	RegisterAsDevice = "device"
	RegisterAsBase32 = "base32"
	RegisterAsHex    = "hex"

	tctiDevice    = "device"
	catalogPrefix = "catalog:"
	vaultPrefix   = "vault:"
)

func (p Plan) withTPMDefaults() Plan {
	if p.Cell.Authentication != TPM {
		return p
	}
	t := &p.TPM
	setDefault(&t.RegistrationID, RegisterAsDevice)
	if t.EndorsementKey == "" {
		setDefault(&t.At, TPMAtTarget)
	}
	if p.hasTPMSection() {
		setDefault(&t.TCTI, tctiDevice)
	}
	return p
}

// hasTPMSection tells whether the runtime reads [tpm] of config.toml.
func (p Plan) hasTPMSection() bool { return p.runtimeMinor() >= 4 }

// CollectedKey is the ID of the endorsement key in the catalog that the plan
// enrols, or "" where it comes from the TPM.
func (p Plan) CollectedKey() string { return strings.TrimPrefix(p.TPM.EndorsementKey, catalogPrefix) }

// SoftwareTPM tells whether an address is that of a software TPM.
func SoftwareTPM(at string) bool {
	return strings.HasPrefix(at, "unix:") || strings.HasPrefix(at, "tcp:")
}

// tpmRegistrationID is the ID that the device registers under, or "" where it
// is made from an endorsement key that has to be read first.
func (p Plan) tpmRegistrationID() string {
	switch form := p.TPM.RegistrationID; form {
	case "", RegisterAsDevice:
		if p.Device.RegistrationID != "" {
			return p.Device.RegistrationID
		}
		return p.Device.ID
	case RegisterAsBase32, RegisterAsHex:
		return ""
	default:
		return form
	}
}

func (p Plan) checkTPM(f *finding.List) {
	t := p.TPM
	if p.Cell.Authentication != TPM {
		if t != (TPMPlan{}) {
			f.Add(finding.Error, "tpm", "The table tpm belongs to the TPM cell.", `Remove it, or write authentication = "tpm" and provisioning = "dps".`)
		}
		return
	}
	if p.SymmetricKey.Key != "" {
		f.Add(finding.Error, "symmetric_key.key", "A symmetric key is given, but the device attests with its TPM.", "Remove the table symmetric_key.")
	}
	if problem := tpmAddressProblem(t.At); problem != "" && t.EndorsementKey == "" {
		f.Add(finding.Error, "tpm.at", problem, "Write target, local, unix:/path or tcp:host:port.")
	}
	if t.EndorsementKey != "" {
		if !strings.HasPrefix(t.EndorsementKey, catalogPrefix) || p.CollectedKey() == "" || strings.ContainsAny(p.CollectedKey(), " \t\r\n") {
			f.Add(finding.Error, "tpm.endorsement_key", fmt.Sprintf("%q is no collected endorsement key.", t.EndorsementKey), "Write catalog:ID; `edgewright tpm list` shows the IDs.")
		}
		if t.At != "" {
			f.Add(finding.Error, "tpm.at", "A TPM is named, but the endorsement key comes from the catalog.", "Remove at, or remove endorsement_key to read the key from the TPM.")
		}
	}
	p.checkTPMRegistrationID(f)
	p.checkTPMSection(f)
}

// tpmAddressProblem says why no TPM can be at an address, or gives "".
func tpmAddressProblem(at string) string {
	kind, rest, _ := strings.Cut(at, ":")
	switch {
	case at == TPMAtTarget || at == TPMAtLocal:
		return ""
	case kind == "unix" && (!strings.HasPrefix(rest, "/") || len(rest) > 107 || strings.ContainsRune(rest, 0)):
		return "A socket has an absolute path of at most 107 bytes." // sockaddr_un
	case kind == "unix":
		return ""
	case kind == "tcp":
		host, port, err := net.SplitHostPort(rest)
		if number, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || number == 0 {
			return fmt.Sprintf("%q is no address of a software TPM.", at)
		}
		return ""
	}
	return fmt.Sprintf("No TPM can be at %q.", at)
}

func (p Plan) checkTPMRegistrationID(f *finding.List) {
	const field = "tpm.registration_id"
	if p.TPM.RegistrationID != RegisterAsDevice && p.Device.RegistrationID != "" {
		f.Add(finding.Error, field, "The registration ID is given twice.", "Remove it from [device] or from [tpm].")
		return
	}
	if id := p.tpmRegistrationID(); id != "" && p.TPM.RegistrationID != RegisterAsDevice {
		if err := CheckDeviceID(id, p.Cell); err != nil {
			f.Add(finding.Error, field, sentence(err), "Write device, base32, hex, or an ID of that form.")
		}
	}
}

// checkTPMSection looks at what goes to [tpm] of config.toml.
func (p Plan) checkTPMSection(f *finding.List) {
	t := p.TPM
	if strings.ContainsFunc(t.TCTI, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		f.Add(finding.Error, "tpm.tcti", "The loader string has a character that it cannot hold.", `Write "device", or another loader string in one line.`)
	}
	for _, row := range [][2]string{{"tpm.tcti", t.TCTI}, {"tpm.endorsement_auth", t.EndorsementAuth}, {"tpm.owner_auth", t.OwnerAuth}} {
		if row[1] != "" && !p.hasTPMSection() && slices.Contains(RuntimeVersions(), p.Runtime.Version) {
			f.Add(finding.Error, row[0], fmt.Sprintf("IoT Edge %s has no [tpm] section: it takes the TPM that is there, without a password.", p.Runtime.Version), "Remove it, or use 1.4 or later.")
		}
	}
	for _, row := range [][2]string{{"tpm.endorsement_auth", t.EndorsementAuth}, {"tpm.owner_auth", t.OwnerAuth}} {
		if row[1] != "" && (!strings.HasPrefix(row[1], vaultPrefix) || row[1] == vaultPrefix) {
			f.Add(finding.Error, row[0], "A password may not stand in a plan.", "Store it with `edgewright secrets set NAME` and write vault:NAME.")
		}
	}
}
