package hostdetect

import (
	"fmt"
	"strconv"
	"strings"
)

func (g *gathering) readCPU(r *Report) {
	var part string
	for _, line := range g.lines("cpu") {
		if n, ok := strings.CutPrefix(line, "count "); ok {
			// A nonsense count is as good as none.
			if count, err := strconv.Atoi(n); err == nil && count > 0 && count < 1<<16 {
				r.CPU.Count = count
			}
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "model name":
			r.CPU.Model = strings.Join(strings.Fields(value), " ")
		case "CPU part":
			part = value
		case "Model":
			r.CPU.Board = value
		}
	}
	if r.CPU.Model == "" {
		r.CPU.Model = armCores[part]
	}
	if board := g.line("/proc/device-tree/model"); board != "" {
		r.CPU.Board = board
	}
	if r.CPU.Board == "" {
		r.CPU.Board = strings.TrimSpace(g.line("/sys/class/dmi/id/sys_vendor") + " " + g.line("/sys/class/dmi/id/product_name"))
	}
	if r.CPU.Count == 0 && r.CPU.Model == "" {
		r.unknown(FactCPU, "file /proc/cpuinfo", g.why("/proc/cpuinfo"))
		return
	}
	value := r.CPU.Model
	if r.CPU.Count > 0 {
		value = strings.TrimSpace(fmt.Sprintf("%d x %s", r.CPU.Count, value))
	}
	r.found(FactCPU, value, "file /proc/cpuinfo")
}

// armCores names the cores that device boards carry; arm64 kernels print the
// part number only (Arm, MIDR_EL1.PartNum of implementer 0x41).
var armCores = map[string]string{
	"0xc07": "Cortex-A7", "0xc08": "Cortex-A8", "0xc09": "Cortex-A9", "0xc0f": "Cortex-A15",
	"0xd03": "Cortex-A53", "0xd04": "Cortex-A35", "0xd05": "Cortex-A55", "0xd07": "Cortex-A57",
	"0xd08": "Cortex-A72", "0xd09": "Cortex-A73", "0xd0a": "Cortex-A75", "0xd0b": "Cortex-A76",
	"0xd41": "Cortex-A78", "0xd0c": "Neoverse-N1",
}

// readMemory reads the two lines of /proc/meminfo that matter, in kB there.
func (g *gathering) readMemory(r *Report) {
	for _, line := range g.lines("memory") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, err := strconv.ParseUint(f[1], 10, 50)
		if err != nil {
			continue
		}
		switch f[0] {
		case "MemTotal:":
			r.Memory.Total = kb << 10
		case "MemAvailable:":
			r.Memory.Available = kb << 10
		}
	}
	if r.Memory.Total == 0 {
		r.unknown(FactMemory, "file /proc/meminfo", g.why("/proc/meminfo"))
		return
	}
	value := Size(r.Memory.Total)
	if r.Memory.Available > 0 {
		value += ", " + Size(r.Memory.Available) + " free"
	}
	r.found(FactMemory, value, "file /proc/meminfo")
}

// readDisks reads "PATH" followed by a line of df -Pk (POSIX format: file
// system, blocks of 1024 bytes, used, available, capacity, mount point).
func (g *gathering) readDisks(r *Report) {
	for _, line := range g.lines("disk") {
		f := strings.Fields(line)
		if len(f) < 7 || !strings.HasPrefix(f[0], "/") {
			continue
		}
		// The file system's name may hold blanks, the numbers cannot: they are
		// found from the capacity, the last field that ends in a percent sign
		// before a mount point.
		at := -1
		for i := len(f) - 2; i >= 4; i-- {
			if strings.HasSuffix(f[i], "%") {
				at = i
				break
			}
		}
		if at < 0 {
			continue
		}
		total, err1 := strconv.ParseUint(f[at-3], 10, 50)
		free, err2 := strconv.ParseUint(f[at-1], 10, 50)
		if err1 != nil || err2 != nil {
			continue
		}
		r.Disks = append(r.Disks, Disk{Path: f[0], Mount: strings.Join(f[at+1:], " "), Total: total << 10, Free: free << 10})
	}
	r.addDiskFact("command df", g.why("/"))
}

func (r *Report) addDiskFact(how, why string) {
	if len(r.Disks) == 0 {
		r.unknown(FactDisk, how, why)
		return
	}
	var parts []string
	seen := map[string]bool{}
	for _, d := range r.Disks {
		if !seen[d.Mount] {
			seen[d.Mount] = true
			parts = append(parts, Size(d.Free)+" free on "+d.Path)
		}
	}
	r.found(FactDisk, strings.Join(parts, ", "), how)
}

// Size writes a number of bytes for people, in binary units: "8 GiB",
// "1.5 MiB".
func Size(bytes uint64) string {
	const unit = 1024
	if bytes < unit {
		return strconv.FormatUint(bytes, 10) + " B"
	}
	value, name := float64(bytes), ""
	for _, name = range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		value /= unit
		if value < unit {
			break
		}
	}
	if value >= 10 {
		return fmt.Sprintf("%.0f %s", value, name)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + name
}

// readVirt decides between bare metal, a virtual machine, a container and WSL.
// systemd-detect-virt(1) knows best; without it, or where it sees nothing
// while the files do, the files decide.
func (g *gathering) readVirt(r *Report) {
	if kind, name, how := g.virtByFiles(); kind == WSL || kind == Container {
		r.Virt = Virt{Kind: kind, Name: name}
		if said := g.first("virt"); kind == Container && said != "" && said != "none" {
			r.Virt.Name = said
		}
		r.addVirtFact(how)
		return
	}
	switch said := g.first("virt"); {
	case said == "none":
		r.Virt = Virt{Kind: BareMetal}
		r.addVirtFact("command systemd-detect-virt")
		return
	case said == "wsl":
		r.Virt = Virt{Kind: WSL, Name: said}
		r.addVirtFact("command systemd-detect-virt")
		return
	case containerManagers[said]:
		r.Virt = Virt{Kind: Container, Name: said}
		r.addVirtFact("command systemd-detect-virt")
		return
	case said != "":
		r.Virt = Virt{Kind: VM, Name: said}
		r.addVirtFact("command systemd-detect-virt")
		return
	}
	if g.offline {
		r.unknown(FactVirt, "files of /proc and /sys", g.why("/proc"))
		return
	}
	kind, name, how := g.virtByFiles()
	if kind == "" {
		r.unknown(FactVirt, "files of /proc and /sys", "neither systemd-detect-virt nor a file tells")
		return
	}
	r.Virt = Virt{Kind: kind, Name: name}
	r.addVirtFact(how)
}

func (r *Report) addVirtFact(how string) {
	value := map[string]string{BareMetal: "bare metal", VM: "virtual machine", Container: "container", WSL: "WSL"}[r.Virt.Kind]
	if r.Virt.Name != "" && r.Virt.Kind != WSL {
		value += " (" + r.Virt.Name + ")"
	}
	r.found(FactVirt, value, how)
}

// The container types of systemd-detect-virt(1).
var containerManagers = map[string]bool{
	"openvz": true, "lxc": true, "lxc-libvirt": true, "systemd-nspawn": true, "docker": true,
	"podman": true, "rkt": true, "proot": true, "pouch": true, "container-other": true,
}

func (g *gathering) virtByFiles() (kind, name, how string) {
	if v := strings.ToLower(g.line("/proc/version")); strings.Contains(v, "microsoft") && (strings.Contains(v, "wsl") || g.exists("/run/WSL") || strings.Contains(v, "-microsoft")) {
		return WSL, "wsl", "file /proc/version"
	}
	if g.exists("/run/.containerenv") {
		return Container, "podman", "file /run/.containerenv"
	}
	if g.exists("/.dockerenv") {
		return Container, "docker", "file /.dockerenv"
	}
	if manager := g.line("/run/systemd/container"); manager != "" {
		return Container, manager, "file /run/systemd/container"
	}
	for _, line := range g.lines("file /proc/1/cgroup") {
		for _, m := range []string{"docker", "kubepods", "libpod", "lxc", "containerd"} {
			if strings.Contains(line, "/"+m) {
				return Container, m, "file /proc/1/cgroup"
			}
		}
	}
	dmi := strings.ToLower(g.line("/sys/class/dmi/id/sys_vendor") + " " + g.line("/sys/class/dmi/id/product_name"))
	for _, v := range []struct{ text, name string }{
		{"qemu", "qemu"}, {"kvm", "kvm"}, {"vmware", "vmware"}, {"innotek", "oracle"}, {"virtualbox", "oracle"},
		{"xen", "xen"}, {"virtual machine", "microsoft"}, {"amazon ec2", "amazon"}, {"google compute", "google"},
		{"parallels", "parallels"}, {"bochs", "bochs"}, {"openstack", "openstack"}, {"firecracker", "firecracker"},
	} {
		if strings.Contains(dmi, v.text) {
			return VM, v.name, "files of /sys/class/dmi/id"
		}
	}
	for _, line := range g.lines("cpu") {
		if line == "hypervisor" {
			return VM, "", "file /proc/cpuinfo"
		}
	}
	if g.exists("/proc/device-tree/hypervisor") {
		return VM, "", "file /proc/device-tree/hypervisor"
	}
	if strings.TrimSpace(dmi) != "" || g.line("/proc/device-tree/model") != "" {
		return BareMetal, "", "no trace of a hypervisor or container"
	}
	return "", "", ""
}
