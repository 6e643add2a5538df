package hostdetect

import (
	"regexp"
	"slices"
	"strings"
)

// The configurations of the runtime: 1.2 and later, and 1.0 to 1.1.
const (
	configTOML = "/etc/aziot/config.toml"
	configYAML = "/etc/iotedge/config.yaml"
)

// The same expressions stand in gather.sh: a table's name, source and method
// with their value, and the names (not the values) of three other keys.
var (
	tomlOutline = regexp.MustCompile(`^[[:space:]]*\[[A-Za-z0-9_.-]+\]|([a-z_]+\.)*(source|method)[[:space:]]*=[[:space:]]*["'][a-z0-9_]+["']|^[[:space:]]*(connection_string|authentication|attestation)[[:space:]]*=`)
	yamlOutline = regexp.MustCompile(`^[[:space:]]*(source|method):[[:space:]]*["']?[a-z0-9_]+["']?|<ADD DEVICE CONNECTION STRING HERE>|^provisioning:`)
)

func outlineTOML(body string) string { return outline(body, tomlOutline) }
func outlineYAML(body string) string { return outline(body, yamlOutline) }

func outline(body string, want *regexp.Regexp) string {
	var out []string
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		out = append(out, want.FindAllString(line, -1)...)
	}
	return strings.Join(out, "\n")
}

// readProvisioning says whether a configuration is there, and of which kind. A
// 1.1 template with its placeholder still in it is no provisioning.
func (g *gathering) readProvisioning(r *Report) {
	p := &r.Provisioning
	p.Config = Unknown
	hidden := false // in a folder that may not be entered
	for _, c := range []struct {
		path string
		kind func([]string) (source, authentication string, template bool)
	}{{configTOML, kindOfTOML}, {configYAML, kindOfYAML}} {
		how := "file " + c.path
		switch {
		case g.has("outline " + c.path):
			source, authentication, template := c.kind(g.lines("outline " + c.path))
			if template {
				if !hidden {
					p.Config = Absent
				}
				continue
			}
			*p = Provisioning{Config: Found, Path: c.path, Readable: true, Source: source, Authentication: authentication}
			value := strings.TrimSpace(strings.Join([]string{source, authentication}, " "))
			if value == "" {
				value = "configured"
			}
			r.found(FactProvisioning, value, how)
			return
		case g.has("denied " + c.path):
			*p = Provisioning{Config: Found, Path: c.path}
			r.found(FactProvisioning, "configured", how)
			r.Facts[len(r.Facts)-1].Why = g.why(c.path)
			return
		case g.has("absent " + c.path):
			if !hidden {
				p.Config = Absent
			}
		case g.has("hidden " + c.path):
			hidden, p.Config = true, Unknown
		}
	}
	if p.Config == Absent {
		r.absent(FactProvisioning, "file "+configTOML)
		return
	}
	r.unknown(FactProvisioning, "file "+configTOML, g.why(configTOML))
}

// kindOfTOML reads the outline of config.toml. The first method of the
// authentication or attestation is its own; one deeper down belongs to a
// certificate's issuance.
func kindOfTOML(lines []string) (source, authentication string, template bool) {
	table := ""
	inline := false // within [provisioning]: an inline attestation or authentication was opened
	connection := false
	method := ""
	for _, line := range lines {
		if strings.HasPrefix(line, "[") {
			table = strings.Trim(line, "[] ")
			inline = false
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"'`)
		full := key
		if table != "" {
			full = table + "." + key
		}
		switch full {
		case "provisioning.source":
			source = value
		case "provisioning.connection_string":
			connection = true
		case "provisioning.attestation", "provisioning.authentication":
			inline = true
		case "provisioning.attestation.method", "provisioning.authentication.method":
			if method == "" {
				method = value
			}
		case "provisioning.method":
			if inline && method == "" {
				method = value
			}
		}
	}
	if connection && method == "" {
		method = "sas"
	}
	return knownSource(source), authenticationOf(method), false
}

// kindOfYAML reads the outline of config.yaml (1.0 and 1.1).
func kindOfYAML(lines []string) (source, authentication string, template bool) {
	method := ""
	for _, line := range lines {
		if strings.Contains(line, "<ADD DEVICE CONNECTION STRING HERE>") {
			template = true
		}
		key, value, _ := strings.Cut(line, ":")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch strings.TrimSpace(key) {
		case "source":
			source = value
		case "method":
			method = value
		}
	}
	if source == "manual" && (method == "" || method == "device_connection_string") {
		method = "sas"
	}
	return knownSource(source), authenticationOf(method), template
}

// knownSource lets only the documented words through.
func knownSource(source string) string {
	if slices.Contains([]string{"manual", "dps", "external"}, source) {
		return source
	}
	return ""
}

func authenticationOf(method string) string {
	return map[string]string{"sas": "symmetric-key", "symmetric_key": "symmetric-key", "x509": "x509", "tpm": "tpm"}[method]
}

// The services' users: key, certificate, identity and TPM service, and the
// runtime itself (1.1 and later).
var serviceUsers = []string{"aziotks", "aziotcs", "aziotid", "aziottpm", "iotedge"}

var wantedGroups = []string{"aziotks", "aziotcs", "aziotid", "aziottpm", "aziot", "iotedge", "docker", "tss", "tpm"}

func (g *gathering) readUsers(r *Report) {
	lines, how := g.lines("passwd"), "file /etc/passwd"
	groups := g.lines("group")
	r.Users.Known = g.has("passwd")
	if body, state := g.file("/etc/passwd"); state == Found {
		lines, r.Users.Known = strings.Split(body, "\n"), true
		group, _ := g.file("/etc/group")
		groups = strings.Split(group, "\n")
	}
	for _, line := range lines {
		if name, _, ok := strings.Cut(line, ":"); ok && slices.Contains(serviceUsers, name) {
			r.Users.Names = append(r.Users.Names, name)
		}
	}
	for _, line := range groups {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 3 || !slices.Contains(wantedGroups, f[0]) {
			continue
		}
		group := Group{Name: f[0]}
		if len(f) > 3 && f[3] != "" {
			group.Members = strings.Split(f[3], ",")
		}
		r.Users.Groups = append(r.Users.Groups, group)
	}
	switch {
	case !r.Users.Known:
		r.unknown(FactUsers, how, g.why("/etc/passwd"))
	case len(r.Users.Names) == 0:
		r.absent(FactUsers, how)
	default:
		r.found(FactUsers, strings.Join(r.Users.Names, ", "), how)
	}
}
