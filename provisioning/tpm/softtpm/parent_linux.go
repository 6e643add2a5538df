package softtpm

import (
	"os/exec"
	"syscall"
)

// endWithParent leaves no process behind when this one is killed.
func endWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
