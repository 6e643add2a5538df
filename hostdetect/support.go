package hostdetect

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// The states of [Support].
const (
	Supported = "supported"
	Ending    = "ending" // within six months
	Ended     = "ended"
	Unlisted  = "unlisted"
)

// Support says how a platform, system and runtime stand on a day. Until is the
// last day of support in UTC, zero where no date is known. Tier is 0 where no
// edition of the support page names one.
type Support struct {
	State   string    `json:"state"`
	Until   time.Time `json:"until,omitzero"`
	Runtime string    `json:"runtime,omitempty"` // major.minor
	Tier    int       `json:"tier,omitempty"`
	Source  string    `json:"source"`
}

// Table is the support-lifecycle table. The zero Table lists nothing.
type Table struct {
	runtimes []runtimeRow
	systems  []systemRow
}

type runtimeRow struct {
	Platform string         `toml:"platform"`
	Runtime  string         `toml:"runtime"`
	LTS      bool           `toml:"lts"`
	From     toml.LocalDate `toml:"from"`
	Until    toml.LocalDate `toml:"until"`
	Source   string         `toml:"source"`
	Checked  toml.LocalDate `toml:"checked"`
}

type systemRow struct {
	Platform string   `toml:"platform"`
	OS       string   `toml:"os"`
	Version  string   `toml:"version"` // "9" fits 9 and 9.4; ">=10.0.17763" fits that and later
	Arch     []string `toml:"arch"`
	Runtime  []string `toml:"runtime"`
	Tier     int      `toml:"tier"`
	// From and Until bound the support of this system; absent means as long as
	// the runtime.
	From    toml.LocalDate `toml:"from"`
	Until   toml.LocalDate `toml:"until"`
	Source  string         `toml:"source"`
	Checked toml.LocalDate `toml:"checked"`
}

// ParseTable reads the TOML of the table. It refuses unknown keys and rows
// without what makes them worth trusting: a source and the day of the check.
func ParseTable(text []byte) (Table, error) {
	var file struct {
		Runtime []runtimeRow `toml:"runtime"`
		System  []systemRow  `toml:"system"`
	}
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return Table{}, fmt.Errorf("read the support table: %w", err)
	}
	var faults []error
	for i, r := range file.Runtime {
		if err := r.check(); err != nil {
			faults = append(faults, fmt.Errorf("runtime %d (%s %s): %w", i+1, r.Platform, r.Runtime, err))
		}
	}
	for i, s := range file.System {
		if err := s.check(file.Runtime); err != nil {
			faults = append(faults, fmt.Errorf("system %d (%s %s %s): %w", i+1, s.Platform, s.OS, s.Version, err))
		}
	}
	if len(faults) > 0 {
		return Table{}, fmt.Errorf("read the support table: %w", errors.Join(faults...))
	}
	return Table{runtimes: file.Runtime, systems: file.System}, nil
}

func (r runtimeRow) check() error {
	switch {
	case !slices.Contains([]string{Linux, EFLOW, Windows}, r.Platform):
		return errors.New("platform is none of linux, eflow, windows")
	case minor(r.Runtime) != r.Runtime || r.Runtime == "":
		return errors.New("runtime is not of the form 1.6")
	case isZero(r.Until):
		return errors.New("until is missing")
	}
	return checkCommon(r.From, r.Until, r.Source, r.Checked)
}

func (s systemRow) check(runtimes []runtimeRow) error {
	switch {
	case !slices.Contains([]string{Linux, EFLOW, Windows}, s.Platform):
		return errors.New("platform is none of linux, eflow, windows")
	case s.OS == "" || len(s.Arch) == 0 || len(s.Runtime) == 0:
		return errors.New("os, arch or runtime is missing")
	case s.Tier < 0 || s.Tier > 2:
		return errors.New("tier is none of 0, 1, 2")
	}
	for _, v := range s.Runtime {
		if !slices.ContainsFunc(runtimes, func(r runtimeRow) bool { return r.Platform == s.Platform && r.Runtime == v }) {
			return fmt.Errorf("runtime %s has no row of its own", v)
		}
	}
	return checkCommon(s.From, s.Until, s.Source, s.Checked)
}

func checkCommon(from, until toml.LocalDate, source string, checked toml.LocalDate) error {
	switch {
	case source == "":
		return errors.New("source is missing")
	case isZero(checked):
		return errors.New("checked is missing")
	case !isZero(from) && !isZero(until) && until.AsTime(time.UTC).Before(from.AsTime(time.UTC)):
		return errors.New("until lies before from")
	}
	return nil
}

func isZero(d toml.LocalDate) bool { return d == toml.LocalDate{} }

// Newest gives the newest runtime of a platform that is out by then, as
// "1.6"; empty where the table has none.
func (t Table) Newest(platform string, now time.Time) string {
	best := ""
	for _, r := range t.runtimes {
		if r.Platform == platform && (isZero(r.From) || !now.Before(r.From.AsTime(time.UTC))) &&
			(best == "" || compareVersions(r.Runtime, best) > 0) {
			best = r.Runtime
		}
	}
	return best
}

// Platform says how a platform's runtime stands, whatever the system. An empty
// runtime means the platform's newest.
func (t Table) Platform(platform, runtime string, now time.Time) Support {
	if runtime == "" {
		runtime = t.Newest(platform, now)
	}
	runtime = minor(runtime)
	for _, r := range t.runtimes {
		if r.Platform == platform && r.Runtime == runtime {
			until := r.Until.AsTime(time.UTC)
			return Support{State: stateAt(until, now), Until: until, Runtime: runtime, Source: r.Source}
		}
	}
	return Support{State: Unlisted, Runtime: runtime}
}

// For says how a runtime stands on a system. The earlier of the two ends
// counts; a runtime that is over is over on every system, listed or not.
// osVersion is VERSION_ID or, for Windows, major.minor.build; arch is Debian's
// name; an empty runtime means the platform's newest.
func (t Table) For(platform, osID, osVersion, arch, runtime string, now time.Time) Support {
	s := t.Platform(platform, runtime, now)
	if s.State == Unlisted || s.State == Ended {
		return s
	}
	for _, row := range t.systems {
		if row.Platform != platform || row.OS != osID || !fitsVersion(row.Version, osVersion) ||
			!slices.Contains(row.Arch, arch) || !slices.Contains(row.Runtime, s.Runtime) {
			continue
		}
		if !isZero(row.From) && now.Before(row.From.AsTime(time.UTC)) {
			continue
		}
		s.Tier, s.Source = row.Tier, row.Source
		if until := row.Until.AsTime(time.UTC); !isZero(row.Until) && until.Before(s.Until) {
			s.Until, s.State = until, stateAt(until, now)
		}
		return s
	}
	s.State = Unlisted
	return s
}

// stateAt: the last day counts to its end.
func stateAt(until, now time.Time) string {
	switch end := until.AddDate(0, 0, 1); {
	case !now.Before(end):
		return Ended
	case !now.Before(end.AddDate(0, -6, 0)):
		return Ending
	}
	return Supported
}

// minor gives "1.6" of "1.6.0-1" and "5:1.6.0"; empty where there is none.
func minor(version string) string {
	f := strings.Split(plainVersion(version), ".")
	if len(f) < 2 || f[0] == "" || f[1] == "" {
		return ""
	}
	return f[0] + "." + f[1]
}

// fitsVersion: see systemRow.Version. An empty pattern fits everything.
func fitsVersion(pattern, version string) bool {
	if least, ok := strings.CutPrefix(pattern, ">="); ok {
		return version != "" && compareVersions(version, least) >= 0
	}
	return pattern == "" || version == pattern || strings.HasPrefix(version, pattern+".")
}

// compareVersions compares dotted numbers; what is no number counts as 0.
func compareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		var m, n int
		if i < len(x) {
			m, _ = strconv.Atoi(x[i])
		}
		if i < len(y) {
			n, _ = strconv.Atoi(y[i])
		}
		if m != n {
			if m < n {
				return -1
			}
			return 1
		}
	}
	return 0
}
