package catalog

import (
	"context"
	"database/sql"
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
// It is ErrLocked if another process carries the run out by now.
func (c *Catalog) PutStep(ctx context.Context, s Step) error {
	return c.writeHeld(ctx, s.RunID, "write step "+s.Name+" of run "+s.RunID, func(tx *sql.Tx, number int64) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO step (run_number, name, seq, state, acted, summary, started, ended, undo, error, kept, waited_ns)
 VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (run_number, name) DO UPDATE SET seq=excluded.seq, state=excluded.state, acted=excluded.acted,
 summary=excluded.summary, started=excluded.started, ended=excluded.ended, undo=excluded.undo, error=excluded.error, kept=excluded.kept, waited_ns=excluded.waited_ns`,
			number, s.Name, s.Seq, s.State, s.Acted, s.Summary, timeText(s.Started), optionalTime(s.Ended), s.Undo, s.Error, s.Left, int64(s.Waited))
		return err
	})
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
			return nil, fmt.Errorf("read steps: %w", known(err))
		}
		s.Waited = time.Duration(waited)
		list = append(list, s)
	}
	return list, known(rows.Err())
}
