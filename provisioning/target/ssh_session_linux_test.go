package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"edgewright/provisioning/secret"
)

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
