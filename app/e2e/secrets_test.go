//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"edgewright/provisioning/secret/hunt"
)

// TestSecretsStayInside provisions over SSH as a user whose sudo wants a
// password, to the end and killed with the device's key just written, with keys of
// the cloud and with private keys that are made here, and looks for every secret in the arguments and environments of all
// processes, here and on the device, in what was printed, in the station's
// files, and on the device wherever no key belongs.
func TestSecretsStayInside(t *testing.T) {
	d, s := newDevice(t), newStation(t)
	identity := filepath.Join(s.home, "id")
	if err := command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", identity); err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(identity + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	hostKey := d.connect(t, string(public))
	target := []string{"--target", "ssh://keeper@" + d.addr, "--identity", identity, "--host-key", hostKey, "--sudo-password-fd", "3", "--yes", "--json"}
	config := filepath.Join(d.root, "etc/aziot/config.toml")
	list := watchProcesses()
	hunt := &needles{}
	hunt.Add("sudo password", []byte("keepers-word"))

	undo := func(name string, ran result) {
		run := regexp.MustCompile(`"run":"([0-9]+)"`).FindStringSubmatch(ran.out)
		if run == nil {
			t.Fatalf("%s names no run: %s", name, ran.out)
		}
		if undone := s.secretly(t, append([]string{"runs", "undo", run[1]}, target[2:]...), nil); undone.code != 0 {
			t.Fatalf("undo of %s: code %d\n%s%s", name, undone.code, undone.out, undone.errOut)
		}
	}

	ways := plans("line-7-0042")
	for _, name := range []string{"manual", "group"} {
		args := append([]string{"provision", "--plan", s.plan(name+".toml", ways[name])}, target...)
		whole := s.secretly(t, args, nil)
		if whole.code != 0 {
			t.Fatalf("%s: code %d\n%s%s", name, whole.code, whole.out, whole.errOut)
		}
		hunt.addKeyOf(t, "device key, "+name, config)
		hunt.addCloud(t, s)
		hunt.look(t, name, s, d, list(), whole.out+whole.errOut)
		undo(name, whole)
	}
	// Killed as soon as the device has its key.
	killed := s.secretly(t, append([]string{"provision", "--plan", s.plan("killed.toml", ways["individual"])}, target...), func() bool {
		_, err := os.Stat(config)
		return err == nil
	})
	if killed.code != -1 {
		t.Fatalf("not killed: code %d\n%s", killed.code, killed.out)
	}
	hunt.addKeyOf(t, "device key, killed", config)
	hunt.look(t, "killed", s, d, list(), killed.out+killed.errOut)
	undo("killed", killed)

	// Private keys that are made here: those of two identities and an Edge CA.
	s.importRoot(t)
	args := append([]string{"provision", "--plan", s.plan("x509.toml", x509Plans("line-7-0042")["manual self-signed"]+"[x509]\nkey = \"workstation\"\n")}, target...)
	for _, when := range []string{"X.509", "X.509, killed"} {
		var kill func() bool
		if when != "X.509" {
			kill = func() bool {
				_, err := os.Stat(filepath.Join(d.root, "var/aziot/secrets/line-7-0042.key.pem"))
				return err == nil
			}
		}
		ran := s.secretly(t, args, kill)
		if (ran.code == -1) != (kill != nil) || kill == nil && ran.code != 0 {
			t.Fatalf("%s: code %d\n%s%s", when, ran.code, ran.out, ran.errOut)
		}
		if n := hunt.addPrivateKeys(t, when, d); n == 0 || kill == nil && n != 3 {
			t.Errorf("%s: the device has %d keys", when, n)
		}
		hunt.look(t, when, s, d, list(), ran.out+ran.errOut)
		undo(when, ran)
	}

	planted := exec.Command("sleep", "60")
	planted.Env = []string{"WORD=" + hex.EncodeToString([]byte("keepers-word"))}
	if err := planted.Start(); err != nil {
		t.Fatal(err)
	}
	// A process has its environment some time after it has begun.
	for end := time.Now().Add(10 * time.Second); len(hunt.In(list())) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Error("the hunt does not find what was planted in an environment")
			break
		}
	}
	_ = planted.Process.Kill()
	_ = planted.Wait()
}

// secretly runs the program with the sudo password on descriptor 3. It is
// killed with -9 once kill, which may be nil, gives true.
func (s *station) secretly(t *testing.T, args []string, kill func() bool) result {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + s.home, "TMPDIR=" + s.home}
	cmd.ExtraFiles = []*os.File{read}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, err = write.WriteString("keepers-word\n")
	_, _ = write.Close(), read.Close()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	for running := true; running; {
		select {
		case <-ended:
			running = false
		case <-time.After(2 * time.Millisecond):
			if kill != nil && kill() {
				_ = cmd.Process.Kill()
				<-ended
				running = false
			}
		}
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// watchProcesses gathers arguments and environments of all processes of this
// namespace until the test ends; the function gives them so far.
func watchProcesses() (soFar func() []byte) {
	type query chan []byte
	asks := make(chan query)
	go func() {
		seen := map[string]bool{}
		for {
			for _, name := range []string{"cmdline", "environ"} {
				files, _ := filepath.Glob("/proc/[0-9]*/" + name)
				for _, file := range files {
					if text, err := os.ReadFile(file); err == nil { // it may have ended
						seen[string(text)] = true
					}
				}
			}
			select {
			case ask := <-asks:
				var all []byte
				for text := range seen {
					all = append(append(all, text...), '\n')
				}
				ask <- all
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() []byte {
		ask := make(query)
		asks <- ask
		return <-ask
	}
}

// needles are the secrets of this test.
type needles struct{ hunt.Hunt }

// addKeyOf takes the key in a config.toml.
func (n *needles) addKeyOf(t *testing.T, name, config string) {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`value = "([A-Za-z0-9+/=]{40,})"`).FindSubmatch(text)
	if key == nil {
		t.Fatalf("no key in %s", config)
	}
	raw, err := base64.StdEncoding.DecodeString(string(key[1]))
	if err != nil {
		t.Fatal(err)
	}
	n.Add(name, raw)
}

// addCloud takes the keys of the practice cloud's policies.
func (n *needles) addCloud(t *testing.T, s *station) {
	t.Helper()
	shown := exec.Command(program, "practice", "show", "--show-secrets", "--json")
	shown.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + s.home}
	out, err := shown.Output()
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`SharedAccessKey=([A-Za-z0-9+/]{40,}=*)`).FindAllSubmatch(out, -1)
	if len(keys) < 2 {
		t.Fatalf("%d keys of the practice cloud", len(keys))
	}
	for i, key := range keys {
		raw, err := base64.StdEncoding.DecodeString(string(key[1]))
		if err != nil {
			t.Fatal(err)
		}
		n.Add(fmt.Sprintf("policy %d", i), raw)
	}
}

// keyPlaces are where a device's own keys belong: its configuration, the folder of
// private keys, and what the stand-in of the runtime makes of it.
var keyPlaces = regexp.MustCompile(`^/etc/aziot/(config\.toml|[a-z]+/config\.d/00-super\.toml)$|^/var/secrets/aziot/keyd/device-id$|^/var/aziot/secrets/([a-z0-9-]+\.key\.pem|\.ew-[0-9a-f]+)$`)

// addPrivateKeys takes the private keys that lie on the device, and counts them.
func (n *needles) addPrivateKeys(t *testing.T, when string, d *device) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.root, "var/aziot/secrets/*.key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = n.AddKey(when+", "+filepath.Base(file), text)
		}
		if err != nil {
			t.Error(err)
		}
	}
	return len(files)
}

func (n *needles) look(t *testing.T, when string, s *station, d *device, processes []byte, printed string) {
	t.Helper()
	if found := n.In(processes); len(found) > 0 {
		t.Errorf("%s: arguments or environment of a process hold %q", when, found)
	}
	if found := n.In([]byte(printed)); len(found) > 0 {
		t.Errorf("%s: what was printed holds %q", when, found)
	}
	for root, skip := range map[string]func(string) bool{s.home: nil, d.written: func(name string) bool { return keyPlaces.MatchString("/" + name) }} {
		problems, err := n.Below(root, skip)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range problems {
			t.Errorf("%s: %s", when, problem)
		}
	}
}
