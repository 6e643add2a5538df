package hostdetect

import "time"

// Report is what is known about a host. The typed fields are for decisions,
// Facts for showing. Sizes are bytes.
type Report struct {
	Taken time.Time `json:"taken"`
	// Local: the host is this computer. Offline: only files were read (a
	// mounted root), so nothing that runs can be known.
	Local   bool `json:"local"`
	Offline bool `json:"offline"`
	// Root: the look itself ran as root.
	Root bool `json:"root"`

	OS           OS             `json:"os"`
	Arch         Arch           `json:"arch"`
	Kernel       string         `json:"kernel"`
	Virt         Virt           `json:"virt"`
	CPU          CPU            `json:"cpu"`
	Memory       Memory         `json:"memory"`
	Disks        []Disk         `json:"disks"`
	Systemd      Systemd        `json:"systemd"`
	Engines      []Engine       `json:"engines"`
	Packages     []Package      `json:"packages"`
	Runtime      Runtime        `json:"runtime"`
	Provisioning Provisioning   `json:"provisioning"`
	Users        Users          `json:"users"`
	TPM          TPM            `json:"tpm"`
	Clock        Clock          `json:"clock"`
	Hostname     string         `json:"hostname"`
	MachineID    string         `json:"machine_id"`
	Interfaces   []Interface    `json:"interfaces"`
	Proxies      []Proxy        `json:"proxies"`
	Store        Store          `json:"store"`
	Reach        []Reachability `json:"reach"`
	Facts        []Fact         `json:"facts"`
}

// OS is an operating system, by os-release(5) on Linux.
type OS struct {
	Family   string   `json:"family"` // linux, windows, darwin, freebsd ...; empty if unknown
	ID       string   `json:"id"`     // debian, ubuntu, raspbian, rhel ...; windows
	Like     []string `json:"like,omitempty"`
	Version  string   `json:"version"` // VERSION_ID; on Windows major.minor.build
	Codename string   `json:"codename,omitempty"`
	Pretty   string   `json:"pretty"`
	Edition  string   `json:"edition,omitempty"` // Windows: EditionID
}

// Arch names processor architectures as Debian does: amd64, arm64, armhf,
// i386, riscv64 ... Userland decides which packages fit; a 64-bit kernel may
// carry a 32-bit userland (Raspberry Pi OS).
type Arch struct {
	Userland string `json:"userland"`
	Kernel   string `json:"kernel"`
}

// The kinds of [Virt].
const (
	BareMetal = "bare"
	VM        = "vm"
	Container = "container"
	WSL       = "wsl"
)

// Virt says what a system runs in. Kind is empty where that is unknown; Name
// is the hypervisor or container manager (kvm, docker ...), or empty.
type Virt struct {
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
}

// CPU describes the processor; Count is of logical processors, 0 if unknown.
// Board is the name of a single-board computer or of the machine.
type CPU struct {
	Model string `json:"model"`
	Count int    `json:"count"`
	Board string `json:"board,omitempty"`
}

// Memory in bytes; 0 means unknown.
type Memory struct {
	Total     uint64 `json:"total"`
	Available uint64 `json:"available"`
}

// Disk is the file system that holds Path, one of the paths that matter.
type Disk struct {
	Path  string `json:"path"`
	Mount string `json:"mount"`
	Total uint64 `json:"total"`
	Free  uint64 `json:"free"` // for ordinary users
}

// Systemd says whether systemd is installed, and whether it is what runs the
// host.
type Systemd struct {
	Installed State  `json:"installed"`
	Running   State  `json:"running"`
	Version   string `json:"version,omitempty"`
}

// The kinds of [Engine].
const (
	EngineMoby    = "moby"
	EngineDocker  = "docker-ce"
	EngineDistro  = "docker.io" // the distribution's own build of Docker
	EngineSnap    = "docker-snap"
	EnginePodman  = "podman"
	EngineUnknown = "docker" // the docker command is there, of no known package
)

// Engine is a container engine that is installed.
type Engine struct {
	Kind    string `json:"kind"`
	Version string `json:"version,omitempty"`
	Running State  `json:"running"`
}

// Package is an installed package that bears on IoT Edge. Manager is dpkg, rpm
// or snap; Arch is empty for snaps.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch,omitempty"`
	Manager string `json:"manager"`
}

// The kinds of [Runtime].
const (
	RuntimeNone  = "none"
	RuntimeEdge  = "aziot-edge" // 1.2 and later
	Runtime11    = "iotedge"    // 1.0 and 1.1
	RuntimeSnap  = "snap"       // azure-iot-edge
	RuntimeEFLOW = "eflow"      // on Windows: the EFLOW product
	RuntimeFiles = "files"      // the program is there, its package unknown
)

// Runtime is the IoT Edge runtime that is installed. Kind is empty where that
// could not be found out.
type Runtime struct {
	Kind     string `json:"kind"`
	Version  string `json:"version,omitempty"`
	Identity string `json:"identity,omitempty"` // version of aziot-identity-service
	Running  State  `json:"running"`
}

// Provisioning is what the device is configured as already. No value of the
// configuration is kept but the two kinds, which may be empty where the file
// cannot be read.
type Provisioning struct {
	Config         State  `json:"config"` // whether a configuration is there
	Path           string `json:"path,omitempty"`
	Readable       bool   `json:"readable"`
	Source         string `json:"source,omitempty"`         // manual, dps, or as the file has it
	Authentication string `json:"authentication,omitempty"` // symmetric-key, x509, tpm
}

// Users says which of the services' users and groups exist.
type Users struct {
	Known  bool     `json:"known"`
	Names  []string `json:"names"`
	Groups []Group  `json:"groups"`
}

// Group is one group of the group file that bears on IoT Edge.
type Group struct {
	Name    string   `json:"name"`
	Members []string `json:"members"`
}

// Has says whether a service user exists.
func (u Users) Has(name string) bool {
	for _, n := range u.Names {
		if n == name {
			return true
		}
	}
	return false
}

// TPM is the trusted platform module, seen without opening it.
type TPM struct {
	State       State     `json:"state"`
	Version     string    `json:"version,omitempty"` // 2.0 or 1.2; empty if unknown
	Vendor      string    `json:"vendor,omitempty"`
	Description string    `json:"description,omitempty"`
	Nodes       []TPMNode `json:"nodes"`
}

// TPMNode is a device node and who may open it.
type TPMNode struct {
	Path  string `json:"path"`
	Owner string `json:"owner"`
	Group string `json:"group"`
	Mode  string `json:"mode"` // octal, as 660
	Open  bool   `json:"open"` // whether the user who looked may open it
}

// Clock compares the host's clock and says who keeps it right.
type Clock struct {
	// Known says that Offset holds. Offset is host minus reference: positive
	// when the host's clock is ahead. Error is half the width of the interval
	// in which the true offset lies.
	Known  bool          `json:"known"`
	Offset time.Duration `json:"offset"`
	Error  time.Duration `json:"error"`
	// Against is "computer" or "server".
	Against string `json:"against,omitempty"`
	// Service is what keeps the time, by name (systemd-timesyncd, chrony ...);
	// empty if none is installed or known.
	Service      string `json:"service,omitempty"`
	Running      State  `json:"running"`
	Synchronized State  `json:"synchronized"`
}

// Interface is a network interface with its addresses in CIDR notation.
type Interface struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
}

// Proxy is one proxy setting. Where is session, host, dockerd, or a unit's
// name. User information in URL is masked.
type Proxy struct {
	Where string `json:"where"`
	Name  string `json:"name"` // https_proxy, http_proxy, no_proxy ...; lower case
	URL   string `json:"url"`
}

// Store is the credential store of this computer's desktop.
type Store struct {
	State State  `json:"state"`
	Name  string `json:"name,omitempty"` // Secret Service, Credential Manager
}

// Endpoint is something that the plan needs to reach.
type Endpoint struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	Use  string `json:"use,omitempty"` // what for, as the caller calls it
}

// Reachability is what a host found when it tried an endpoint, past any proxy.
type Reachability struct {
	Endpoint
	Resolved State  `json:"resolved"`
	Address  string `json:"address,omitempty"`
	Open     State  `json:"open"`
	How      string `json:"how"` // which tool tried
	Why      string `json:"why,omitempty"`
}
