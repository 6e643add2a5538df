package target

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
)

// tpmNode is the path of a TPM's device node: the chip's own, or that of the
// kernel's resource manager.
var tpmNode = regexp.MustCompile(`^/dev/tpm(?:rm)?[0-9]{1,3}$`)

// nodeUsers are the users that MayUse is asked about.
var nodeUsers = []string{"aziottpm"}

// MayUse asks the kernel, as that user. Opening the node would keep others out
// of it.
func (e *engine) MayUse(ctx context.Context, user, node string) error {
	if !tpmNode.MatchString(node) {
		return fmt.Errorf("use %s: %w", node, ErrPath)
	}
	a, err := e.callAs(ctx, nodeUsers, node, call{user: user, command: []string{"test", "-r", node, "-a", "-w", node}})
	switch {
	case err != nil:
		return fmt.Errorf("use %s as %s: %w", node, user, err)
	case a.code == 1 && len(a.err) == 0:
		return fmt.Errorf("use %s as %s: %w", node, user, fs.ErrPermission)
	case a.code != 0:
		return fmt.Errorf("use %s as %s: %w", node, user, a.said())
	}
	return nil
}
