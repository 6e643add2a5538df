package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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
		options.KnownHosts = known("garbage\n" + host + " ssh-ed25519 AAAA\n|1|x|y ssh-rsa AAAA\n" + line(key) + host + " ssh-unknown AAAA\n")
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

func TestSSHLookWithAnyShell(t *testing.T) {
	d := newDevice(t, "dash", false)
	text, err := os.ReadFile(d.path("etc/passwd"))
	if err != nil {
		t.Fatal(err)
	}
	s := d.serve(t, "")
	target := s.open(t, "admin", s.options(t))
	look(t, target, "admin")
	shells := []string{"/usr/bin/bash"}
	for _, shell := range []string{"/usr/bin/fish", "/usr/bin/zsh", "/usr/bin/tcsh", "/bin/ksh"} {
		if _, err := os.Stat(shell); err == nil {
			shells = append(shells, shell)
		}
	}
	for _, shell := range shells {
		d.write(t, "etc/passwd", 0o644, strings.ReplaceAll(string(text), "/home/admin:/bin/sh", "/home/admin:"+shell))
		options := s.options(t)
		options.SudoPassword = secret.FromString(devicePassword)
		target := s.open(t, "admin", options)
		look(t, target, "admin")
		r, err := target.Root(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", shell, err)
		}
		_ = r.Close()
	}
}

func TestSSHElevation(t *testing.T) {
	d := newDevice(t, "dash", false)
	s := d.serve(t, "")
	again := []bool{}
	for _, c := range []struct {
		name, user string
		change     func(*Options)
		ok         bool
	}{
		{"nobody to ask", "admin", func(*Options) {}, false},
		{"wrong password", "admin", func(o *Options) { o.SudoPassword = secret.FromString("wrong") }, false},
		{"not in sudoers", "plain", func(o *Options) { o.SudoPassword = secret.FromString(devicePassword) }, false},
		{"the login's password", "admin", func(o *Options) { o.SSHPassword = secret.FromString(devicePassword) }, true},
		{"asked, second try", "admin", func(o *Options) {
			o.Ask = func(_ context.Context, q Question) (secret.Value, error) {
				again = append(again, q.Again)
				if q.Kind != AskSudo || q.Host != "127.0.0.1" {
					return secret.Value{}, fmt.Errorf("question %+v", q)
				}
				if !q.Again {
					return secret.FromString("wrong"), nil
				}
				return secret.FromString(devicePassword), nil
			}
		}, true},
		{"a password that nobody wants", "ops", func(o *Options) { o.SudoPassword = secret.FromString("secret-line") }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := s.options(t)
			c.change(&options)
			r, err := s.open(t, c.user, options).Root(t.Context())
			if !c.ok {
				if !errors.Is(err, ErrNoElevation) || strings.Contains(err.Error(), devicePassword) {
					t.Fatalf("want ErrNoElevation, got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			set := FileSet{RunID: "run-1", Files: []File{{Path: "/etc/aziot/config.toml", Data: secret.FromString("first\n"), Owner: "root", Group: "root", Mode: 0o600}}}
			if _, err := r.Place(t.Context(), set); err != nil {
				t.Fatal(err)
			}
			// A password that was not read must not have become payload.
			if text, err := os.ReadFile(d.path("etc/aziot/config.toml")); err != nil || string(text) != "first\n" {
				t.Fatalf("config = %q, %v", text, err)
			}
			if err := r.PutBack(t.Context(), "run-1"); err != nil {
				t.Fatal(err)
			}
		})
	}
	if len(again) != 2 || again[0] || !again[1] {
		t.Errorf("questions: %v", again)
	}
}

func TestSSHCancelKillsTheCommand(t *testing.T) {
	d := newDevice(t, "dash", false)
	s := d.serve(t, "")
	target := s.open(t, "admin", s.options(t))
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		for i := 0; i < 500; i++ {
			if _, err := os.Stat(d.path("tmp/pid")); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		stop()
	}()
	if _, _, err := target.Output(ctx, "sh", "-c", "echo $$ >/tmp/pid; exec sleep 600"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	pid, err := os.ReadFile(d.path("tmp/pid"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); err != nil {
			break
		}
		if i > 100 {
			t.Fatal("the command lives on")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if _, exit, err := target.Output(t.Context(), "true"); err != nil || exit != 0 {
		t.Fatalf("the connection after a cancel: %d %v", exit, err)
	}
}

func TestSSHLostInTheMiddleOfAnAction(t *testing.T) {
	d := deviceWithPrograms(t, "dash", false)
	s := d.serve(t, "")
	target := s.open(t, "root", s.options(t))
	r, err := target.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Act(t.Context(), ConfigApply, func(line string) {
		if line == "started" {
			go target.(*sshTarget).client.Close()
		}
	})
	if !errors.Is(err, ErrUnknownResult) {
		t.Fatalf("want ErrUnknownResult, got %v", err)
	}
	if _, err := r.Act(t.Context(), ConfigApply, nil); !errors.Is(err, ErrUnknownResult) {
		t.Fatalf("a broken session: %v", err)
	}
	// Nothing is left running there.
	time.Sleep(2 * time.Second)
	_ = os.Remove(d.path("tmp/alive"))
	time.Sleep(1 * time.Second)
	if _, err := os.Stat(d.path("tmp/alive")); err == nil {
		t.Fatal("the command lives on without a connection")
	}
}

func TestSSHForward(t *testing.T) {
	d := newDevice(t, "dash", false)
	s := d.serve(t, "")
	target := s.open(t, "admin", s.options(t))
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
			go func() {
				defer conn.Close()
				text, _ := io.ReadAll(conn) // until the other end has said everything
				_, _ = fmt.Fprintf(conn, "echo %s", text)
			}()
		}
	}()
	// The test's device shares the loopback address, so the ports differ here.
	remote := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	closer, err := target.(Forwarder).Forward(t.Context(), remote, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			conn, err := net.Dial("tcp", remote)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = fmt.Fprint(conn, i)
			_ = conn.(*net.TCPConn).CloseWrite()
			if text, err := io.ReadAll(conn); err != nil || string(text) != fmt.Sprint("echo ", i) {
				t.Errorf("through the forward: %q, %v", text, err)
			}
		})
	}
	all.Wait()
	if _, err := target.(Forwarder).Forward(t.Context(), remote, l.Addr().String()); err == nil {
		t.Error("a taken port was forwarded")
	}
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		conn, err := net.Dial("tcp", remote)
		if err != nil {
			break
		}
		_ = conn.Close()
		if i > 50 {
			t.Fatal("the port is open after Close")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Fifty at once against an sshd that turns crowds away from ten on.
func TestSSHCrowd(t *testing.T) {
	d := newDevice(t, "dash", false)
	s := d.serve(t, "")
	text, err := os.ReadFile(d.path("etc/ssh/sshd_config"))
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	crowd := strings.ReplaceAll(strings.ReplaceAll(string(text), "MaxStartups 200", "MaxStartups 10:30:100"), fmt.Sprintf("Port %d", s.port), fmt.Sprintf("Port %d", port))
	d.write(t, "etc/ssh/crowd_config", 0o600, crowd)
	cmd := d.command(context.Background(), "", "/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/crowd_config")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for i := 0; ; i++ {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = conn.Close()
			break
		} else if i > 300 {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	options := s.options(t)
	options.Dir = ""
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			target, err := Open(t.Context(), Spec{Kind: KindSSH, SSH: Endpoint{User: "ops", Host: "127.0.0.1", Port: port}}, options)
			if err != nil {
				t.Error(err)
				return
			}
			defer target.Close()
			if _, exit, err := target.Output(t.Context(), "true"); err != nil || exit != 0 {
				t.Errorf("%d %v", exit, err)
			}
		})
	}
	all.Wait()
}

// A server that says nothing does not hold a login up for longer than its
// context.
func TestSSHSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	spec := Spec{Kind: KindSSH, SSH: Endpoint{User: "x", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}}
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	done := make(chan error, 1)
	go func() {
		_, err := Open(ctx, spec, Options{SSHConfig: "/dev/null", KnownHosts: []string{}})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it hangs")
	}
	_ = l.Close()
	if _, err := Open(t.Context(), spec, Options{SSHConfig: "/dev/null", KnownHosts: []string{}}); !errors.Is(err, ErrUnreachable) {
		t.Fatalf("nobody listens: %v", err)
	}
}
