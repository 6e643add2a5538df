package edgeconfig

const certificateSource = "IIS cert/aziot-certd-config/src/lib.rs; IIS cert/cert-renewal/src/policy.rs; IIS super_config.rs"

// issuedKeys are the keys of a certificate that the device has issued to
// itself, wherever such a table stands.
var issuedKeys = []Key{
	{Name: "method", Type: Text, Words: []string{"est", "local_ca", "self_signed"}},
	{Name: "common_name", Type: Text, Note: "cut to 64 characters"},
	{Name: "subject", Type: TextMap, Note: "CN, O, L, ST, C"},
	{Name: "expiry_days", Type: Number, Min: 1, Max: 1<<32 - 1, Default: "30", Note: "not used by est"},
	{Name: "url", Type: Text, Form: ESTURL},
	{Name: "username", Type: Text},
	{Name: "password", Type: Text, Secret: true},
	{Name: "identity_cert", Type: Text, Form: FileURI},
	{Name: "identity_pk", Type: Text, Form: KeyURI},
	{Name: "bootstrap_identity_cert", Type: Text, Form: FileURI},
	{Name: "bootstrap_identity_pk", Type: Text, Form: KeyURI},
	{Name: "auto_renew", Type: SubTable, Since: Version{1, 3, 0}, Table: autoRenewTable},
}

// authGroups are the pairs by which a device shows itself to an EST server.
var authGroups = []Group{
	{Keys: []string{"username", "password"}, Means: "basic authentication"},
	{Keys: []string{"identity_cert", "identity_pk"}, Means: "the client certificate"},
	{Keys: []string{"bootstrap_identity_cert", "bootstrap_identity_pk"}, Means: "the bootstrap certificate"},
}

var issuedTable = &Table{
	Path: "*", Source: certificateSource, Keys: issuedKeys, Groups: authGroups, Enum: "X509Identity",
}

var autoRenewTable = &Table{
	Path:   "*",
	Source: "IIS cert/cert-renewal/src/lib.rs",
	Keys: []Key{
		{Name: "rotate_key", Type: Flag, Default: "true"},
		{Name: "threshold", Type: Text, Form: RenewalPoint, Default: `"80%"`},
		{Name: "retry", Type: Text, Form: RenewalPoint, Default: `"4%"`},
	},
	Groups: []Group{{Keys: []string{"rotate_key", "threshold", "retry"}, Fatal: true, Means: "automatic renewal"}},
}

var certIssuanceTable = &Table{
	Path:   "cert_issuance",
	Source: certificateSource,
	Keys: []Key{
		{Name: "est", Type: SubTable, Table: estTable},
		{Name: "local_ca", Type: SubTable, Table: localCATable},
	},
}

var estTable = &Table{
	Path:   "cert_issuance.est",
	Source: certificateSource,
	Keys: []Key{
		{Name: "trusted_certs", Type: TextList, Form: FileURI, Default: "[]"},
		{Name: "auth", Type: SubTable, Table: &Table{
			Path:   "cert_issuance.est.auth",
			Source: certificateSource,
			Enum:   "EstAuthX509",
			Keys: []Key{
				{Name: "username", Type: Text},
				{Name: "password", Type: Text, Secret: true},
				{Name: "identity_cert", Type: Text, Form: FileURI},
				{Name: "identity_pk", Type: Text, Form: KeyURI},
				{Name: "bootstrap_identity_cert", Type: Text, Form: FileURI},
				{Name: "bootstrap_identity_pk", Type: Text, Form: KeyURI},
			},
			Groups: authGroups,
		}},
		{Name: "identity_auto_renew", Type: SubTable, Since: Version{1, 3, 0}, Table: autoRenewTable},
		{Name: "urls", Type: TextMap, Form: ESTURL, Note: `"default" or a certificate ID`},
	},
}

var localCATable = &Table{
	Path:   "cert_issuance.local_ca",
	Source: certificateSource,
	Enum:   "LocalCa",
	Keys: []Key{
		{Name: "cert", Type: TextOrTable, Form: FileURI, Required: true, Table: issuedTable},
		{Name: "pk", Type: Text, Form: KeyURI},
	},
}

var edgeCATable = &Table{
	Path:   "edge_ca",
	Source: "IE edgelet/iotedge/src/config/{super_config,apply}.rs",
	Enum:   "EdgeCa",
	Keys: append([]Key{
		{Name: "cert", Type: Text, Form: FileURI},
		{Name: "pk", Type: Text, Form: KeyURI},
		{Name: "auto_generated_edge_ca_expiry_days", Type: Number, Min: 1, Max: 1<<32 - 1, Default: "90"},
	}, issuedKeys...),
	Groups: authGroups,
}
