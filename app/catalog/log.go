package catalog

import (
	"context"
	"fmt"
	"time"
)

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
	c.watchers.tell(RunsChanged)
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
			return nil, fmt.Errorf("read log: %w", known(err))
		}
		list = append(list, line)
	}
	return list, known(rows.Err())
}
