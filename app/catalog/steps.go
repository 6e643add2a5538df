package catalog

import (
	"context"
	"fmt"
	"time"
)

// Step is one step of a run. Undo, Error and Left are JSON, empty for none.
type Step struct {
	RunID   string
	Seq     int
	Name    string
	State   string
	Acted   bool
	Summary string
	Started time.Time
	Ended   *time.Time
	Undo    string
	Error   string
	Left    string
	Waited  time.Duration
}

// PutStep writes a step, new or not. When it returns, the step is on the disk.
func (c *Catalog) PutStep(ctx context.Context, s Step) error {
	number, err := runNumber(s.RunID)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, "write step "+s.Name+" of run "+s.RunID, `INSERT INTO step (run_number, name, seq, state, acted, summary, started, ended, undo, error, kept, waited_ns)
 VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (run_number, name) DO UPDATE SET seq=excluded.seq, state=excluded.state, acted=excluded.acted,
 summary=excluded.summary, started=excluded.started, ended=excluded.ended, undo=excluded.undo, error=excluded.error, kept=excluded.kept, waited_ns=excluded.waited_ns`,
		number, s.Name, s.Seq, s.State, s.Acted, s.Summary, timeText(s.Started), optionalTime(s.Ended), s.Undo, s.Error, s.Left, int64(s.Waited))
	return err
}

// Steps gives the steps of a run in their order.
func (c *Catalog) Steps(ctx context.Context, runID string) ([]Step, error) {
	number, err := runNumber(runID)
	if err != nil {
		return nil, err
	}
	rows, err := c.read.QueryContext(ctx, "SELECT name, seq, state, acted, summary, started, ended, undo, error, kept, waited_ns FROM step WHERE run_number = ? ORDER BY seq", number)
	if err != nil {
		return nil, fmt.Errorf("read steps: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	var list []Step
	for rows.Next() {
		s := Step{RunID: runID}
		var waited int64
		if err := rows.Scan(&s.Name, &s.Seq, &s.State, &s.Acted, &s.Summary, setTime{&s.Started}, storedTime{&s.Ended}, &s.Undo, &s.Error, &s.Left, &waited); err != nil {
			return nil, fmt.Errorf("read steps: %w", err)
		}
		s.Waited = time.Duration(waited)
		list = append(list, s)
	}
	return list, rows.Err()
}

// LogLine is a line of a run's log. Text is masked by whoever writes it.
type LogLine struct {
	RunID string
	Time  time.Time
	Step  string
	Level string
	Text  string
}

// AppendLog adds a line to a run's log.
func (c *Catalog) AppendLog(ctx context.Context, line LogLine) error {
	number, err := runNumber(line.RunID)
	if err != nil {
		return err
	}
	if _, err := c.write.ExecContext(ctx, "INSERT INTO log (run_number, at, step, level, text) VALUES (?,?,?,?,?)",
		number, timeText(line.Time), line.Step, line.Level, line.Text); err != nil {
		return fmt.Errorf("write log of run %s: %w", line.RunID, known(err))
	}
	return nil
}

// Log gives the log of a run in the order in which it was written.
func (c *Catalog) Log(ctx context.Context, runID string) ([]LogLine, error) {
	number, err := runNumber(runID)
	if err != nil {
		return nil, err
	}
	rows, err := c.read.QueryContext(ctx, "SELECT at, step, level, text FROM log WHERE run_number = ? ORDER BY rowid", number)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	var list []LogLine
	for rows.Next() {
		line := LogLine{RunID: runID}
		if err := rows.Scan(setTime{&line.Time}, &line.Step, &line.Level, &line.Text); err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		list = append(list, line)
	}
	return list, rows.Err()
}
