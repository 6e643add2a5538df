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
	pid := os.Getpid()
	return fmt.Sprintf("%s %d %s", thisHost(), pid, processStart(pid))
})

func thisHost() string {
	host, _ := os.Hostname()
	return strings.ReplaceAll(host, " ", "-")
}

// fromHere tells whether a holder is a process of this computer.
func fromHere(holder string) bool {
	parts := strings.Fields(holder)
	return len(parts) < 2 || parts[0] == thisHost()
}

// HolderAlive tells whether the process that ThisProcess named still runs. One
// of another computer counts as alive, because nobody here can know.
func HolderAlive(holder string) bool {
	parts := strings.Fields(holder)
	if len(parts) < 2 {
		return false
	}
	if !fromHere(holder) {
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
