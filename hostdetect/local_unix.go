//go:build !windows

package hostdetect

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"time"
)

func detectLocal(ctx context.Context, o Options) (Report, error) {
	return Detect(ctx, thisComputer{}, o)
}

// thisComputer is the Host that needs no target.
type thisComputer struct{}

// Output runs a command with nothing on its standard input.
func (thisComputer) Output(ctx context.Context, name string, args ...string) ([]byte, int, error) {
	c := exec.CommandContext(ctx, name, args...)
	// A child of the shell that keeps the pipe open must not keep us.
	c.WaitDelay = time.Second
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return out, exit.ExitCode(), nil
	}
	return out, 0, err
}

func (thisComputer) ReadFile(_ context.Context, path string) ([]byte, error) {
	return os.ReadFile(path)
}

func (thisComputer) ReadDir(_ context.Context, path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}
