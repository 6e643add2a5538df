package wire

import (
	"crypto/hmac"
	"crypto/sha256"

	"edgewright/provisioning/secret"
)

// DeriveDeviceKey makes the key of one device of a symmetric-key enrollment
// group: HMAC-SHA256 of the registration ID under the decoded group key, 32
// bytes. The ID is taken as it is; give it in the letter case in which the
// device sends it, which is lower case.
//
// https://learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation
func DeriveDeviceKey(groupKey secret.Value, registrationID string) secret.Value {
	mac := hmac.New(sha256.New, groupKey.Reveal())
	mac.Write([]byte(registrationID))
	return secret.New(mac.Sum(nil))
}
