package hostdetect

import (
	"strings"
	"unicode/utf8"
)

// ways says of all fifteen cells how they stand on this host. lasting is the
// obstacle that no mending removes, or zero.
func ways(r Report, q Question, lasting Text) []Way {
	now := q.now(r)
	out := make([]Way, 0, 15)
	for _, c := range Cells() {
		w := Way{Cell: c, Possible: true, Reason: say("way.reason." + c.Provisioning + "." + c.Authentication)}
		runtime := ""
		if c.Platform == Linux && r.Runtime.Kind == RuntimeEdge {
			runtime = r.Runtime.Version
		}
		w.Support = q.Support.Platform(c.Platform, runtime, now)
		if r.OS.Family == family(c.Platform) && r.OS.ID != "" {
			w.Support = q.Support.For(c.Platform, r.OS.ID, r.OS.Version, r.Arch.Userland, runtime, now)
		}
		if why := closed(r, q, c, lasting); !why.IsZero() {
			w.Possible, w.Reason = false, why
		}
		out = append(out, w)
	}
	return out
}

// family is the operating system that a platform needs beneath it.
func family(platform string) string {
	if platform == Linux {
		return Linux
	}
	return Windows
}

// closed says why a cell cannot be on this host, or gives the zero Text. What
// the host is comes before what this version can do.
func closed(r Report, q Question, c Cell, lasting Text) Text {
	if r.OS.Family != "" && r.OS.Family != family(c.Platform) {
		if c.Platform == Linux {
			return say("way.reason.needs-linux")
		}
		return say("way.reason.needs-windows")
	}
	if c.Authentication == TPMAttestation {
		switch {
		case r.TPM.State == Absent:
			return say("way.reason.no-tpm")
		case r.TPM.State == Found && r.TPM.Version == "1.2":
			return say("way.reason.tpm-old")
		}
	}
	if ok, reason := q.available(c); !ok {
		if reason == "" {
			return say("way.reason.later")
		}
		return say("way.reason.unavailable", "reason", reason)
	}
	// A disk shows no chip; its key may have been collected, or lie elsewhere.
	if c.Authentication == TPMAttestation && r.TPM.State != Found && !r.Offline {
		return say("way.reason.tpm-unknown")
	}
	if c.Platform == Linux && !lasting.IsZero() {
		return lasting
	}
	return Text{}
}

// sentence gives a reason its capital and its full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return english["way.reason.later"]
	}
	_, first := utf8.DecodeRuneInString(s)
	s = strings.ToUpper(s[:first]) + s[first:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}
