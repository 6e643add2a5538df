package provisioning

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"edgewright/provisioning/finding"
)

var (
	// IoT Hub OpenAPI 2021-04-12, Twin.deviceId: 1 to 128 characters.
	deviceIDPattern = regexp.MustCompile(`^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$`)
	// The characters that device ID, registration ID and a certificate's common
	// name all allow; IDs become file names, so no colon.
	safeIDPattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$`)
	// DPS OpenAPI 2021-10-01, enrollmentGroupId.
	groupPattern = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9\-._:]{0,126}[A-Za-z0-9])?$`)
	labelPattern = regexp.MustCompile(`^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// RuntimeVersions are those that a configuration is written for, the newest
// first.
func RuntimeVersions() []string { return []string{"1.6", "1.5", "1.4", "1.3", "1.2"} }

// CheckDeviceID tells why id cannot be the ID of a device of that cell, in a
// sentence for a person, or gives nil. It is the validator of forms, of CSV
// rows and of plans.
func CheckDeviceID(id string, cell Cell) error {
	switch {
	case id == "":
		return fmt.Errorf("the device ID is empty")
	case cell.Provisioning == DPS || cell.Authentication == X509:
		if !safeIDPattern.MatchString(id) {
			return fmt.Errorf("the ID %q must be 1 to 64 lower-case letters, digits, dots, dashes or underscores, with a letter or digit at both ends", id)
		}
	case !deviceIDPattern.MatchString(id):
		return fmt.Errorf("the device ID %q may have 1 to 128 ASCII letters, digits and - : . + %% _ # * ? ! ( ) , = @ ; $ '", id)
	}
	return nil
}

// CheckGroup tells why name cannot be the name of an enrollment group.
func CheckGroup(name string) error {
	if !groupPattern.MatchString(name) {
		return fmt.Errorf("the group %q must be 1 to 128 letters, digits, - . _ or :, with a letter or digit at both ends", name)
	}
	return nil
}

// CheckHostname tells why name cannot be the host name of an IoT Edge device
// (RFC 1035, and at most 64 characters because it becomes a common name).
func CheckHostname(name string) error {
	if len(name) > 64 {
		return fmt.Errorf("the host name has %d characters, at most 64 are allowed", len(name))
	}
	for label := range strings.SplitSeq(name, ".") {
		if !labelPattern.MatchString(label) {
			return fmt.Errorf("the host name's part %q must start with a letter and have only letters, digits and inner hyphens, at most 63", label)
		}
	}
	return nil
}

// Check looks at the plan alone, without device and cloud. A plan with errors
// cannot be run.
func (p Plan) Check() finding.List {
	var f finding.List
	if p.Version != PlanVersion {
		f.Add(finding.Error, "version", fmt.Sprintf("The plan has version %d.", p.Version), fmt.Sprintf("This program reads version %d.", PlanVersion))
	}
	p.checkCell(&f)
	p.checkDevice(&f)
	p.checkCloud(&f)
	p.checkX509(&f)
	p.checkTPM(&f)
	if !slices.Contains(RuntimeVersions(), p.Runtime.Version) {
		f.Add(finding.Error, "runtime.version", fmt.Sprintf("The runtime version %q is not known.", p.Runtime.Version), "Write 1.2 to 1.6.")
	}
	if key := p.SymmetricKey.Key; key != "" && (!strings.HasPrefix(key, "vault:") || key == "vault:") {
		f.Add(finding.Error, "symmetric_key.key", "A key may not stand in a plan.",
			"Store it with `edgewright secrets set NAME` and write vault:NAME.")
	}
	return f
}

func (p Plan) checkCell(f *finding.List) {
	info, ok := p.Cell.Info()
	if ok && !info.Available {
		f.Add(finding.Error, "cell", fmt.Sprintf("This version cannot run %s: %s.", p.Cell, info.Reason), "Choose Linux.")
	}
	if ok {
		return
	}
	if p.Cell.Authentication == TPM && p.Cell.Provisioning == Manual {
		f.Add(finding.Error, "cell.authentication", "TPM attestation exists only with the Device Provisioning Service.", `Write provisioning = "dps".`)
		return
	}
	words := []struct{ field, value, allowed string }{
		{"cell.platform", string(p.Cell.Platform), "linux eflow windows"},
		{"cell.provisioning", string(p.Cell.Provisioning), "manual dps"},
		{"cell.authentication", string(p.Cell.Authentication), "symmetric-key x509 tpm"},
	}
	for _, word := range words {
		checkWord(f, word.field, word.value, word.allowed)
	}
}

func checkWord(f *finding.List, field, value, allowed string) {
	for word := range strings.FieldsSeq(allowed) {
		if word == value {
			return
		}
	}
	f.Add(finding.Error, field, fmt.Sprintf("The value %q is not known.", value),
		"Write one of: "+strings.ReplaceAll(allowed, " ", ", ")+".")
}

func (p Plan) checkDevice(f *finding.List) {
	if err := CheckDeviceID(p.Device.ID, p.Cell); err != nil {
		f.Add(finding.Error, "device.id", sentence(err), "Change the device ID.")
	}
	if id := p.Device.RegistrationID; id != "" {
		switch {
		case p.Cell.Provisioning != DPS:
			f.Add(finding.Error, "device.registration_id", "A registration ID belongs to DPS only.", "Remove it.")
		case p.ByGroup():
			f.Add(finding.Error, "device.registration_id", "A device of a group registers under its device ID.", "Remove the registration ID.")
		default:
			if err := CheckDeviceID(id, p.Cell); err != nil {
				f.Add(finding.Error, "device.registration_id", sentence(err), "Change the registration ID.")
			}
		}
	}
	if p.Device.Hostname != "" {
		if err := CheckHostname(p.Device.Hostname); err != nil {
			f.Add(finding.Error, "device.hostname", sentence(err), "Change it, or leave it out to use the machine's own name.")
		}
	}
	for key := range p.Device.Tags {
		if key == "" || strings.ContainsAny(key, ".$# \t\r\n") {
			f.Add(finding.Error, "device.tags", fmt.Sprintf("The tag name %q has a character that twins do not allow.", key), "Use names without . $ # and spaces.")
		}
	}
}

func (p Plan) checkCloud(f *finding.List) {
	if p.Cloud.Name == "" {
		f.Add(finding.Error, "cloud.name", "No cloud is named.", "Write practice, or the name of a cloud that was added.")
	}
	checkWord(f, "cloud.existing", p.Cloud.Existing, "refuse adopt")
	if p.Cell.Provisioning != DPS {
		if p.Cloud.Enrollment != "" || p.Cloud.Group != "" {
			f.Add(finding.Error, "cloud.enrollment", "Enrollments belong to DPS only.", "Remove enrollment and group, or choose DPS.")
		}
		return
	}
	checkWord(f, "cloud.enrollment", p.Cloud.Enrollment, "individual group")
	switch {
	case p.ByGroup() && p.Cell.Authentication == TPM:
		f.Add(finding.Error, "cloud.enrollment", "Attestation by TPM has no groups: each TPM is known by its own endorsement key.", `Write enrollment = "individual".`)
	case p.ByGroup():
		if err := CheckGroup(p.Cloud.Group); err != nil {
			f.Add(finding.Error, "cloud.group", sentence(err), "Name the enrollment group.")
		}
	case p.Cloud.Group != "":
		f.Add(finding.Error, "cloud.group", "A group is named, but the enrollment is individual.", `Write enrollment = "group", or remove the group.`)
	}
}

// sentence makes a sentence of an error text.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
