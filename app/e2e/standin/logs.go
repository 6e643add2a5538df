package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// logPath is the journal of the services.
const logPath = "/run/aziot-standin-log"

// daemonOf is the daemon that runs as a user.
var daemonOf = map[string]string{"aziotks": "aziot-keyd", "aziotcs": "aziot-certd", "aziotid": "aziot-identityd", "aziottpm": "aziot-tpmd"}

// logged writes an error as a daemon logs a call that failed, each cause on a
// line of its own.
func logged(daemon string, err error) {
	file, openErr := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if openErr != nil {
		return
	}
	defer func() { _ = file.Close() }()
	now := time.Now()
	// What ran as the daemon's user begins with words of this program.
	text := err.Error()
	if _, said, ok := strings.Cut(text, commandFailed); ok {
		text = said
	}
	lines := append([]string{"internal error"}, strings.Split(text, "\n")...)
	for i, line := range lines {
		if i > 0 {
			line = "caused by: " + line
		}
		_, _ = fmt.Fprintf(file, "%s device %s[1]: %s [ERR!] - !!! %s\n", now.Format(time.Stamp), daemon, now.UTC().Format(time.RFC3339), line)
	}
}

func logs() error {
	text, err := os.ReadFile(logPath)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Println("-- No entries --")
		return nil
	}
	fmt.Print(string(text))
	return err
}
