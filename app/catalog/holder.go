package catalog

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

// ThisProcess names the running process as "host pid start", so that another
// one can tell later whether it is still alive.
func ThisProcess() string { return thisProcess() }

var thisProcess = sync.OnceValue(func() string {
	host, _ := os.Hostname()
	pid := os.Getpid()
	return fmt.Sprintf("%s %d %s", strings.ReplaceAll(host, " ", "-"), pid, processStart(pid))
})

// HolderAlive tells whether the process that ThisProcess named still runs. One
// of another computer counts as alive, because nobody here can know.
func HolderAlive(holder string) bool {
	parts := strings.Fields(holder)
	if len(parts) < 2 {
		return false
	}
	host, _ := os.Hostname()
	if parts[0] != strings.ReplaceAll(host, " ", "-") {
		return true
	}
	pid, err := strconv.Atoi(parts[1])
	if err != nil {
		return false
	}
	start := ""
	if len(parts) > 2 {
		start = parts[2]
	}
	return processAlive(pid) && processStart(pid) == start
}
