package target

import (
	"context"
	"io"
	"os/exec"
)

func runFirst(context.Context, [][]string, func(string)) (Output, error) {
	return Output{}, ErrUnsupported
}

func runCall(context.Context, call, io.Writer) (answer, error) { return answer{}, ErrUnsupported }

func ownGroup(*exec.Cmd) {}

func exitCode(cmd *exec.Cmd) int {
	if cmd.ProcessState == nil {
		return -1
	}
	return cmd.ProcessState.ExitCode()
}

func lookIn(_, name string) string {
	file, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return file
}
