package runs

import (
	"net/url"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/provisioning"
	uilang "edgewright/ui/lang"
	"edgewright/ui/provision"
	"edgewright/ui/widgets"
)

// Where is a target as lists show it.
func Where(target string) string {
	switch {
	case target == "local:":
		return lang.X("where.local", "this computer")
	case strings.HasPrefix(target, "ssh://"):
		where, _, _ := strings.Cut(strings.TrimPrefix(target, "ssh://"), "?")
		return where
	case strings.HasPrefix(target, "rootfs://"):
		path := strings.TrimPrefix(target, "rootfs://")
		if plain, err := url.PathUnescape(path); err == nil {
			return plain
		}
		return path
	case strings.HasPrefix(target, "practice:"):
		return lang.X("where.practice", "practice device {{.Name}}", map[string]any{"Name": strings.TrimPrefix(target, "practice:")})
	}
	return target
}

// cut tells that a run's process died before the run ended.
func cut(run app.RunRow) bool {
	return !provisioning.RunState(run.State).Ended() && !run.Live
}

// Status is the pill of a run.
func Status(run app.RunRow) widgets.Status {
	if cut(run) {
		return widgets.Status{State: widgets.Care, Word: lang.X("runs.cut", "cut short")}
	}
	word := provision.RunStateName(run.State)
	switch provisioning.RunState(run.State) {
	case provisioning.RunSucceeded:
		if run.Outcome.Proof.Rehearsal {
			word = lang.X("runs.rehearsed", "rehearsed")
		}
		return widgets.Status{State: widgets.Good, Word: word}
	case provisioning.RunFailed:
		return widgets.Status{State: widgets.Bad, Word: word}
	case provisioning.RunPartlyUndone:
		return widgets.Status{State: widgets.Care, Word: word}
	case provisioning.RunCancelled, provisioning.RunUndone:
		return widgets.Status{State: widgets.Neutral, Word: word}
	}
	return widgets.Status{State: widgets.Advice, Word: word}
}

// Took is how long a run took, or has taken so far.
func Took(run app.RunRow, now time.Time) string {
	switch {
	case run.Ended != nil:
		return uilang.Duration(run.Ended.Sub(run.Started))
	case run.Live:
		return uilang.Duration(now.Sub(run.Started))
	}
	return ""
}
