// Package command is Edgewright without a window: it parses a command line,
// calls app and prints a table or JSON. Commands, exit codes and results are a
// promise to scripts; they do not change by themselves.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"edgewright/app"
	"edgewright/provisioning"
)

// Exit codes of all commands.
const (
	ExitOK         = 0 // succeeded, or nothing to do
	ExitFailed     = 1
	ExitUsage      = 2 // wrong use, or refused before anything was touched
	ExitLocked     = 3 // the vault is locked
	ExitCancelled  = 4
	ExitConfigured = 5 // configured, not proven
)

// Streams are what a command reads and writes. Terminal tells whether a person
// sits at In and Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Terminal bool
}

// session is one call of a command.
type session struct {
	Streams
	ctx     context.Context
	version string
	json    bool
	data    string
	fd      int
	pinFD   int
	file    string
	app     *app.App
}

// verb is one command.
type verb struct {
	usage string
	short string
	run   func(s *session, args []string) error
}

// verbs is the list of commands, in the order in which help shows them.
func verbs() []struct {
	name string
	verb
} {
	return []struct {
		name string
		verb
	}{
		{"detect", verb{"detect --target T", "look at a computer and say what it can become", detect}},
		{"cells", verb{"cells", "list the fifteen ways and which of them can be run", cells}},
		{"preview", verb{"preview (--plan F | --bundle F) --target T", "show what would be written, and write nothing", preview}},
		{"provision", verb{"provision (--plan F | --bundle F [--bundle-identity F]) (--target T | --targets CSV [--parallel N]) [--yes] [--undo-on-failure]", "make a device and prove that it connects", provision}},
		{"runs", verb{"runs list | show ID | resume ID | undo ID [--yes]", "look up runs, go on with them, put them back", runs}},
		{"devices", verb{"devices list [--search S] | show ID | export [--format csv|json] [--out F] | import F | rotate ID --what identity|edge-ca [--new-key] [--yes]", "look up the catalog of devices, and rotate their certificates", devices}},
		{"clouds", verb{"clouds add NAME --hub | --dps   list   remove NAME", "manage IoT Hubs and Device Provisioning Services", clouds}},
		{"cert", verb{certUsage, "make, check, exchange and revoke certificates", cert}},
		{"secrets", verb{"secrets set NAME   list   remove NAME   bench make NAME | list | show NAME", "manage the vault", secrets}},
		{"tpm", verb{tpmUsage, "read TPMs, which changes nothing there, and enrol their endorsement keys", tpm}},
		{"practice", verb{practiceUsage(), "run the practice cloud by itself, look into it, make it misbehave", practice}},
		{"config", verb{"config lint F [--runtime V]   show --plan F", "check a config.toml, or show the one of a plan", config}},
		{"backup", verb{"backup make F | restore F [--yes]", "copy the data folder's catalog, or bring it back", backup}},
	}
}

// usageError is wrong use: exit code 2 with a line and the command's usage.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func wrongUse(format string, args ...any) error {
	return &usageError{message: fmt.Sprintf(format, args...)}
}

// exitError ends a command with a code after it has printed its result itself.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// Run carries out a command line without the program's name and returns the
// exit code.
func Run(ctx context.Context, args []string, streams Streams, version string) int {
	s := &session{Streams: streams, ctx: ctx, version: version}
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		s.help(s.Out)
		return ExitOK
	}
	if args[0] == "--version" || args[0] == "version" {
		_, _ = fmt.Fprintln(s.Out, "edgewright", version)
		return ExitOK
	}
	for _, known := range verbs() {
		if known.name != args[0] {
			continue
		}
		err := known.run(s, args[1:])
		if s.app != nil {
			err = errors.Join(err, s.app.Close())
		}
		return s.end(err, "edgewright "+known.usage)
	}
	_, _ = fmt.Fprintf(s.Err, "edgewright: there is no command %q\n\n", args[0])
	s.help(s.Err)
	return ExitUsage
}

// end turns an error into a message and an exit code.
func (s *session) end(err error, usage string) int {
	var code exitError
	var use *usageError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, flag.ErrHelp):
		_, _ = fmt.Fprintf(s.Out, "%s\n\n%s", usage, globalHelp)
		return ExitOK
	case errors.As(err, &use):
		_, _ = fmt.Fprintf(s.Err, "edgewright: %s\nusage: %s\n", use.message, usage)
		return ExitUsage
	}
	view := provisioning.View(err)
	s.printError(view)
	return exitCode(view.Kind)
}

// exitCode maps the kind of an error that came up before anything was touched.
func exitCode(kind string) int {
	switch kind {
	case "vault-locked":
		return ExitLocked
	case "cancelled":
		return ExitCancelled
	case "invalid", "refused", "conflict", "busy", "unsupported", "not-found":
		return ExitUsage
	}
	return ExitFailed
}

func (s *session) printError(view *provisioning.ErrorView) {
	if s.json {
		s.print(map[string]any{"outcome": "failed", "error": view})
	}
	s.note("edgewright: %s", view.Message)
	if view.Hint != "" {
		s.note("  %s", view.Hint)
	}
	if view.CorrelationID != "" {
		s.note("  correlation ID %s", view.CorrelationID)
	}
	if view.Detail != "" && view.Detail != view.Message {
		s.note("  details: %s", view.Detail)
	}
}

const globalHelp = `every command: --data DIR  --json  --passphrase-fd N  --passphrase-file F  --pin-fd N  --help
exit codes: 0 succeeded, 1 failed, 2 wrong use or refused, 3 vault locked, 4 cancelled, 5 configured but not proven
`

func (s *session) help(w io.Writer) {
	var text strings.Builder
	text.WriteString("Edgewright makes a computer an Azure IoT Edge device, and proves it.\n\n")
	text.WriteString("  edgewright                 open the window\n")
	for _, known := range verbs() {
		fmt.Fprintf(&text, "  edgewright %-15s %s\n", known.name, known.short)
	}
	text.WriteString("\n" + globalHelp)
	_, _ = io.WriteString(w, text.String())
}

// flags makes the flag set of a command with the flags that all have.
func (s *session) flags(name string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVar(&s.json, "json", false, "")
	set.StringVar(&s.data, "data", "", "")
	set.IntVar(&s.fd, "passphrase-fd", 0, "")
	set.StringVar(&s.file, "passphrase-file", "", "")
	set.IntVar(&s.pinFD, "pin-fd", 0, "")
	return set
}

// parse reads flags that stand before, between and after the arguments.
func (s *session) parse(set *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		for len(args) > 0 && isNegative(args[0]) {
			rest, args = append(rest, args[0]), args[1:]
		}
		if err := set.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, wrongUse("%v", err)
		}
		if set.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, set.Arg(0))
		args = set.Args()[1:]
	}
}

// isNegative tells a number or duration below zero from a flag.
func isNegative(arg string) bool {
	return len(arg) > 1 && arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9'
}

// open opens the data folder.
func (s *session) open() (*app.App, error) {
	if s.app != nil {
		return s.app, nil
	}
	opened, err := app.New(s.ctx, app.Config{DataDir: s.data, Version: s.version,
		PassphraseFD: s.fd, PassphraseFile: s.file, AskPassphrase: s.askPassphrase(), AskPIN: s.askPIN()})
	if err != nil {
		return nil, err
	}
	s.app = opened
	return opened, nil
}

// only splits off the sub-command and refuses anything but the named ones.
func only(args []string, names ...string) (name string, rest []string, err error) {
	if len(args) > 0 {
		for _, known := range names {
			if args[0] == known {
				return known, args[1:], nil
			}
		}
	}
	return "", nil, wrongUse("name one of: %s", strings.Join(names, ", "))
}
