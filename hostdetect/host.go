package hostdetect

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Host is what detection needs of a machine. Targets satisfy it.
type Host interface {
	// Output runs a command without a shell and gives its standard output and
	// exit code. An error means that it could not be run at all; a host that
	// never runs commands (a mounted root) always gives one.
	Output(ctx context.Context, name string, args ...string) (stdout []byte, exit int, err error)
	// ReadFile gives a whole file. Errors that wrap fs.ErrNotExist or
	// fs.ErrPermission are told apart from others.
	ReadFile(ctx context.Context, path string) ([]byte, error)
	// ReadDir gives the names in a folder.
	ReadDir(ctx context.Context, path string) ([]string, error)
}

// Options steer a look. The zero value is a look without the network.
type Options struct {
	// Reach names the endpoints to resolve and connect to from the host.
	Reach []Endpoint
	// Local says that the host is this computer, so that its clock cannot be
	// compared with ours.
	Local bool
	// TPM is the chip of a host of which only files are read, where the caller
	// knows it otherwise; nil looks.
	TPM *TPM
	// Now is our clock; nil means time.Now.
	Now func() time.Time
	// ServerDate is the time that a trusted server gave (an HTTP Date header)
	// and ServerDateAt what our clock showed when it came. With both, clock
	// offsets are against that server; else against this computer.
	ServerDate, ServerDateAt time.Time
}

func (o Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// ErrNoAnswer means that the host gave neither a readable answer to the shell
// script nor a single file, so that nothing is known about it.
var ErrNoAnswer = errors.New("the host gave no answer that can be read")

// Detect looks at a host. It fails only where nothing at all could be found
// out or ctx ended; everything else is a fact of state unknown.
func Detect(ctx context.Context, h Host, o Options) (Report, error) {
	g, err := gather(ctx, h, o)
	if err != nil {
		return Report{}, fmt.Errorf("look at the host: %w", err)
	}
	r := g.report(o)
	if len(o.Reach) > 0 {
		r.Reach = reachFrom(ctx, h, g.offline, o.Reach)
		r.addReachFacts()
	}
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("look at the host: %w", err)
	}
	return r, nil
}

// gather asks the shell first. Where that has no answer the files are read;
// where these have none either, the shell's failure is the one reported.
func gather(ctx context.Context, h Host, o Options) (*gathering, error) {
	g, shellErr := gatherByShell(ctx, h, o)
	if shellErr == nil {
		return g, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g, fileErr := gatherByFiles(ctx, h)
	if fileErr != nil {
		return nil, errors.Join(ErrNoAnswer, shellErr, fileErr)
	}
	return g, nil
}
