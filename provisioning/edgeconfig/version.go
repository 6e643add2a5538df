package edgeconfig

import (
	"strconv"
	"strings"
)

// Version is a release of the IoT Edge daemon. A zero Version stands for "not
// known" or "not limited".
type Version struct{ Major, Minor, Patch int }

// anyPatch is the patch of a version that names a line of releases only.
const anyPatch = 1<<31 - 1

// ParseVersion reads "1.5", "1.5.44" and what packages add behind ("1.5.44-1").
// A version without a patch means the newest of its line. Anything else is the
// zero Version.
func ParseVersion(text string) Version {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "-")
	parts := strings.SplitN(text, ".", 3)
	if len(parts) < 2 {
		return Version{}
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return Version{}
	}
	v := Version{major, minor, anyPatch}
	if len(parts) == 3 {
		digits := parts[2]
		if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
			digits = digits[:i]
		}
		if patch, err := strconv.Atoi(digits); err == nil {
			v.Patch = patch
		}
	}
	return v
}

// IsZero tells whether v is not known.
func (v Version) IsZero() bool { return v == Version{} }

// Before tells whether v is older than other.
func (v Version) Before(other Version) bool {
	if v.Major != other.Major {
		return v.Major < other.Major
	}
	if v.Minor != other.Minor {
		return v.Minor < other.Minor
	}
	return v.Patch < other.Patch
}

// String writes v as releases are named: "1.4.9", or "1.5" for the first or
// any release of a line.
func (v Version) String() string {
	text := strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor)
	if v.Patch != 0 && v.Patch != anyPatch {
		text += "." + strconv.Itoa(v.Patch)
	}
	return text
}
