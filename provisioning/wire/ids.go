package wire

import (
	"fmt"
	"strings"
)

// maxIDLength is the longest device, module, registration and group ID, in
// characters.
const maxIDLength = 128

// maxSafeIDLength is that of a certificate's common name (RFC 5280, ub-common-name).
const maxSafeIDLength = 64

// hubIDSpecials are the characters besides letters and digits that IoT Hub
// allows in device and module IDs (OpenAPI 2021-04-12, Twin.deviceId).
const hubIDSpecials = "-:.+%_#*?!(),=@;$'"

// dpsIDSpecials are those of registration and enrollment group IDs.
const dpsIDSpecials = "-._:"

// ValidateDeviceID checks a device ID by IoT Hub's rules. Letter case counts.
func ValidateDeviceID(id string) error {
	return validateID("device ID", id, maxIDLength, hubIDSpecials)
}

// ValidateModuleID checks a module ID by IoT Hub's rules. IDs that begin with
// $ pass: they exist, though only the hub may make them.
func ValidateModuleID(id string) error {
	return validateID("module ID", id, maxIDLength, hubIDSpecials)
}

// ValidateRegistrationID checks a DPS registration ID: letter case does not
// count, and the first and last characters are letters or digits. The product's
// pages also allow a dash at the end, its OpenAPI file does not; what passes
// here is accepted by both.
//
// https://learn.microsoft.com/azure/iot-dps/concepts-service
func ValidateRegistrationID(id string) error { return validateDPSID("registration ID", id) }

// ValidateEnrollmentGroupID checks the ID of an enrollment group; the rules are
// those of a registration ID.
func ValidateEnrollmentGroupID(id string) error { return validateDPSID("enrollment group ID", id) }

// ValidateSafeID checks the narrower set that serves as device ID, registration
// ID, common name of a certificate and file name alike: lower-case letters,
// digits, and "-._" inside, at most 64 characters.
func ValidateSafeID(id string) error {
	const name = "ID"
	if err := validateID(name, id, maxSafeIDLength, "-._"); err != nil {
		return err
	}
	if asciiLower(id) != id {
		return fmt.Errorf("%s has a capital letter; use lower case", name)
	}
	return validateEnds(name, id)
}

func validateDPSID(name, id string) error {
	if err := validateID(name, id, maxIDLength, dpsIDSpecials); err != nil {
		return err
	}
	return validateEnds(name, id)
}

func validateID(name, id string, longest int, specials string) error {
	if id == "" {
		return fmt.Errorf("%s is empty", name)
	}
	for _, r := range id {
		if !isLetterOrDigit(r) && !strings.ContainsRune(specials, r) {
			return fmt.Errorf("%s has the character %q; use letters, digits and %s", name, r, strings.Join(strings.Split(specials, ""), " "))
		}
	}
	if len(id) > longest {
		return fmt.Errorf("%s has %d characters; %d are allowed", name, len(id), longest)
	}
	return nil
}

func validateEnds(name, id string) error {
	if !isLetterOrDigit(rune(id[0])) || !isLetterOrDigit(rune(id[len(id)-1])) {
		return fmt.Errorf("%s begins or ends with a special character; use a letter or digit there", name)
	}
	return nil
}

func isLetterOrDigit(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
