package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"edgewright/provisioning"
	"edgewright/provisioning/finding"
)

// print writes the one JSON object of a result.
func (s *session) print(v any) {
	encoder := json.NewEncoder(s.Out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
}

// table prints rows under a header, in columns.
func (s *session) table(header []string, rows [][]string) {
	w := tabwriter.NewWriter(s.Out, 2, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.ToUpper(strings.Join(header, "\t")))
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, text := range row {
			cells[i] = oneLine(text)
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	_ = w.Flush()
}

// visible shows what a terminal would obey instead of showing it, such as the
// escapes and turned writing that names of foreign certificates may hold.
func visible(text string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' || unicode.IsPrint(c) {
			return c
		}
		return unicode.ReplacementChar
	}, text)
}

// oneLine shows a name that may be somebody else's, which ends no line and no
// column.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' {
			return unicode.ReplacementChar
		}
		return c
	}, visible(text))
}

func (s *session) line(format string, args ...any) {
	_, _ = io.WriteString(s.Out, visible(fmt.Sprintf(format+"\n", args...)))
}

// note tells a person something that is not the result.
func (s *session) note(format string, args ...any) {
	_, _ = io.WriteString(s.Err, visible(fmt.Sprintf(format+"\n", args...)))
}

func (s *session) findings(findings finding.List) {
	for _, f := range findings {
		s.line("  %-5s %s: %s", f.Level, f.Field, f.Problem)
		if f.Fix != "" {
			s.line("        %s", f.Fix)
		}
	}
}

// progress gives the receiver of a run's events: one JSON event a line on
// standard output with --json, lines on standard error otherwise.
func (s *session) progress() func(provisioning.Event) {
	if s.json {
		return func(e provisioning.Event) {
			if e.State == "" {
				return
			}
			kind := "step"
			if e.Step == "" {
				kind = "run"
			}
			s.print(map[string]any{"event": kind, "run": e.Run, "step": e.Step, "state": e.State, "time": e.Time.UTC().Format(time.RFC3339Nano), "text": e.Text})
		}
	}
	return func(e provisioning.Event) {
		switch {
		case e.Wait != "":
			s.note("%s  %-12s waiting for %s", e.Run, e.Step, e.Wait)
		case e.State != "" && e.State != string(provisioning.StepLooking) && e.Step != "":
			s.note("%s  %-12s %-9s %s", e.Run, e.Step, e.State, e.Text)
		}
	}
}

// outcome prints a run's result and turns it into an exit code.
func (s *session) outcome(out provisioning.Outcome) error {
	if s.json {
		s.print(out)
	} else {
		s.line("%s", outcomeSentence(out))
		for _, note := range out.Notes {
			s.line("  %s", note)
		}
		for _, left := range out.Left {
			s.line("  left in place: %s", left)
		}
		if out.Error != nil {
			s.printError(out.Error)
		}
	}
	if code := outcomeCode(out); code != ExitOK {
		return exitError(code)
	}
	return nil
}

// outcomeSentence says how a run ended, in one line.
func outcomeSentence(out provisioning.Outcome) string {
	head := ""
	if out.Run != "" { // none where the target or the cloud could not even be opened
		head = fmt.Sprintf("run %s: ", out.Run)
	}
	switch out.Outcome {
	case provisioning.RunSucceeded:
		word := "proven"
		if out.Proof.Rehearsal {
			word = "rehearsed"
		}
		text := head + fmt.Sprintf("%s is %s (device and cloud agree, %s)", out.Device, word, out.Proof.How)
		if !out.Changed {
			text += "; nothing had to change"
		}
		return text
	case provisioning.RunConfigured:
		return head + out.Device + " is configured, not proven: " + out.Proof.Reason
	case provisioning.RunUndone:
		if !out.Changed {
			return head + "there was nothing to put back"
		}
		return head + "everything is back as it was"
	case provisioning.RunPartlyUndone:
		return head + "partly undone"
	case provisioning.RunCancelled:
		return head + "cancelled; everything is back as it was"
	}
	return head + out.Device + " failed"
}

// outcomeCode maps a run's end to an exit code: a failure that touched nothing
// counts as refused.
func outcomeCode(out provisioning.Outcome) int {
	switch out.Outcome {
	case provisioning.RunSucceeded, provisioning.RunUndone:
		return ExitOK
	case provisioning.RunConfigured:
		return ExitConfigured
	case provisioning.RunCancelled:
		return ExitCancelled
	case provisioning.RunFailed:
		if out.Error != nil && !out.Changed {
			return exitCode(out.Error.Kind)
		}
	}
	return ExitFailed
}
