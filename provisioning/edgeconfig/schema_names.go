package edgeconfig

// place is a key of the schema with the table it belongs to; path is the
// table's, "" for the top level.
type place struct {
	path string
	key  *Key
}

// places lists the whole schema, tables before what is in them.
var places = collect(Schema, "", nil)

func collect(table *Table, path string, into []place) []place {
	for i := range table.Keys {
		key := &table.Keys[i]
		into = append(into, place{path, key})
		if key.Table != nil {
			into = collect(key.Table, join(path, key.Name), into)
		}
	}
	return into
}

// knownNames are all names of keys, which may stand in messages.
var knownNames = func() map[string]bool {
	names := map[string]bool{}
	for _, p := range places {
		names[p.key.Name] = true
	}
	return names
}()

// homes are the tables that a key of that name belongs to, the top level as "".
func homes(name string) []string {
	var paths []string
	for _, p := range places {
		if p.key.Name == name {
			paths = append(paths, p.path)
		}
	}
	return paths
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// formerNames are keys of the YAML file of 1.1 and of the generated files, with
// what they are called here.
var formerNames = map[string]string{
	"device_connection_string":        "provisioning.connection_string",
	"scope_id":                        "provisioning.id_scope",
	"dynamic_reprovisioning":          "auto_reprovisioning_mode",
	"always_reprovision_on_startup":   "auto_reprovisioning_mode",
	"certificates":                    "edge_ca and trust_bundle_cert",
	"device_ca_cert":                  "edge_ca.cert",
	"device_ca_pk":                    "edge_ca.pk",
	"trusted_ca_certs":                "trust_bundle_cert",
	"auto_generated_ca_lifetime_days": "edge_ca.auto_generated_edge_ca_expiry_days",
	"dps_trust_bundle":                "nothing: no release issues certificates by DPS",
}
