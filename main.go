// Edgewright turns a machine into an Azure IoT Edge device and proves that it
// connects. Without arguments it opens its window; with a command it works
// headless.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/term"

	"edgewright/app"
	"edgewright/app/command"
	_ "edgewright/app/locale" // before the toolkit looks for a language
)

// version is set by release builds.
var version = "0.1.0-dev"

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch {
	case len(args) == 1 && args[0] == probeFlag:
		return probeWindow()
	case len(args) == 1 && args[0] == "helper":
		if err := app.ServeHelper(ctx, os.Stdin, os.Stdout, version); err != nil {
			fmt.Fprintln(os.Stderr, "edgewright helper:", err)
			return command.ExitFailed
		}
		return command.ExitOK
	case len(args) == 2 && args[0] == "helper" && args[1] == "token":
		if err := app.ServeTokenHelper(ctx, os.Stdin, os.Stdout); err != nil {
			return command.ExitFailed
		}
		return command.ExitOK
	case windowWanted(args):
		return openWindow(ctx, args)
	}
	debug.SetTraceback("single")
	return command.Run(ctx, args, streams(), version)
}

func streams() command.Streams {
	return command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Terminal: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd()))}
}

// windowWanted tells whether the arguments ask for the window: none, or only a
// data folder.
func windowWanted(args []string) bool {
	return len(args) == 0 || len(args) == 2 && args[0] == "--data"
}
