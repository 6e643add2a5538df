package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"edgewright/provisioning/secret"
)

func TestSSHLogins(t *testing.T) {
	d := newDevice(t, "dash", false)
	s := d.serve(t, "", "Match User ops", "PasswordAuthentication no")
	strange := filepath.Join(s.dir, "strange")
	newKey(t, strange, "")
	locked := filepath.Join(s.dir, "locked")
	public := newKey(t, locked, "open sesame")
	d.write(t, "etc/ssh/keys/plain", 0o644, string(ssh.MarshalAuthorizedKey(public)))
	answer := func(want QuestionKind, texts ...string) func(context.Context, Question) (secret.Value, error) {
		n := 0
		return func(_ context.Context, q Question) (secret.Value, error) {
			if q.Kind != want || n >= len(texts) || q.Again != (n > 0) {
				return secret.Value{}, fmt.Errorf("question %d is %+v", n, q)
			}
			n++
			return secret.FromString(texts[n-1]), nil
		}
	}
	none := func(context.Context, Question) (secret.Value, error) {
		return secret.Value{}, errors.New("nobody is asked")
	}
	for _, c := range []struct {
		name, user string
		change     func(*Options)
		auth       bool // ErrAuth is expected
	}{
		{"key", "admin", func(*Options) {}, false},
		{"wrong key first", "admin", func(o *Options) { o.Identities = []string{strange, s.identity} }, false},
		{"missing key file first", "admin", func(o *Options) { o.Identities = []string{strange + "-none", s.identity} }, false},
		{"wrong key only", "admin", func(o *Options) { o.Identities = []string{strange} }, true},
		{"known password", "admin", func(o *Options) { o.Identities, o.SSHPassword = nil, secret.FromString(devicePassword) }, false},
		{"wrong known password", "admin", func(o *Options) { o.Identities, o.SSHPassword = nil, secret.FromString("wrong") }, true},
		{"asked password", "admin", func(o *Options) { o.Identities, o.Ask = nil, answer(AskPassword, devicePassword) }, false},
		{"asked password, second try", "admin", func(o *Options) { o.Identities, o.Ask = nil, answer(AskPassword, "wrong", devicePassword) }, false},
		{"keyboard-interactive", "ops", func(o *Options) { o.Identities, o.SSHPassword = nil, secret.FromString(devicePassword) }, false},
		{"encrypted key", "plain", func(o *Options) { o.Identities, o.Ask = []string{locked}, answer(AskPassphrase, "open sesame") }, false},
		{"encrypted key, second try", "plain", func(o *Options) { o.Identities, o.Ask = []string{locked}, answer(AskPassphrase, "x", "open sesame") }, false},
		{"encrypted key, nobody there", "plain", func(o *Options) { o.Identities = []string{locked} }, true},
		{"an encrypted key that is not wanted asks nothing", "admin", func(o *Options) { o.Identities, o.Ask = []string{locked, s.identity}, none }, false},
		{"password in front of too many keys", "admin", func(o *Options) {
			o.Identities = nil
			for i := range 9 {
				file := filepath.Join(s.dir, fmt.Sprint("many", i))
				newKey(t, file, "")
				o.Identities = append(o.Identities, file)
			}
			o.SSHPassword = secret.FromString(devicePassword)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := s.options(t)
			t.Setenv("SSH_AUTH_SOCK", "")
			t.Setenv("HOME", t.TempDir())
			c.change(&options)
			target, err := Open(t.Context(), s.spec(c.user), options)
			if c.auth {
				if !errors.Is(err, ErrAuth) || strings.Contains(err.Error(), devicePassword) {
					t.Fatalf("want ErrAuth, got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer target.Close()
			out, _, err := target.Output(t.Context(), "id", "-un")
			if err != nil || strings.TrimSpace(string(out)) != c.user {
				t.Fatalf("id = %q, %v", out, err)
			}
		})
	}
}

func TestSSHAgentAndConfig(t *testing.T) {
	d := newDevice(t, "dash", false)
	s := d.serve(t, "")
	keyring := agent.NewKeyring()
	for i := range 7 { // more than the server lets be tried
		file := filepath.Join(s.dir, fmt.Sprint("agent", i))
		newKey(t, file, "")
		addToAgent(t, keyring, file)
	}
	addToAgent(t, keyring, s.identity)
	socket := filepath.Join(s.dir, "agent.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keyring, conn) }()
		}
	}()
	// The private file is not there: only the agent can sign for it.
	public := filepath.Join(s.dir, "named")
	text, err := os.ReadFile(s.identity)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(public+".pub", ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o644); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(s.dir, "config")
	body := fmt.Sprintf(`Host box
  HostName 127.0.0.1
  Port %d
  User admin
  IdentityFile %s
  IdentitiesOnly yes
  IdentityAgent %s
  UserKnownHostsFile %s/kh-%%n
Host through
  HostName 127.0.0.1
  Port %d
  User admin
  IdentityFile %s
  ProxyJump box
`, s.port, public, socket, s.dir, s.port, s.identity)
	for name, text := range map[string]string{"parser": body, "ssh -G, as the parser gives up on Match": body + "Match user nobody\n  Port 1\n"} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(text, "Match") {
				if _, err := exec.LookPath("ssh"); err != nil {
					t.Skip("needs ssh")
				}
			}
			t.Setenv("SSH_AUTH_SOCK", "")
			t.Setenv("HOME", t.TempDir())
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			options := Options{Dir: t.TempDir(), SSHConfig: config, TrustHostKey: func(HostKey) bool { return true }}
			for _, alias := range []string{"box", "through"} {
				spec, err := ParseShorthand(alias)
				if err != nil {
					t.Fatal(err)
				}
				target, err := Open(t.Context(), spec, options)
				if err != nil {
					t.Fatalf("%s: %v", alias, err)
				}
				look(t, target, "admin")
				if jumps := len(target.(*sshTarget).jumps); (jumps == 1) != (alias == "through") {
					t.Errorf("%s: %d jumps", alias, jumps)
				}
				_ = target.Close()
			}
		})
	}
}

func addToAgent(t *testing.T, keyring agent.Agent, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := keyring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
}

func TestSSHHostKeys(t *testing.T) {
	d := newDevice(t, "dash", false)
	s := d.serve(t, "")
	host := fmt.Sprintf("[127.0.0.1]:%d", s.port)
	line := func(key ssh.PublicKey) string { return host + " " + string(ssh.MarshalAuthorizedKey(key)) }
	try := func(options Options) error {
		target, err := Open(t.Context(), s.spec("admin"), options)
		if err == nil {
			_ = target.Close()
		}
		return err
	}
	known := func(text string) []string {
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return []string{file}
	}
	options := s.options(t)
	options.TrustHostKey = nil
	var keyError *HostKeyError

	if err := try(options); !errors.As(err, &keyError) || keyError.Changed || !strings.HasPrefix(keyError.Fingerprint, "SHA256:") {
		t.Fatalf("unknown: %v", err)
	}
	options.HostKey = "SHA256:wrong"
	if err := try(options); !errors.As(err, &keyError) {
		t.Fatalf("another fingerprint: %v", err)
	}
	shown := keyError.Fingerprint
	options.HostKey = shown
	if err := try(options); err != nil {
		t.Fatalf("the right fingerprint: %v", err)
	}
	options.HostKey = ""
	if err := try(options); err != nil {
		t.Fatalf("remembered: %v", err)
	}
	file := filepath.Join(options.Dir, knownHostsName)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("own list: %v %v", info, err)
	}
	if text, _ := os.ReadFile(file); strings.Count(string(text), "\n") != 1 {
		t.Fatalf("own list: %s", text)
	}
	if err := ForgetHostKey(options.Dir, s.spec("admin")); err != nil {
		t.Fatal(err)
	}
	if err := try(options); !errors.As(err, &keyError) {
		t.Fatalf("forgotten: %v", err)
	}

	// Known by one type only, which the library would not ask for first.
	for kind, key := range s.hostKeys {
		options := s.options(t)
		options.TrustHostKey = nil
		options.KnownHosts = known("garbage\n" + host + " ssh-ed25519 AAAA\n|1|x|y ssh-rsa AAAA\n" + line(key) + host + " ssh-unknown AAAA\n" +
			"|1|!|! " + string(ssh.MarshalAuthorizedKey(key)) + "[host]22 " + string(ssh.MarshalAuthorizedKey(key)))
		if err := try(options); err != nil {
			t.Errorf("known by %s among bad lines: %v", kind, err)
		}
	}

	// Changed: both fingerprints, and never accepted.
	other := newKey(t, filepath.Join(s.dir, "other"), "")
	options.KnownHosts = known("# comment\n\n" + line(other))
	options.TrustHostKey = func(HostKey) bool { return true }
	options.HostKey = ""
	err := try(options)
	if !errors.As(err, &keyError) || !keyError.Changed || keyError.Known != ssh.FingerprintSHA256(other) ||
		keyError.Fingerprint != ssh.FingerprintSHA256(s.hostKeys["ed25519"]) || !strings.HasSuffix(keyError.Source, "known_hosts:3") {
		t.Fatalf("changed: %v", err)
	}
	options.HostKey = ssh.FingerprintSHA256(s.hostKeys["ed25519"])
	if err := try(options); !errors.As(err, &keyError) || !keyError.Changed {
		t.Fatalf("changed, with its fingerprint given: %v", err)
	}

	// The host has no key of the known type any more.
	rsa := filepath.Join(s.dir, "rsa")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	text, err := os.ReadFile(rsa + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	options.KnownHosts, options.HostKey = known(host+" "+string(text)), ""
	if err := try(options); !errors.As(err, &keyError) || !keyError.Changed || keyError.Known == "" || keyError.Fingerprint == "" {
		t.Fatalf("another type: %v", err)
	}
	options.KnownHosts = known("@revoked " + line(s.hostKeys["ed25519"]) + "@revoked " + line(s.hostKeys["ecdsa"]))
	if err := try(options); !errors.As(err, &keyError) || !strings.Contains(err.Error(), "revoked") {
		t.Fatalf("revoked: %v", err)
	}
}
