package hostdetect

import (
	"slices"
	"strings"
)

// Level says how much an obstacle matters.
type Level string

// The levels, as findings have them.
const (
	Error Level = "error"
	Care  Level = "care"
	Note  Level = "note"
)

// The automatic remedies that an obstacle may name. hostdetect only names
// them; [Question.CanMend] says which the caller can carry out.
const (
	// MendTimeSync turns the installed time synchronisation on: timedatectl
	// set-ntp true, or enabling the unit of Report.Clock.Service.
	MendTimeSync = "time-sync"
	// MendEngine starts the container engine: systemctl enable --now docker.
	MendEngine = "start-engine"
	// MendTPM writes the udev rule that gives the TPM's nodes to aziottpm.
	MendTPM = "tpm-access"
)

// Obstacle is something that stands in the way. Key says what it is about: the
// key of a fact, for one obstacle of a kind.
type Obstacle struct {
	Key     string `json:"key"`
	Level   Level  `json:"level"`
	Problem Text   `json:"problem"`
	Fix     Text   `json:"fix"`
	Mend    string `json:"mend,omitempty"`

	// lasting: nothing that a person does on this host removes it.
	lasting bool
}

// obstacle makes one whose fix has the problem's ID with ".fix" behind it, and
// the same arguments.
func obstacle(key string, level Level, id string, args ...string) Obstacle {
	return Obstacle{Key: key, Level: level, Problem: say(id, used(english[id], args)...), Fix: say(id+".fix", used(english[id+".fix"], args)...)}
}

// used keeps the arguments that a template has a place for.
func used(template string, args []string) []string {
	var out []string
	for i := 0; i+1 < len(args); i += 2 {
		if strings.Contains(template, "{"+args[i]+"}") {
			out = append(out, args[i], args[i+1])
		}
	}
	return out
}

// sortObstacles puts errors first, keeping the order of the checks otherwise.
func sortObstacles(list []Obstacle) {
	rank := map[Level]int{Error: 0, Care: 1, Note: 2}
	slices.SortStableFunc(list, func(a, b Obstacle) int { return rank[a.Level] - rank[b.Level] })
}
