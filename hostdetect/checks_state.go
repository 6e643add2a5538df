package hostdetect

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Clock offsets from which tokens or certificates are refused for sure, and
// from which iotedge check warns (host-local-time).
const (
	clockWrong = 5 * time.Minute
	clockOff   = 10 * time.Second
)

func checkClock(r Report, _ Question) (outcome, []Obstacle) {
	c := r.Clock
	if !c.Known {
		return unknown, nil
	}
	size := max(c.Offset, -c.Offset)
	// Only what is off beyond doubt counts.
	sure := size - c.Error
	if sure <= clockOff {
		return passed, nil
	}
	o := Obstacle{Key: FactClock, Level: Care}
	if sure > clockWrong {
		o.Level = Error
	}
	direction := "obstacle.clock.ahead"
	if c.Offset < 0 {
		direction = "obstacle.clock.behind"
	}
	o.Problem = say(direction, "span", Span(size))
	switch {
	case c.Running == Found:
		o.Fix = say("obstacle.clock.sync-running", "service", c.Service)
	case c.Service != "" && c.Running == Absent:
		o.Fix = say("obstacle.clock.sync-stopped", "service", c.Service)
		if r.Systemd.Running == Found {
			o.Mend = MendTimeSync
		}
	case c.Running == Absent:
		o.Fix = say("obstacle.clock.sync-absent")
	default:
		o.Fix = say("obstacle.clock.sync-unknown")
	}
	return finds(o)
}

// checkTimeSync is about the future; a clock that is off now has told of the
// service already. Containers take their host's time.
func checkTimeSync(r Report, q Question) (outcome, []Obstacle) {
	c := r.Clock
	if _, off := checkClock(r, q); len(off) > 0 || r.Virt.Kind == Container || r.Virt.Kind == WSL {
		return unknown, nil
	}
	switch {
	case c.Running == Found || c.Synchronized == Found:
		return passed, nil
	case !onLinux(r) || c.Running != Absent:
		return unknown, nil
	case c.Service == "":
		return finds(obstacle(FactTimeSync, Care, "obstacle.timesync.absent"))
	}
	o := obstacle(FactTimeSync, Care, "obstacle.timesync.stopped", "service", c.Service)
	if r.Systemd.Running == Found {
		o.Mend = MendTimeSync
	}
	return finds(o)
}

const mib = 1 << 20

func checkMemory(r Report, _ Question) (outcome, []Obstacle) {
	switch {
	case r.Memory.Total == 0 || !onLinux(r):
		return unknown, nil
	// A machine sold with 512 MiB shows somewhat less to its system.
	case r.Memory.Total < 448*mib:
		return finds(obstacle(FactMemory, Care, "obstacle.memory.low", "total", Size(r.Memory.Total)))
	}
	return passed, nil
}

// diskNeeds is what a path must have free for provisioning to work at all, and
// what it should have for the runtime's first modules (agent and hub take
// about 0.5 GB, downloaded and unpacked).
var diskNeeds = map[string]struct{ least, should uint64 }{
	"/":               {32 * mib, 0},
	"/etc":            {4 * mib, 0},
	"/var":            {128 * mib, 1024 * mib},
	"/var/lib/docker": {128 * mib, 1024 * mib},
}

// checkDiskOf looks at one path; one that shares its file system with a path
// of greater need is that one's business.
func checkDiskOf(path string) check {
	return func(r Report, _ Question) (outcome, []Obstacle) {
		if !onLinux(r) {
			return unknown, nil
		}
		at := slices.IndexFunc(r.Disks, func(d Disk) bool { return d.Path == path })
		if at < 0 {
			return unknown, nil
		}
		d, need := r.Disks[at], diskNeeds[path]
		for _, other := range r.Disks {
			n := diskNeeds[other.Path]
			greater := n.least > need.least || n.least == need.least && other.Path < path
			if other.Path != path && other.Mount == d.Mount && greater {
				return passed, nil
			}
		}
		args := []string{"free", Size(d.Free), "path", path, "mount", d.Mount}
		switch {
		case d.Free < need.least:
			return finds(obstacle(FactDisk, Error, "obstacle.disk.full", args...))
		case d.Free < need.should:
			return finds(obstacle(FactDisk, Care, "obstacle.disk.low", args...))
		}
		return passed, nil
	}
}

func checkHostname(r Report, _ Question) (outcome, []Obstacle) {
	switch name := r.Hostname; {
	case !onLinux(r) || name == "" && r.Fact(FactHostname).Found == Unknown:
		return unknown, nil
	case name == "" || name == "localhost" || name == "(none)":
		return finds(obstacle(FactHostname, Care, "obstacle.hostname.empty"))
	case len(name) > 64:
		return finds(obstacle(FactHostname, Care, "obstacle.hostname.long"))
	case !hostnameOK(name):
		return finds(obstacle(FactHostname, Care, "obstacle.hostname.rule", "name", name))
	}
	return passed, nil
}

// hostnameOK checks the rule of RFC 1035, section 2.3.1, that iotedge check
// applies: labels begin with a letter, end with a letter or digit, and have at
// most 63 characters of letters, digits and hyphens.
func hostnameOK(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			letter := c|0x20 >= 'a' && c|0x20 <= 'z'
			digit := c >= '0' && c <= '9'
			if !letter && (i == 0 || !digit && (c != '-' || i == len(label)-1)) {
				return false
			}
		}
	}
	return true
}

func checkTPM(r Report, _ Question) (outcome, []Obstacle) {
	switch {
	case r.TPM.State != Found || !onLinux(r):
		return unknown, nil
	case len(r.TPM.Nodes) == 0:
		return finds(obstacle(FactTPM, Note, "obstacle.tpm.node"))
	case !r.Users.Has("aziottpm"):
		return unknown, nil
	case !r.MayOpen("aziottpm"):
		o := obstacle(FactTPM, Note, "obstacle.tpm.closed")
		o.Mend = MendTPM
		return finds(o)
	}
	return passed, nil
}

// proxied are the services that need a setting of their own.
var proxied = []string{"docker", "aziot-edged", "aziot-identityd"}

func checkProxy(r Report, _ Question) (outcome, []Obstacle) {
	if !onLinux(r) || r.Fact(FactProxy).Found == Unknown {
		return unknown, nil
	}
	var out []Obstacle
	has := map[string]bool{}
	set, https := false, false
	for _, p := range r.Proxies {
		if p.Name == "no_proxy" {
			continue
		}
		has[p.Where], set = true, true
		https = https || strings.HasPrefix(strings.ToLower(p.URL), "https://")
	}
	has["docker"] = has["docker"] || has["dockerd"]
	var missing []string
	for _, unit := range proxied {
		if !has[unit] {
			missing = append(missing, unit)
		}
	}
	if set && len(missing) > 0 {
		out = append(out, obstacle(FactProxy, Care, "obstacle.proxy.missing", "units", strings.Join(missing, ", ")))
	}
	if https {
		out = append(out, obstacle(FactProxy, Care, "obstacle.proxy.https"))
	}
	if len(out) > 0 {
		return finds(out...)
	}
	return passed, nil
}

// checkReach is one check for all endpoints: each that fails is an obstacle.
// Behind a proxy, no direct answer is no proof.
func checkReach(r Report, _ Question) (outcome, []Obstacle) {
	if len(r.Reach) == 0 {
		return unknown, nil
	}
	proxy := ""
	for _, p := range r.Proxies {
		if p.Name != "no_proxy" {
			proxy = p.URL
		}
	}
	var out []Obstacle
	for _, e := range r.Reach {
		args := []string{"host", e.Host, "port", strconv.Itoa(e.Port), "proxy", proxy}
		switch {
		case e.Open == Found:
		case e.Open == Absent && proxy != "":
			out = append(out, obstacle(FactReach, Note, "obstacle.reach.proxy", args...))
		case e.Resolved == Absent:
			out = append(out, obstacle(FactReach, Error, "obstacle.reach.name", args...))
		case e.Open == Absent:
			out = append(out, obstacle(FactReach, Error, "obstacle.reach.port", args...))
		default:
			out = append(out, obstacle(FactReach, Note, "obstacle.reach.unknown", args...))
		}
	}
	if len(out) > 0 {
		return finds(out...)
	}
	return passed, nil
}
