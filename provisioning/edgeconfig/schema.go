package edgeconfig

// Type is what kind of TOML value a key takes.
type Type string

// The types of keys.
const (
	Text        Type = "a string"
	Number      Type = "a whole number"
	Flag        Type = "true or false"
	TextList    Type = "a list of strings"
	TextOrList  Type = "a string or a list of strings"
	TextMap     Type = "a table of strings"
	ListMap     Type = "a table of strings or lists of strings"
	SubTable    Type = "a table"
	TextOrTable Type = "a string or a table"
	TextOrCount Type = "a string or a whole number"
	TableList   Type = "a list of tables"
	AnyTable    Type = "a table of any content"
)

// Form is what a string has to look like beyond being one.
type Form string

// The forms of strings. A form of a map or list holds for each of its strings.
const (
	FreeForm         Form = ""
	FileURI          Form = "file URI"     // file:///absolute/path
	KeyURI           Form = "key URI"      // file:///absolute/path or pkcs11:…
	RawKeyURI        Form = "raw key URI"  // KeyURI of a symmetric key
	Base64Key        Form = "base64 key"   // 16 to 64 bytes
	HubConnection    Form = "connection"   // a device's connection string
	HostNameForm     Form = "host name"    // facts of RFC 1035, or an IP address
	ServiceURL       Form = "https URL"    // an absolute https URL
	ESTURL           Form = "EST URL"      // https, http with care
	RenewalPoint     Form = "renewal"      // "80%", "60min", "10day"
	WholeDays        Form = "days"         // "7d"
	TimeOfDay        Form = "time"         // "HH:MM"
	ConnectSocket    Form = "connect"      // unix:///… or http://…
	ListenSocket     Form = "listen"       // unix:///…, fd://… or http://…
	EngineSocket     Form = "engine"       // unix:///… or http://…
	AbsolutePath     Form = "path"         // /absolute/path
	PathList         Form = "path list"    // prefixes of absolute paths
	RestartLimit     Form = "restarts"     // "infinite", or a positive number
	TCTIForm         Form = "TCTI"         // a loader string of the TPM stack
	CertificateOrIDs Form = "certificates" // file URI, or IDs of other entries
)

// Key is one key of a table.
type Key struct {
	Name  string
	Alias string // an older name that the runtime takes as well
	Type  Type
	Form  Form
	Words []string // the only strings allowed, case-sensitive
	// Min and Max limit numbers; both zero means no limit.
	Min, Max int64
	// MinSince is the first release that enforces Min; zero for all.
	MinSince Version
	Required bool
	// Default is what the runtime takes without the key, as TOML text; "" for
	// none.
	Default string
	// Since is the first and Until the last line of releases that read the
	// key; zero for no limit.
	Since, Until Version
	Table        *Table // what is in a SubTable, TextOrTable or TableList
	Secret       bool   // the value is never shown
	Note         string
}

// Group is a set of keys that only works together.
type Group struct {
	Keys []string
	// Fatal groups make apply refuse the file; the others are dropped without
	// a word when incomplete.
	Fatal bool
	// Means says what is missing without the whole group.
	Means string
}

// Variant is one shape of a table whose Tag key chooses between shapes.
type Variant struct {
	Word     string
	Requires []string
	Keys     []string // what the shape reads, the tag and common keys apart
}

// Table is a table of the file.
type Table struct {
	// Path is where it stands; "*" for one that stands in several places.
	Path     string
	Keys     []Key
	Groups   []Group
	Tag      string
	Variants []Variant
	// Enum is the name that the parser gives when none of the untagged shapes
	// fits.
	Enum   string
	Source string
}

// key gives the key of that name or alias, or nil.
func (t *Table) key(name string) *Key {
	for i := range t.Keys {
		if t.Keys[i].Name == name || (t.Keys[i].Alias != "" && t.Keys[i].Alias == name) {
			return &t.Keys[i]
		}
	}
	return nil
}

// variant gives the shape that word chooses, or nil.
func (t *Table) variant(word string) *Variant {
	for i := range t.Variants {
		if t.Variants[i].Word == word {
			return &t.Variants[i]
		}
	}
	return nil
}

// Schema is the whole of config.toml from 1.2 to 1.6. It is data and is not
// changed.
//
// The sources name repositories: IE is Azure/iotedge, IIS is
// Azure/iot-identity-service.
var Schema = &Table{
	Source: "IIS aziotctl/aziotctl-common/src/config/super_config.rs; IE edgelet/iotedge/src/config/super_config.rs; IE edgelet/contrib/config/linux/template.toml",
	Keys: []Key{
		{Name: "hostname", Type: Text, Form: HostNameForm, Note: "default: the host name of the operating system"},
		{Name: "parent_hostname", Alias: "local_gateway_hostname", Type: Text, Form: HostNameForm, Note: "nested edge, manual provisioning only"},
		{Name: "trust_bundle_cert", Type: Text, Form: FileURI, Note: "PEM bundle that modules are given"},
		{Name: "allow_elevated_docker_permissions", Type: Flag, Default: "true", Since: Version{1, 2, 4}},
		{Name: "auto_reprovisioning_mode", Type: Text, Words: []string{"Dynamic", "AlwaysOnStartup", "OnErrorOnly"}, Default: `"Dynamic"`},
		{Name: "cloud_timeout_sec", Type: Number, Min: 70, Max: 1<<63 - 1, MinSince: Version{1, 4, 9}, Default: "70"},
		{Name: "cloud_retries", Type: Number, Max: 1<<32 - 1, Default: "1", Note: "attempts = value + 1"},
		{Name: "prefer_module_identity_cache", Type: Flag, Default: "false", Since: Version{1, 4, 20}},
		{Name: "additional_info", Type: Text, Form: FileURI, Since: Version{1, 3, 0}, Note: "a flat TOML map of strings, read by apply"},
		{Name: "imported_master_encryption_key", Type: Text, Form: AbsolutePath, Note: "written by `iotedge config import` only"},
		{Name: "manifest_trust_bundle_cert", Type: Text, Form: FileURI, Since: Version{1, 3, 0}, Until: Version{1, 5, anyPatch}},
		{Name: "allowed_bind_sources", Type: TextList, Form: PathList, Since: Version{1, 6, 2}, Note: "IE pull request 7542; the first release that carries it is not known, later than 1.6.1"},
		{Name: "aziot_max_requests", Type: SubTable, Since: Version{1, 4, 0}, Table: aziotRequestsTable},
		{Name: "iotedge_max_requests", Type: SubTable, Since: Version{1, 4, 0}, Table: iotedgeRequestsTable},
		{Name: "localid", Type: SubTable, Table: localIDTable},
		{Name: "preloaded_keys", Type: TextMap, Form: KeyURI},
		{Name: "preloaded_certs", Type: ListMap, Form: CertificateOrIDs},
		{Name: "aziot_keys", Type: TextMap, Note: "pkcs11_lib_path and pkcs11_base_slot; needed with any pkcs11 URI"},
		{Name: "provisioning", Type: SubTable, Required: true, Table: provisioningTable},
		{Name: "tpm", Type: SubTable, Since: Version{1, 4, 0}, Table: tpmTable},
		{Name: "cert_issuance", Type: SubTable, Table: certIssuanceTable},
		{Name: "edge_ca", Type: SubTable, Table: edgeCATable},
		{Name: "agent", Type: SubTable, Table: agentTable},
		{Name: "connect", Type: SubTable, Table: connectTable},
		{Name: "listen", Type: SubTable, Table: listenTable},
		{Name: "watchdog", Type: SubTable, Table: watchdogTable},
		{Name: "moby_runtime", Type: SubTable, Table: mobyTable},
		{Name: "image_garbage_collection", Type: SubTable, Since: Version{1, 4, 0}, Table: garbageTable},
	},
}
