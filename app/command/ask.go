package command

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
)

// accessFlags are how a command gets into a target without a person.
type accessFlags struct {
	identity, hostKey string
	bundleIdentity    string
	sshFD, sudoFD     int
}

// access reads what the flags name and adds the questions that a terminal can
// answer. An unknown host key is trusted by --host-key or by a person only,
// never by --yes.
func (s *session) access(f accessFlags) (app.Access, error) {
	access := app.Access{Identity: f.identity, HostKey: f.hostKey, BundleKey: app.BundleKey{File: f.bundleIdentity}}
	var err error
	if access.SSHPassword, err = readFD(f.sshFD); err != nil {
		return access, wrongUse("--ssh-password-fd: %v", err)
	}
	if access.SudoPassword, err = readFD(f.sudoFD); err != nil {
		return access, wrongUse("--sudo-password-fd: %v", err)
	}
	if !s.Terminal {
		return access, nil
	}
	access.Ask = func(ctx context.Context, q app.Question) (secret.Value, error) {
		return s.askSecret(fmt.Sprintf("%s for %s (%s): ", q.Kind, q.Target, strings.TrimSpace(q.Prompt)))
	}
	access.TrustHostKey = func(key app.HostKey) bool {
		s.note("First time: is this the key of %s?\n  %s  %s", key.Host, key.Type, key.Fingerprint)
		return s.confirm("Trust and remember")
	}
	return access, nil
}

// readFD reads one line from a file descriptor that the caller opened.
func readFD(fd int) (secret.Value, error) {
	if fd == 0 {
		return secret.Value{}, nil
	}
	file := os.NewFile(uintptr(fd), "descriptor")
	if file == nil {
		return secret.Value{}, fmt.Errorf("the descriptor %d is not open", fd)
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return secret.Value{}, fmt.Errorf("the descriptor %d cannot be read", fd)
	}
	return secret.New(trimLine(raw)), nil
}

func trimLine(raw []byte) []byte {
	for len(raw) > 0 && (raw[len(raw)-1] == '\n' || raw[len(raw)-1] == '\r') {
		raw = raw[:len(raw)-1]
	}
	return raw
}

func (s *session) askSecret(prompt string) (secret.Value, error) {
	_, _ = io.WriteString(s.Err, prompt)
	raw, err := term.ReadPassword(int(os.Stdin.Fd()))
	_, _ = io.WriteString(s.Err, "\n")
	if err != nil {
		return secret.Value{}, fmt.Errorf("read from the terminal: %w", err)
	}
	return secret.New(raw), nil
}

func (s *session) askPassphrase() func(context.Context, bool) (secret.Value, error) {
	if !s.Terminal {
		return nil
	}
	return func(_ context.Context, isNew bool) (secret.Value, error) {
		if !isNew {
			return s.askSecret("Passphrase of the vault: ")
		}
		first, err := s.askSecret("New passphrase of the vault: ")
		if err != nil {
			return first, err
		}
		second, err := s.askSecret("The same again: ")
		if err != nil {
			return second, err
		}
		if !first.Equal(second) {
			return secret.Value{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The two passphrases differ.", Hint: "Try again."}
		}
		return first, nil
	}
}

// confirm asks a person for yes.
func (s *session) confirm(question string) bool {
	if !s.Terminal {
		return false
	}
	_, _ = fmt.Fprintf(s.Err, "%s? [y/N] ", question)
	answer, _ := bufio.NewReader(s.In).ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

// agreed is --yes or a person's yes; without either the command is refused
// before anything is touched.
func (s *session) agreed(yes bool, question string) error {
	if yes || s.confirm(question) {
		return nil
	}
	if s.Terminal {
		return &provisioning.Error{Kind: provisioning.ErrRefused, Message: "Not confirmed; nothing was changed."}
	}
	return &provisioning.Error{Kind: provisioning.ErrRefused, Message: "Nobody can confirm here; nothing was changed.", Hint: "Add --yes to go on without a question."}
}

// secretInput reads a secret from standard input, or asks for it.
func (s *session) secretInput(prompt string) (secret.Value, error) {
	if s.Terminal {
		return s.askSecret(prompt)
	}
	raw, err := io.ReadAll(io.LimitReader(s.In, 1<<20))
	if err != nil {
		return secret.Value{}, fmt.Errorf("read standard input: %w", err)
	}
	return secret.New(trimLine(raw)), nil
}
