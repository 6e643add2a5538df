//go:build !windows

package catalog

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func processAlive(pid int) bool {
	err := unix.Kill(pid, 0)
	if err != nil && !errors.Is(err, unix.EPERM) {
		return false
	}
	fields := processFields(pid)
	// A killed process that nobody has waited for is dead all the same.
	return len(fields) == 0 || fields[0] != "Z" && fields[0] != "X"
}

// startField is the place of the start time behind the name in proc(5) stat:
// field 22, of which the first three are pid, name and state.
const startField = 22 - 3

// processStart is the start time of a process in clock ticks since boot, so
// that a reused process ID is noticed; empty where there is no /proc.
func processStart(pid int) string {
	fields := processFields(pid)
	if len(fields) <= startField {
		return ""
	}
	return fields[startField]
}

// processFields are the fields of /proc/PID/stat from the state on. The name
// before them stands in parentheses and may hold anything.
func processFields(pid int) []string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	end := strings.LastIndexByte(string(text), ')')
	return strings.Fields(string(text[end+1:]))
}
