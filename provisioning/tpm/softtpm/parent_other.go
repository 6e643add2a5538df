//go:build !linux

package softtpm

import "os/exec"

// endWithParent can do nothing on this system: Close ends the process.
func endWithParent(*exec.Cmd) {}
