package app

import (
	"context"
	"io"

	"edgewright/provisioning/target"
)

// ServeHelper is the other end of a step that needs rights: this program,
// started again by sudo or polkit, carries out a closed list of requests on
// files and commands of the device until its input ends. It opens neither
// catalog nor vault.
func ServeHelper(ctx context.Context, in io.Reader, out io.Writer, version string) error {
	return target.ServeHelper(ctx, in, out, version)
}
