package hostdetect

import (
	"slices"
	"strings"
	"time"
)

type outcome int

const (
	passed  outcome = iota
	stands          // something stands in the way
	unknown         // could not be made
)

// check looks at one thing of a report.
type check func(Report, Question) (outcome, []Obstacle)

// checks in the order in which a person would mend what they find.
var checks = []check{
	checkSystem, checkArch, checkMixedArch, checkSystemSupport, checkSystemd, checkVirt,
	checkEngine, checkEngineRunning, checkRuntime, checkRuntimeSupport, checkIdentity, checkUsers,
	checkProvisioning, checkClock, checkTimeSync, checkMemory,
	checkDiskOf("/var"), checkDiskOf("/etc"), checkDiskOf("/var/lib/docker"), checkDiskOf("/"),
	checkHostname, checkTPM, checkProxy, checkReach,
}

func finds(o ...Obstacle) (outcome, []Obstacle) { return stands, o }

func lastingly(o Obstacle) Obstacle {
	o.lasting = true
	return o
}

// onLinux says whether the Linux ways come into question at all, so that a
// Windows computer is not told what Linux needs.
func onLinux(r Report) bool { return r.OS.Family == Linux || r.OS.Family == "" }

func checkSystem(r Report, _ Question) (outcome, []Obstacle) {
	switch {
	case r.OS.Family == Windows:
		return finds(lastingly(obstacle(FactOS, Error, "obstacle.os.windows")))
	case r.OS.Family != "" && r.OS.Family != Linux:
		return finds(lastingly(obstacle(FactOS, Error, "obstacle.os.other", "os", r.OS.Pretty)))
	case r.OS.ID == "":
		return finds(obstacle(FactOS, Care, "obstacle.os.unknown"))
	}
	return passed, nil
}

// Architectures for which the runtime is built.
var architectures = []string{"amd64", "arm64", "armhf"}

func checkArch(r Report, _ Question) (outcome, []Obstacle) {
	switch {
	case !onLinux(r):
		return unknown, nil
	case r.Arch.Userland == "":
		return finds(obstacle(FactArch, Care, "obstacle.arch.unknown"))
	case !slices.Contains(architectures, r.Arch.Userland):
		return finds(lastingly(obstacle(FactArch, Error, "obstacle.arch.none", "arch", r.Arch.Userland)))
	}
	return passed, nil
}

func checkMixedArch(r Report, _ Question) (outcome, []Obstacle) {
	switch {
	case r.Arch.Kernel == "" || !onLinux(r):
		return unknown, nil
	case r.Arch.Kernel != r.Arch.Userland && r.Arch.Kernel == "arm64":
		return finds(obstacle(FactArch, Note, "obstacle.arch.mixed", "userland", r.Arch.Userland, "kernel", r.Arch.Kernel))
	}
	return passed, nil
}

// checkSystemSupport asks about the system under the newest runtime, so that
// an old runtime is told once, by checkRuntimeSupport. A system that only an
// older runtime serves is told with that runtime's own end.
func checkSystemSupport(r Report, q Question) (outcome, []Obstacle) {
	now := q.now(r)
	newest := q.Support.Newest(Linux, now)
	if !onLinux(r) || r.OS.ID == "" || r.Arch.Userland == "" || newest == "" {
		return unknown, nil
	}
	s := q.Support.For(Linux, r.OS.ID, r.OS.Version, r.Arch.Userland, newest, now)
	if s.State == Unlisted {
		if last, ok := q.Support.last(r, now); ok {
			s = last
		}
	}
	args := []string{"os", r.OS.Pretty, "arch", r.Arch.Userland, "until", day(s.Until)}
	switch s.State {
	case Supported:
		return passed, nil
	case Ending:
		return finds(obstacle(FactOS, Care, "obstacle.os.ending", args...))
	case Ended:
		return finds(obstacle(FactOS, Care, "obstacle.os.ended", args...))
	}
	return finds(obstacle(FactOS, Care, "obstacle.os.unlisted", args...))
}

// last gives how the newest runtime that ever served the report's system
// stands there.
func (t Table) last(r Report, now time.Time) (Support, bool) {
	best := Support{}
	for _, row := range t.systems {
		if row.Platform != Linux || row.OS != r.OS.ID || !fitsVersion(row.Version, r.OS.Version) || !slices.Contains(row.Arch, r.Arch.Userland) {
			continue
		}
		for _, runtime := range row.Runtime {
			if compareVersions(runtime, best.Runtime) > 0 {
				best = t.Platform(Linux, runtime, now)
				if until := row.Until.AsTime(time.UTC); !isZero(row.Until) && until.Before(best.Until) {
					best.Until, best.State = until, stateAt(until, now)
				}
			}
		}
	}
	return best, best.Runtime != ""
}

// day writes a date for people and machines alike.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func checkSystemd(r Report, _ Question) (outcome, []Obstacle) {
	s := r.Systemd
	switch {
	case !onLinux(r) || s.Installed == Unknown || s.Installed == "":
		return unknown, nil
	case s.Installed == Absent:
		return finds(lastingly(obstacle(FactSystemd, Error, "obstacle.systemd.absent")))
	case s.Running == Absent:
		return finds(obstacle(FactSystemd, Error, "obstacle.systemd.stopped"))
	}
	return passed, nil
}

func checkVirt(r Report, _ Question) (outcome, []Obstacle) {
	switch {
	case !onLinux(r) || r.Virt.Kind == "":
		return unknown, nil
	case r.Virt.Kind == Container:
		return finds(obstacle(FactVirt, Care, "obstacle.virt.container", "name", r.Virt.Name))
	case r.Virt.Kind == WSL:
		return finds(obstacle(FactVirt, Care, "obstacle.virt.wsl"))
	}
	return passed, nil
}

func (r Report) engine(kinds ...string) (Engine, bool) {
	for _, e := range r.Engines {
		if slices.Contains(kinds, e.Kind) {
			return e, true
		}
	}
	return Engine{}, false
}

// softly lowers an error to care where nothing runs: what a mounted root lacks
// can be installed before its first start.
func softly(r Report) Level {
	if r.Offline {
		return Care
	}
	return Error
}

func checkEngine(r Report, _ Question) (outcome, []Obstacle) {
	if !onLinux(r) || r.Fact(FactEngine).Found == Unknown {
		return unknown, nil
	}
	if _, ok := r.engine(EngineMoby, EngineDocker, EngineUnknown); ok {
		return passed, nil
	}
	if _, ok := r.engine(EngineDistro); ok {
		return finds(obstacle(FactEngine, Note, "obstacle.engine.distro"))
	}
	if _, ok := r.engine(EngineSnap); ok {
		if r.Runtime.Kind == RuntimeSnap {
			return passed, nil
		}
		return finds(obstacle(FactEngine, softly(r), "obstacle.engine.snap"))
	}
	if _, ok := r.engine(EnginePodman); ok {
		return finds(obstacle(FactEngine, softly(r), "obstacle.engine.podman"))
	}
	return finds(obstacle(FactEngine, softly(r), "obstacle.engine.absent"))
}

func checkEngineRunning(r Report, _ Question) (outcome, []Obstacle) {
	e, ok := r.engine(EngineMoby, EngineDocker, EngineUnknown, EngineDistro, EngineSnap)
	switch {
	case !ok || e.Running == Unknown:
		return unknown, nil
	case e.Running == Found:
		return passed, nil
	}
	o := obstacle(FactEngine, Error, "obstacle.engine.stopped")
	if r.Systemd.Running == Found && e.Kind != EngineSnap {
		o.Mend = MendEngine
	}
	return finds(o)
}

func checkRuntime(r Report, q Question) (outcome, []Obstacle) {
	switch r.Runtime.Kind {
	case RuntimeEdge:
		return passed, nil
	case RuntimeFiles:
		return finds(obstacle(FactRuntime, Care, "obstacle.runtime.files"))
	case RuntimeSnap:
		return finds(obstacle(FactRuntime, softly(r), "obstacle.runtime.snap"))
	case Runtime11:
		until := q.Support.Platform(Linux, "1.1", q.now(r)).Until
		return finds(obstacle(FactRuntime, softly(r), "obstacle.runtime.old", "until", day(until)))
	case RuntimeNone:
		if onLinux(r) {
			return finds(obstacle(FactRuntime, softly(r), "obstacle.runtime.absent"))
		}
	}
	return unknown, nil
}

func checkRuntimeSupport(r Report, q Question) (outcome, []Obstacle) {
	if r.Runtime.Kind != RuntimeEdge && r.Runtime.Kind != RuntimeSnap || minor(r.Runtime.Version) == "" {
		return unknown, nil
	}
	now := q.now(r)
	s := q.Support.Platform(Linux, r.Runtime.Version, now)
	args := []string{"version", minor(r.Runtime.Version), "until", day(s.Until), "newest", q.Support.Newest(Linux, now)}
	switch s.State {
	case Supported:
		return passed, nil
	case Ending:
		return finds(obstacle(FactRuntime, Care, "obstacle.runtime.ending", args...))
	case Ended:
		return finds(obstacle(FactRuntime, Care, "obstacle.runtime.ended", args...))
	}
	if q.Support.Newest(Linux, now) == "" {
		return unknown, nil
	}
	return finds(obstacle(FactRuntime, Note, "obstacle.runtime.unlisted", args...))
}

func checkIdentity(r Report, _ Question) (outcome, []Obstacle) {
	switch {
	case r.Runtime.Kind != RuntimeEdge:
		return unknown, nil
	case r.Runtime.Identity == "":
		return finds(obstacle(FactIdentity, softly(r), "obstacle.identity.absent"))
	}
	return passed, nil
}

// The users that files are owned by; the runtime's own is not among them.
var ownersOfFiles = []string{"aziotks", "aziotcs", "aziotid"}

func checkUsers(r Report, _ Question) (outcome, []Obstacle) {
	// Without the runtime its users are missing as a matter of course.
	if !r.Users.Known || r.Runtime.Kind != RuntimeEdge && r.Runtime.Kind != RuntimeFiles {
		return unknown, nil
	}
	var missing []string
	for _, name := range ownersOfFiles {
		if !r.Users.Has(name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return finds(obstacle(FactUsers, Error, "obstacle.users.missing", "users", strings.Join(missing, ", ")))
	}
	return passed, nil
}

func checkProvisioning(r Report, _ Question) (outcome, []Obstacle) {
	p := r.Provisioning
	switch p.Config {
	case Absent:
		return passed, nil
	case Found:
		o := obstacle(FactProvisioning, Note, "obstacle.provisioned.other")
		if p.Source != "" && p.Authentication != "" {
			o.Problem = say("obstacle.provisioned.known", "source", p.Source, "authentication", p.Authentication)
		}
		o.Fix = say("obstacle.provisioned.fix")
		return finds(o)
	}
	return unknown, nil
}
