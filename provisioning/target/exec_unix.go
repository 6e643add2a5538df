//go:build unix

package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// runFirst runs the first command whose program lies in systemPath, in a
// process group of its own, so that a cancel ends all of it.
func runFirst(ctx context.Context, commands [][]string, onLine func(string)) (Output, error) {
	for _, command := range commands {
		program := lookIn(systemPath, command[0])
		if program == "" {
			continue
		}
		feed := &lineFeed{onLine: onLine}
		stdout, stderr := &lineWriter{feed: feed}, &lineWriter{feed: feed}
		cmd := exec.CommandContext(ctx, program, command[1:]...)
		cmd.Args[0] = command[0]
		cmd.Env = []string{"PATH=" + systemPath, "LC_ALL=C", "HOME=/root"}
		cmd.Stdout, cmd.Stderr = stdout, stderr
		cmd.Dir = "/"
		ownGroup(cmd)
		err := cmd.Run()
		stdout.flush()
		stderr.flush()
		out := Output{Stdout: stdout.all.String(), Stderr: stderr.all.String(), Exit: exitCode(cmd)}
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		var exited *exec.ExitError
		if err != nil && !errors.As(err, &exited) && !errors.Is(err, exec.ErrWaitDelay) {
			return out, err
		}
		return out, nil
	}
	return Output{Exit: 127}, nil
}

// runCall runs a call of this machine; what it prints goes to out. The answer
// holds its errors and its exit code.
func runCall(ctx context.Context, c call, out io.Writer) (answer, error) {
	command := c.command
	switch runuser, su := lookIn(systemPath, "runuser"), lookIn(systemPath, "su"); {
	case c.user == "root":
	case runuser != "":
		command = append([]string{runuser, "-u", c.user, "--"}, command...)
	case su != "":
		command = append([]string{su, "-s", "/bin/sh", "-c", `exec "$0" "$@"`, c.user}, command...)
	default:
		return answer{}, fmt.Errorf("act as %s: neither runuser nor su is there", c.user)
	}
	program := lookIn(systemPath, command[0])
	if program == "" {
		return answer{code: 127, err: []byte(command[0] + ": not found")}, nil
	}
	var errs bytes.Buffer
	cmd := exec.CommandContext(ctx, program, command[1:]...)
	cmd.Env = []string{"PATH=" + systemPath, "LC_ALL=C", "HOME=/root"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(c.input), out, &errs
	cmd.Dir = "/"
	ownGroup(cmd)
	err := cmd.Run()
	var exited *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return answer{}, ctx.Err()
	case err != nil && !errors.As(err, &exited) && !errors.Is(err, exec.ErrWaitDelay):
		return answer{}, err
	}
	return answer{err: errs.Bytes(), code: exitCode(cmd)}, nil
}

// ownGroup makes a cancel end the command and everything it started. A child
// that stays behind as a daemon does not hold the result up.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
}

// exitCode is the shell's: 128 and the signal's number for a killed command.
func exitCode(cmd *exec.Cmd) int {
	if cmd.ProcessState == nil {
		return -1
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

// lookIn finds an executable file in a list of folders, or gives "".
func lookIn(list, name string) string {
	if strings.Contains(name, "/") {
		if unix.Access(name, unix.X_OK) == nil {
			return name
		}
		return ""
	}
	for _, dir := range filepath.SplitList(list) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && unix.Access(file, unix.X_OK) == nil {
			return file
		}
	}
	return ""
}
