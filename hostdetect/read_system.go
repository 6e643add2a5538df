package hostdetect

import (
	"slices"
	"strconv"
	"strings"
)

// readOS reads os-release(5), from either of its two places.
func (g *gathering) readOS(r *Report) {
	r.OS.Family = g.family()
	for _, p := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		body, state := g.file(p)
		if state != Found {
			continue
		}
		family := r.OS.Family
		r.OS = parseOSRelease(body)
		r.OS.Family = family
		if r.OS.Family == "" {
			r.OS.Family = "linux"
		}
		if r.OS.Pretty != "" {
			r.found(FactOS, r.OS.Pretty, "file "+p)
			return
		}
	}
	if r.OS.Family != "" && r.OS.Family != "linux" {
		r.OS.ID, r.OS.Pretty = r.OS.Family, r.OS.Family
		r.found(FactOS, r.OS.Family, "command uname")
		return
	}
	r.unknown(FactOS, "file /etc/os-release", g.why("/etc/os-release"))
}

// family is the kernel's kind in lower case; a folder with os-release is Linux.
func (g *gathering) family() string {
	name, _, _ := strings.Cut(g.first("uname"), " ")
	name = strings.ToLower(name)
	for _, windows := range []string{"msys", "mingw", "cygwin"} {
		if strings.HasPrefix(name, windows) {
			return "windows"
		}
	}
	return name
}

// parseOSRelease reads the shell-like assignments of os-release. What it does
// not understand it leaves out. Pretty falls back on NAME and VERSION.
func parseOSRelease(body string) OS {
	v := map[string]string{}
	for line := range strings.Lines(body) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(key, "#") {
			v[strings.TrimSpace(key)] = unquote(strings.TrimSpace(value))
		}
	}
	o := OS{
		ID: strings.ToLower(v["ID"]), Version: v["VERSION_ID"],
		Codename: v["VERSION_CODENAME"], Pretty: v["PRETTY_NAME"],
		Like: strings.Fields(strings.ToLower(v["ID_LIKE"])),
	}
	if o.Pretty == "" {
		name := v["NAME"]
		if name == "" {
			name = o.ID
		}
		o.Pretty = strings.TrimSpace(name + " " + v["VERSION"])
	}
	return o
}

// unquote takes off one pair of quotes and the escapes of double ones.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] {
		return s
	}
	switch s[0] {
	case '\'':
		return s[1 : len(s)-1]
	case '"':
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\$`, `$`, "\\`", "`").Replace(s[1 : len(s)-1])
	}
	return s
}

// readArch asks the package manager first, because it decides what can be
// installed; then the header of a program of the host; the kernel comes last.
func (g *gathering) readArch(r *Report) {
	if f := strings.Fields(g.first("uname")); len(f) >= 4 {
		// The node name stands between: sysname nodename release machine.
		r.Arch.Kernel = archOfMachine(f[len(f)-1])
	}
	how := ""
	switch {
	case g.first("dpkg-arch") != "":
		r.Arch.Userland, how = g.first("dpkg-arch"), "command dpkg"
	case dpkgOwnArch(g.lines("dpkg")) != "":
		r.Arch.Userland, how = dpkgOwnArch(g.lines("dpkg")), "file /var/lib/dpkg/status"
	case g.line("/etc/apk/arch") != "":
		r.Arch.Userland, how = archOfMachine(g.line("/etc/apk/arch")), "file /etc/apk/arch"
	case archOfELF(g.lines("elf")) != "":
		r.Arch.Userland, how = archOfELF(g.lines("elf")), "header of a program"
	case r.Arch.Kernel != "":
		r.Arch.Userland, how = r.Arch.Kernel, "command uname"
	default:
		r.unknown(FactArch, "command uname", g.why("uname"))
		return
	}
	value := r.Arch.Userland
	if r.Arch.Kernel != "" && r.Arch.Kernel != value {
		value += " on a kernel for " + r.Arch.Kernel
	}
	r.found(FactArch, value, how)
}

// archOfMachine turns the kernel's or Alpine's name into Debian's.
func archOfMachine(machine string) string {
	switch {
	case machine == "x86_64" || machine == "amd64":
		return "amd64"
	case machine == "aarch64" || machine == "arm64" || machine == "armv8b":
		return "arm64"
	case strings.HasPrefix(machine, "armv6"), machine == "armel":
		return "armel"
	case strings.HasPrefix(machine, "armv7"), strings.HasPrefix(machine, "armv8"), machine == "armhf":
		return "armhf"
	case machine == "x86" || (len(machine) == 4 && machine[0] == 'i' && machine[2:] == "86"):
		return "i386"
	}
	return machine
}

// archOfELF reads the class, byte order and machine of an ELF header given as
// hexadecimal bytes (System V ABI, e_ident and e_machine).
func archOfELF(lines []string) string {
	var b []byte
	for _, field := range strings.Fields(strings.Join(lines, " ")) {
		n, err := strconv.ParseUint(field, 16, 8)
		if err != nil {
			return ""
		}
		b = append(b, byte(n))
	}
	if len(b) < 20 || string(b[:4]) != "\x7fELF" || b[5] != 1 {
		return ""
	}
	switch machine := int(b[18]) | int(b[19])<<8; {
	case machine == 62 && b[4] == 2:
		return "amd64"
	case machine == 183:
		return "arm64"
	case machine == 40:
		return "armhf"
	case machine == 3:
		return "i386"
	case machine == 243 && b[4] == 2:
		return "riscv64"
	}
	return ""
}

func (g *gathering) readKernel(r *Report) {
	if f := strings.Fields(g.first("uname")); len(f) >= 4 {
		r.Kernel = f[2]
		r.found(FactKernel, r.Kernel, "command uname")
		return
	}
	for _, folder := range []string{"/lib/modules", "/usr/lib/modules"} {
		if names := g.lines("folder " + folder); len(names) > 0 {
			r.found(FactKernel, strings.Join(names, ", "), "folder "+folder)
			r.Facts[len(r.Facts)-1].Why = "installed, not known to run"
			return
		}
	}
	r.unknown(FactKernel, "command uname", g.why("uname"))
}

func (g *gathering) readSystemd(r *Report) {
	s := &r.Systemd
	s.Installed, s.Running = Absent, Unknown
	for _, folder := range []string{"/usr/lib/systemd", "/lib/systemd"} {
		if g.exists(folder+"/systemd") || slices.Contains(g.lines("folder "+folder), "systemd") {
			s.Installed = Found
		}
	}
	// "systemd 252 (252.38-1~deb12u1)"
	if f := strings.Fields(g.first("systemd")); len(f) >= 2 && f[0] == "systemd" {
		s.Version = f[1]
	}
	how := "folder /run/systemd/system"
	if !g.offline && g.has("exists") {
		s.Running = Absent
		if g.exists("/run/systemd/system") {
			s.Installed, s.Running = Found, Found
		}
	}
	switch {
	case s.Running == Found:
		r.found(FactSystemd, strings.TrimSpace(s.Version+" running"), how)
	case s.Running == Absent && s.Installed == Found:
		r.found(FactSystemd, "installed, not running", how)
	case s.Installed == Found:
		r.found(FactSystemd, "installed", "folder /usr/lib/systemd")
	case !g.offline && !g.has("exists"):
		s.Installed = Unknown
		r.unknown(FactSystemd, how, g.why("/run/systemd/system"))
	default:
		r.absent(FactSystemd, how)
	}
}

// readNames reads the host name and machine-id(5).
func (g *gathering) readNames(r *Report) {
	how := "command uname"
	if f := strings.Fields(g.first("uname")); len(f) >= 4 {
		r.Hostname = f[1]
	} else {
		r.Hostname, how = g.line("/etc/hostname"), "file /etc/hostname"
	}
	if r.Hostname != "" {
		r.found(FactHostname, r.Hostname, how)
	} else {
		r.unknown(FactHostname, how, g.why("/etc/hostname"))
	}
	id, how := g.line("/etc/machine-id"), "file /etc/machine-id"
	_, state := g.file("/etc/machine-id")
	switch {
	case isHex(id) && len(id) == 32:
		r.MachineID = id
		r.found(FactMachineID, id, how)
	case state == Unknown:
		r.unknown(FactMachineID, how, g.why("/etc/machine-id"))
	default:
		// Empty or "uninitialized" in an image that has never been started.
		r.absent(FactMachineID, how)
	}
}

func isHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdef") == ""
}
