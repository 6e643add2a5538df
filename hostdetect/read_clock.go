package hostdetect

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// unit is what systemctl show says of one unit.
type unit struct {
	loaded, active bool
	proxies        []string // NAME=URL
}

// parseUnits reads the blocks of "systemctl show": properties in any order,
// with a new block at a blank line. Blank lines are gone here, so a second Id
// or a repeated property starts the next block.
func parseUnits(lines []string) map[string]unit {
	units := map[string]unit{}
	var u unit
	name := ""
	seen := map[string]bool{}
	flush := func() {
		if name != "" {
			units[name] = u
		}
		u, name, seen = unit{}, "", map[string]bool{}
	}
	for _, line := range lines {
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		if key != "Proxy" && seen[key] {
			flush()
		}
		seen[key] = true
		switch key {
		case "Id":
			name = value
		case "LoadState":
			u.loaded = value == "loaded"
		case "ActiveState":
			u.active = value == "active" || value == "activating" || value == "reloading"
		case "Proxy":
			u.proxies = append(u.proxies, value)
		}
	}
	flush()
	return units
}

// parseStamp reads "seconds.nanoseconds" since the epoch; a date without
// nanoseconds prints the format letter instead, which counts as half a second.
func parseStamp(s string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(strings.TrimSpace(s), ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<38 {
		return time.Time{}, false
	}
	nanos := int64(coarse)
	if len(fraction) == 9 {
		if n, err := strconv.ParseInt(fraction, 10, 64); err == nil && n >= 0 {
			nanos = n
		}
	}
	return time.Unix(seconds, nanos).UTC(), true
}

const coarse = time.Second / 2

// readClock bounds the offset: the host's first stamp was taken after we asked,
// its last before we had the answer.
func (g *gathering) readClock(r *Report, o Options) {
	how := "command date"
	if o.Local {
		how = "a server's date"
	}
	var server time.Duration // our clock minus the server's
	haveServer := !o.ServerDate.IsZero() && !o.ServerDateAt.IsZero()
	if haveServer {
		server = o.ServerDateAt.Sub(o.ServerDate)
	}
	switch {
	case o.Local && haveServer:
		r.Clock.Known, r.Clock.Offset, r.Clock.Error, r.Clock.Against = true, server, coarse, "server"
	case o.Local:
		r.unknown(FactClock, how, "this computer's clock has nothing to be compared with")
		return
	case len(g.clocks) == 0:
		r.unknown(FactClock, how, g.why("clock"))
		return
	default:
		high := g.clocks[0].Sub(g.sent)
		low := g.clocks[len(g.clocks)-1].Sub(g.answered)
		r.Clock.Known, r.Clock.Against = true, "computer"
		r.Clock.Offset = low + (high-low)/2
		r.Clock.Error = max(high-low, low-high) / 2
		if g.clocks[0].Nanosecond() == int(coarse) {
			r.Clock.Error += coarse
		}
		if haveServer {
			r.Clock.Offset += server
			r.Clock.Error += coarse
			r.Clock.Against = "server"
		}
	}
	r.found(FactClock, OffsetText(r.Clock.Offset, r.Clock.Error), how)
}

// OffsetText writes an offset for people: "4 min 12 s behind", "right" where it
// is below a second or below its own error.
func OffsetText(offset, uncertain time.Duration) string {
	size := max(offset, -offset)
	if size < time.Second || size <= uncertain {
		return "right"
	}
	if offset < 0 {
		return Span(size) + " behind"
	}
	return Span(size) + " ahead"
}

// Span writes a positive duration with its two largest units: "4 min 12 s".
func Span(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	parts := func(big int64, bigName string, small int64, smallName string) string {
		if small == 0 {
			return fmt.Sprintf("%d %s", big, bigName)
		}
		return fmt.Sprintf("%d %s %d %s", big, bigName, small, smallName)
	}
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return parts(s/60, "min", s%60, "s")
	case s < 86400:
		return parts(s/3600, "h", s%3600/60, "min")
	}
	return parts(s/86400, "d", s%86400/3600, "h")
}

// timeServices in the order in which they are preferred where several are
// installed: by unit, then by the package that brings it.
var timeServices = []struct{ name, unit, pkg, process string }{
	{"chrony", "chrony.service", "chrony", "chronyd"},
	{"chrony", "chronyd.service", "chrony", "chronyd"},
	{"ntpsec", "ntpsec.service", "ntpsec", ""},
	{"ntp", "ntp.service", "ntp", "ntpd"},
	{"ntp", "ntpd.service", "ntp", "ntpd"},
	{"systemd-timesyncd", "systemd-timesyncd.service", "systemd-timesyncd", ""},
}

// readTimeSync says who keeps the clock. A running service wins over one that
// is only installed.
func (g *gathering) readTimeSync(r *Report, units map[string]unit) {
	c := &r.Clock
	c.Running, c.Synchronized = Unknown, Unknown
	how := "command systemctl"
	for _, s := range timeServices {
		installed := units[s.unit].loaded
		if _, ok := r.pkg(s.pkg, ""); ok {
			installed = true
		}
		if s.name == "systemd-timesyncd" && (g.exists("/usr/lib/systemd/systemd-timesyncd") || g.exists("/lib/systemd/systemd-timesyncd")) {
			installed = true
		}
		active := units[s.unit].active
		for _, p := range g.lines("running") {
			active = active || s.process != "" && p == s.process
		}
		if active {
			c.Service, c.Running = s.name, Found
			break
		}
		if installed && c.Service == "" {
			c.Service = s.name
		}
	}
	looked := len(units) > 0 || g.has("running")
	if looked && c.Running != Found {
		c.Running = Absent
	}
	for _, line := range g.lines("timedatectl") {
		key, value, _ := strings.Cut(line, "=")
		if key == "NTPSynchronized" {
			c.Synchronized = map[string]State{"yes": Found, "no": Absent}[value]
			how = "command timedatectl"
		}
	}
	if c.Synchronized == "" {
		c.Synchronized = Unknown
	}
	switch {
	case c.Service == "" && !looked && !g.packagesKnown():
		r.unknown(FactTimeSync, how, g.why("services"))
	case c.Service == "":
		r.absent(FactTimeSync, how)
	default:
		value := c.Service
		switch {
		case c.Running == Absent:
			value += ", not running"
		case c.Synchronized == Found:
			value += ", synchronised"
		case c.Synchronized == Absent:
			value += ", not synchronised"
		}
		r.found(FactTimeSync, value, how)
	}
}
