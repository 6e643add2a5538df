package edgeconfig

const provisioningSource = "IIS aziotctl/aziotctl-common/src/config/super_config.rs; IIS identity/aziot-identityd-config/src/lib.rs"

var provisioningTable = &Table{
	Path:   "provisioning",
	Source: provisioningSource,
	Tag:    "source",
	Variants: []Variant{
		{Word: "manual", Keys: []string{"connection_string", "iothub_hostname", "device_id", "authentication"}},
		{Word: "dps", Requires: []string{"global_endpoint", "id_scope", "attestation"}, Keys: []string{"global_endpoint", "id_scope", "payload", "attestation"}},
		{Word: "none"},
	},
	Keys: []Key{
		{Name: "source", Type: Text, Required: true, Words: []string{"manual", "dps", "none"}},
		{Name: "connection_string", Type: Text, Form: HubConnection, Secret: true, Note: "base64 padding is optional since 1.4.10"},
		{Name: "iothub_hostname", Type: Text},
		{Name: "device_id", Type: Text},
		{Name: "authentication", Type: SubTable, Table: authenticationTable},
		{Name: "global_endpoint", Type: Text, Form: ServiceURL},
		{Name: "id_scope", Type: Text},
		{Name: "payload", Type: SubTable, Since: Version{1, 4, 0}, Table: payloadTable},
		{Name: "attestation", Type: SubTable, Table: attestationTable},
	},
}

var authenticationTable = &Table{
	Path:   "provisioning.authentication",
	Source: provisioningSource,
	Enum:   "ManualProvisioning",
	Tag:    "method",
	Variants: []Variant{
		{Word: "sas", Requires: []string{"device_id_pk"}, Keys: []string{"device_id_pk"}},
		{Word: "x509", Requires: []string{"identity_cert"}, Keys: []string{"identity_cert", "identity_pk"}},
	},
	Keys: []Key{
		{Name: "method", Type: Text, Required: true, Words: []string{"sas", "x509"}},
		{Name: "device_id_pk", Type: SubTable, Table: symmetricKeyTable},
		{Name: "identity_cert", Type: TextOrTable, Form: FileURI, Table: issuedTable},
		{Name: "identity_pk", Type: Text, Form: KeyURI},
	},
}

var attestationTable = &Table{
	Path:   "provisioning.attestation",
	Source: provisioningSource,
	Tag:    "method",
	Variants: []Variant{
		{Word: "symmetric_key", Requires: []string{"registration_id", "symmetric_key"}, Keys: []string{"registration_id", "symmetric_key"}},
		{Word: "x509", Requires: []string{"identity_cert"}, Keys: []string{"registration_id", "identity_cert", "identity_pk"}},
		{Word: "tpm", Requires: []string{"registration_id"}, Keys: []string{"registration_id"}},
	},
	Keys: []Key{
		{Name: "method", Type: Text, Required: true, Words: []string{"symmetric_key", "x509", "tpm"}},
		{Name: "registration_id", Type: Text, Note: "with x509 the certificate's CN is taken when it is absent"},
		{Name: "symmetric_key", Type: SubTable, Table: symmetricKeyTable},
		{Name: "identity_cert", Type: TextOrTable, Form: FileURI, Table: issuedTable},
		{Name: "identity_pk", Type: Text, Form: KeyURI},
	},
}

var symmetricKeyTable = &Table{
	Path:   "*",
	Source: provisioningSource + "; IIS key/aziot-keys/src/key.rs",
	Enum:   "SymmetricKey",
	Keys: []Key{
		{Name: "value", Type: Text, Form: Base64Key, Secret: true},
		{Name: "uri", Type: Text, Form: RawKeyURI, Note: "the file holds the raw bytes, not base64"},
	},
}

var payloadTable = &Table{
	Path:   "provisioning.payload",
	Source: provisioningSource,
	Keys:   []Key{{Name: "uri", Type: Text, Form: FileURI, Required: true, Note: "a JSON file sent to DPS"}},
}

var tpmTable = &Table{
	Path:   "tpm",
	Source: "IIS tpm/aziot-tpmd-config",
	Keys: []Key{
		{Name: "tcti", Type: Text, Form: TCTIForm, Default: `"device"`, Note: "loader string; empty tries a built-in list"},
		{Name: "auth_key_index", Type: Number, Max: 0x7FFFFF, Default: "0x00_01_00", Since: Version{1, 4, 1}, Note: "offset from 0x81000000"},
		{Name: "hierarchy_authorization", Type: SubTable, Table: &Table{
			Path:   "tpm.hierarchy_authorization",
			Source: "IIS tpm/aziot-tpmd-config",
			Keys: []Key{
				{Name: "endorsement", Type: Text, Secret: true, Default: `""`},
				{Name: "owner", Type: Text, Secret: true, Default: `""`},
			},
		}},
	},
}
