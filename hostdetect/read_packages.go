package hostdetect

import (
	"regexp"
	"slices"
	"strings"
)

// wantedPackages are those that bear on IoT Edge, its engine or the clock.
var wantedPackages = []string{
	"aziot-edge", "aziot-identity-service", "iotedge", "libiothsm-std",
	"moby-engine", "docker-ce", "docker.io", "podman", "podman-docker",
	"chrony", "ntp", "ntpsec", "systemd-timesyncd",
}

var wantedSnaps = []string{"azure-iot-edge", "azure-iot-identity", "docker"}

// readPackages reads "name arch state version" as dpkg-query and rpm are asked
// to print it, and "name version" of snaps. Packages that are removed but not
// purged do not count.
func (g *gathering) readPackages(r *Report) {
	for _, manager := range []string{"dpkg", "rpm"} {
		for _, line := range g.lines(manager) {
			f := strings.Fields(line)
			if len(f) == 4 && f[2] == "installed" && slices.Contains(wantedPackages, f[0]) {
				r.Packages = append(r.Packages, Package{Name: f[0], Arch: f[1], Version: f[3], Manager: manager})
			}
		}
	}
	for _, line := range g.lines("snaps") {
		name, version, _ := strings.Cut(line, " ")
		if slices.Contains(wantedSnaps, name) {
			r.Packages = append(r.Packages, Package{Name: name, Version: unquote(strings.TrimSpace(version)), Manager: "snap"})
		}
	}
}

// parseDpkgStatus gives the lines that dpkg-query would have printed for the
// wanted packages and for dpkg itself, whose architecture is the userland's.
func parseDpkgStatus(status string) []string {
	var out []string
	var name, arch, state, version string
	flush := func() {
		if version != "" && (name == "dpkg" || slices.Contains(wantedPackages, name)) {
			out = append(out, strings.Join([]string{name, arch, state, version}, " "))
		}
		name, arch, state, version = "", "", "", ""
	}
	for line := range strings.Lines(status) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			flush()
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			continue
		}
		switch value = strings.TrimSpace(value); key {
		case "Package":
			name = value
		case "Architecture":
			arch = value
		case "Version":
			version = value
		case "Status":
			// "install ok installed"
			state = value[strings.LastIndexByte(value, ' ')+1:]
		}
	}
	flush()
	return out
}

func dpkgOwnArch(lines []string) string {
	for _, line := range lines {
		if f := strings.Fields(line); len(f) == 4 && f[0] == "dpkg" && f[2] == "installed" {
			return f[1]
		}
	}
	return ""
}

// pkg gives an installed package by its name and manager ("" means dpkg or
// rpm).
func (r *Report) pkg(name, manager string) (Package, bool) {
	for _, p := range r.Packages {
		if p.Name == name && (p.Manager == manager || manager == "" && p.Manager != "snap") {
			return p, true
		}
	}
	return Package{}, false
}

// packagesKnown says whether the host's package manager was read, so that a
// package which is not listed is not there.
func (g *gathering) packagesKnown() bool { return g.has("dpkg") || g.has("rpm") }

// readEngines lists container engines: packages first, then the command that
// no known package explains.
func (g *gathering) readEngines(r *Report, units map[string]unit) {
	running := func(names ...string) State {
		if g.offline || !g.has("exists") {
			return Unknown
		}
		for _, name := range names {
			if u, ok := units[name]; ok && u.active {
				return Found
			}
		}
		// Without systemd: the daemon itself, or its socket lent by the machine
		// around a container.
		if slices.Contains(names, "docker.service") && !g.has("units") &&
			(slices.Contains(g.lines("running"), "dockerd") || g.exists("/run/docker.sock")) {
			return Found
		}
		return Absent
	}
	add := func(kind, version string, state State) {
		r.Engines = append(r.Engines, Engine{Kind: kind, Version: version, Running: state})
	}
	for _, e := range []struct{ pkg, kind string }{{"moby-engine", EngineMoby}, {"docker-ce", EngineDocker}, {"docker.io", EngineDistro}} {
		if p, ok := r.pkg(e.pkg, ""); ok {
			add(e.kind, p.Version, running("docker.service"))
		}
	}
	if p, ok := r.pkg("docker", "snap"); ok {
		add(EngineSnap, p.Version, running("snap.docker.dockerd.service"))
	}
	docker := len(r.Engines) > 0
	if p, ok := r.pkg("podman", ""); ok {
		add(EnginePodman, p.Version, running("podman.socket"))
	}
	how := "package manager"
	for _, line := range g.lines("engines") {
		command, says, _ := strings.Cut(line, " ")
		kind, version := engineOfVersion(says)
		switch {
		case kind == EngineUnknown && !docker:
			add(kind, version, running("docker.service"))
			how = "command " + command + " --version"
		case kind == EnginePodman && !slices.ContainsFunc(r.Engines, func(e Engine) bool { return e.Kind == EnginePodman }):
			add(kind, version, running("podman.socket"))
			how = "command " + command + " --version"
		}
	}
	if g.offline && len(r.Engines) == 0 {
		for _, c := range []string{"dockerd", "podman"} {
			if slices.Contains(g.lines("folder /usr/bin"), c) {
				add(map[string]string{"dockerd": EngineUnknown, "podman": EnginePodman}[c], "", Unknown)
				how = "file /usr/bin/" + c
			}
		}
	}
	switch {
	case len(r.Engines) > 0:
		var parts []string
		for _, e := range r.Engines {
			parts = append(parts, strings.TrimSpace(e.Kind+" "+plainVersion(e.Version)))
		}
		r.found(FactEngine, strings.Join(parts, ", "), how)
	case g.packagesKnown() || g.has("engines"):
		r.absent(FactEngine, how)
	default:
		r.unknown(FactEngine, how, g.why("packages"))
	}
}

// "Docker version 28.2.2, build e6534b4"; "podman version 4.3.1", also from a
// docker command that podman stands behind.
var engineVersion = regexp.MustCompile(`(?i)^(docker|podman) version ([0-9][0-9A-Za-z.+~-]*)`)

func engineOfVersion(says string) (kind, version string) {
	m := engineVersion.FindStringSubmatch(says)
	if m == nil {
		return EngineUnknown, ""
	}
	if strings.EqualFold(m[1], "podman") {
		return EnginePodman, m[2]
	}
	return EngineUnknown, m[2]
}

// plainVersion takes the epoch and the packager's part off a version:
// "5:26.1.4-1~debian.12~bookworm" is 26.1.4.
func plainVersion(v string) string {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		v = rest
	}
	for i, c := range v {
		if (c < '0' || c > '9') && c != '.' {
			return strings.TrimRight(v[:i], ".")
		}
	}
	return v
}

// readRuntime decides which IoT Edge is installed. The old and the new package
// exclude each other; a snap beside them is told by its own kind only when it
// is alone.
func (g *gathering) readRuntime(r *Report, units map[string]unit) {
	rt := &r.Runtime
	rt.Running = Unknown
	active := func(name string) State {
		if len(units) == 0 {
			return Unknown
		}
		if units[name].active {
			return Found
		}
		return Absent
	}
	how := "package manager"
	identity, hasIdentity := r.pkg("aziot-identity-service", "")
	if edge, ok := r.pkg("aziot-edge", ""); ok {
		*rt = Runtime{Kind: RuntimeEdge, Version: edge.Version, Running: active("aziot-edged.service")}
	} else if old, ok := r.pkg("iotedge", ""); ok {
		*rt = Runtime{Kind: Runtime11, Version: old.Version, Running: active("iotedge.service")}
	} else if snap, ok := r.pkg("azure-iot-edge", "snap"); ok {
		*rt = Runtime{Kind: RuntimeSnap, Version: snap.Version, Running: Unknown}
		identity, hasIdentity = r.pkg("azure-iot-identity", "snap")
		how = "folder /snap"
	} else if g.exists("/usr/bin/iotedge") || slices.Contains(g.lines("folder /usr/bin"), "iotedge") {
		*rt = Runtime{Kind: RuntimeFiles, Running: active("aziot-edged.service")}
		how = "file /usr/bin/iotedge"
	} else if g.packagesKnown() || g.has("exists") || g.has("folder /usr/bin") {
		rt.Kind, rt.Running = RuntimeNone, Absent
		if !g.packagesKnown() {
			how = "file /usr/bin/iotedge"
		}
	}
	if hasIdentity {
		rt.Identity = identity.Version
	}
	switch rt.Kind {
	case "":
		r.unknown(FactRuntime, how, g.why("packages"))
	case RuntimeNone:
		r.absent(FactRuntime, how)
	case RuntimeFiles:
		r.found(FactRuntime, "installed", how)
		r.Facts[len(r.Facts)-1].Why = "no package tells its version"
	default:
		r.found(FactRuntime, strings.TrimSpace(map[string]string{RuntimeEdge: "aziot-edge", Runtime11: "iotedge", RuntimeSnap: "azure-iot-edge (snap)"}[rt.Kind]+" "+plainVersion(rt.Version)), how)
	}
	switch {
	case rt.Identity != "":
		r.found(FactIdentity, plainVersion(rt.Identity), how)
	case rt.Kind == "":
		r.unknown(FactIdentity, how, g.why("packages"))
	default:
		r.absent(FactIdentity, how)
	}
}
