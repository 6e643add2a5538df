package target

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"edgewright/provisioning/secret"
)

// maxKeys is how many keys are offered: servers close after six attempts
// (MaxAuthTries), and a password should still have its turn.
const maxKeys = 5

// credentials log in to one host.
type credentials struct {
	settings sshSettings
	password secret.Value // known beforehand
	options  Options
	trouble  []string // what was wrong with key files, for the error
	agent    io.Closer
}

func (c *credentials) close() {
	if c.agent != nil {
		_ = c.agent.Close()
	}
}

// methods are tried in this order by the library, each type once: all keys
// are therefore in one.
func (c *credentials) methods(ctx context.Context) []ssh.AuthMethod {
	methods := []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) { return c.signers(ctx) })}
	if c.password.IsEmpty() && c.options.Ask == nil {
		return methods
	}
	tries := 1
	if c.options.Ask != nil {
		tries = 3
	}
	turn := &passwordTurn{c: c}
	return append(methods,
		ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) { return turn.next(ctx) }), tries),
		ssh.RetryableAuthMethod(ssh.KeyboardInteractive(func(_, instruction string, questions []string, echos []bool) ([]string, error) {
			return turn.interactive(ctx, instruction, questions, echos)
		}), tries))
}

// passwordTurn gives the known password once and asks a person after that.
type passwordTurn struct {
	c     *credentials
	tries int
}

func (t *passwordTurn) next(ctx context.Context) (string, error) {
	t.tries++
	if t.tries == 1 && !t.c.password.IsEmpty() {
		return t.c.password.RevealString(), nil
	}
	if t.c.options.Ask == nil {
		return "", fmt.Errorf("%w: the password is refused", ErrAuth)
	}
	value, err := t.c.options.Ask(ctx, Question{Kind: AskPassword, Host: t.c.settings.alias,
		Prompt: "Password of " + t.c.settings.user, Again: t.tries > 1})
	if err != nil {
		return "", err
	}
	return value.RevealString(), nil
}

// interactive answers a single prompt without echo with the password, and
// shows everything else to the person. The last call, after success, has no
// questions.
func (t *passwordTurn) interactive(ctx context.Context, instruction string, questions []string, echos []bool) ([]string, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	if len(questions) == 1 && !echos[0] && strings.Contains(strings.ToLower(questions[0]), "password") {
		answer, err := t.next(ctx)
		return []string{answer}, err
	}
	if t.c.options.Ask == nil {
		return nil, fmt.Errorf("%w: the machine asks %q and nobody is there to answer", ErrAuth, questions[0])
	}
	answers := make([]string, len(questions))
	for i, q := range questions {
		prompt := strings.TrimSpace(instruction + "\n" + q)
		value, err := t.c.options.Ask(ctx, Question{Kind: AskOTP, Host: t.c.settings.alias, Prompt: prompt})
		if err != nil {
			return nil, err
		}
		answers[i] = value.RevealString()
	}
	return answers, nil
}

// signers gives the keys in the order they are offered: the ones that were
// named, then the agent's, then the usual files. A named key that the agent
// holds is signed by the agent.
func (c *credentials) signers(ctx context.Context) ([]ssh.Signer, error) {
	held := c.agentSigners()
	var all []ssh.Signer
	have := map[string]bool{}
	add := func(s ssh.Signer) {
		if key := string(s.PublicKey().Marshal()); !have[key] {
			have[key] = true
			all = append(all, s)
		}
	}
	named := append(append([]string(nil), c.options.Identities...), c.settings.identities...)
	for i, file := range named {
		signer, err := c.fromFile(ctx, file, held)
		if err != nil {
			if i < len(c.options.Identities) || !errors.Is(err, os.ErrNotExist) {
				c.trouble = append(c.trouble, err.Error())
			}
			continue
		}
		add(signer)
	}
	if !c.settings.identitiesOnly {
		for _, s := range held {
			add(s)
		}
	}
	if home, err := os.UserHomeDir(); err == nil && len(c.settings.identities) == 0 && !c.settings.identitiesOnly {
		for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
			if signer, err := c.fromFile(ctx, filepath.Join(home, ".ssh", name), held); err == nil {
				add(signer)
			}
		}
	}
	return all[:min(len(all), maxKeys)], nil
}

func (c *credentials) agentSigners() []ssh.Signer {
	if c.settings.agent == "none" {
		return nil
	}
	conn, err := dialAgent(c.settings.agent)
	if err != nil {
		return nil // no agent runs
	}
	c.agent = conn
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		c.trouble = append(c.trouble, "the ssh agent does not answer")
		return nil
	}
	return signers
}

// fromFile reads a private key (OpenSSH or PEM). For an encrypted one the
// passphrase is asked for when the server has accepted the key, not before.
func (c *credentials) fromFile(ctx context.Context, file string, held []ssh.Signer) (ssh.Signer, error) {
	if line, err := os.ReadFile(file + ".pub"); err == nil {
		if public, _, _, _, err := ssh.ParseAuthorizedKey(line); err == nil {
			for _, s := range held {
				if bytes.Equal(s.PublicKey().Marshal(), public.Marshal()) {
					return s, nil
				}
			}
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	var encrypted *ssh.PassphraseMissingError
	switch {
	case err == nil:
		clear(text)
		return signer, nil
	case !errors.As(err, &encrypted):
		return nil, fmt.Errorf("key file %s: %w", file, err)
	case c.options.Ask == nil:
		return nil, fmt.Errorf("key file %s: it is encrypted and nobody is there to give the passphrase", file)
	}
	lazy := &lazySigner{ask: func(again bool) (secret.Value, error) {
		return c.options.Ask(ctx, Question{Kind: AskPassphrase, Host: c.settings.alias, Prompt: "Passphrase of " + file, Again: again})
	}, text: text, public: encrypted.PublicKey}
	if lazy.public == nil { // the old PEM form hides it
		if err := lazy.open(); err != nil {
			return nil, fmt.Errorf("key file %s: %w", file, err)
		}
	}
	return lazy, nil
}

// lazySigner is an encrypted key that is opened at its first signature.
type lazySigner struct {
	mu     sync.Mutex
	ask    func(again bool) (secret.Value, error)
	text   []byte
	public ssh.PublicKey
	signer ssh.Signer
}

func (l *lazySigner) PublicKey() ssh.PublicKey { return l.public }

func (l *lazySigner) open() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for tries := 0; l.signer == nil; tries++ {
		passphrase, err := l.ask(tries > 0)
		if err != nil {
			return err
		}
		signer, err := ssh.ParsePrivateKeyWithPassphrase(l.text, passphrase.Reveal())
		if err == nil {
			l.signer, l.public = signer, signer.PublicKey()
			clear(l.text)
		} else if tries == 2 || !errors.Is(err, x509.IncorrectPasswordError) {
			return err
		}
	}
	return nil
}

func (l *lazySigner) Sign(random io.Reader, data []byte) (*ssh.Signature, error) {
	if err := l.open(); err != nil {
		return nil, err
	}
	return l.signer.Sign(random, data)
}

func (l *lazySigner) SignWithAlgorithm(random io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	if err := l.open(); err != nil {
		return nil, err
	}
	if s, ok := l.signer.(ssh.AlgorithmSigner); ok {
		return s.SignWithAlgorithm(random, data, algorithm)
	}
	return l.signer.Sign(random, data)
}
