package edgeconfig

import "edgewright/provisioning/secret"

// AuthKeyIndex is where the TPM service keeps the key that DPS gave, above
// 0x81000000, unless the file says otherwise. Source: IIS tpm/aziot-tpmd-config.
const AuthKeyIndex = 0x00_01_00

// TPM is the [tpm] section, which IoT Edge 1.4 and later read.
type TPM struct {
	// TCTI is the loader string by which the service finds the TPM.
	TCTI string
	// EndorsementAuth and OwnerAuth are the passwords of the hierarchies.
	EndorsementAuth secret.Value
	OwnerAuth       secret.Value
	// KeyIndex is auth_key_index, which 1.4.1 and later read; nil where the file
	// has none. It is read and not written.
	KeyIndex *int64
}

func readTPM(e *entry) TPM {
	t := TPM{TCTI: e.text("tcti"), EndorsementAuth: secret.FromString(e.text("hierarchy_authorization.endorsement")),
		OwnerAuth: secret.FromString(e.text("hierarchy_authorization.owner"))}
	if index, ok := e.kid("auth_key_index").number(); ok {
		t.KeyIndex = &index
	}
	return t
}

// SetTPM sets loader string and passwords. What is empty in t stays as it is in
// the file: a password there may be the device's own.
func (c *Changes) SetTPM(t TPM) {
	for _, key := range [][2]string{
		{"tpm.tcti", t.TCTI},
		{"tpm.hierarchy_authorization.endorsement", t.EndorsementAuth.RevealString()},
		{"tpm.hierarchy_authorization.owner", t.OwnerAuth.RevealString()},
	} {
		if key[1] != "" {
			c.Set(key[0], key[1])
		}
	}
}

// DPSTPM is provisioning through DPS with the TPM of the device. endpoint is a
// URL.
func DPSTPM(endpoint, idScope, registrationID string) *Provisioning {
	return &Provisioning{
		Source: SourceDPS, GlobalEndpoint: endpoint, IDScope: idScope,
		Attestation: Attestation{Method: MethodTPM, RegistrationID: registrationID},
	}
}
