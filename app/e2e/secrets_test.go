//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSecretsStayInside provisions over SSH as a user whose sudo wants a
// password, once to the end and once killed with the device's key just written,
// and looks for every secret in the arguments and environments of all
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
	hunt := needles{}
	hunt.add("sudo password", []byte("keepers-word"))

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
		run := regexp.MustCompile(`"run":"([0-9]+)"`).FindStringSubmatch(whole.out)
		undo := s.secretly(t, append([]string{"runs", "undo", run[1]}, target[2:]...), nil)
		if undo.code != 0 {
			t.Fatalf("undo of %s: code %d\n%s%s", name, undo.code, undo.out, undo.errOut)
		}
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

	planted := exec.Command("sleep", "60")
	planted.Env = []string{"WORD=" + hex.EncodeToString([]byte("keepers-word"))}
	if err := planted.Start(); err != nil {
		t.Fatal(err)
	}
	// A process has its environment some time after it has begun.
	for end := time.Now().Add(10 * time.Second); len(hunt.in(list())) == 0; time.Sleep(10 * time.Millisecond) {
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

// needles are the forms of secrets, by name.
type needles map[string][]byte

// add takes a secret: raw, hexadecimal and base64 at three alignments.
func (n needles) add(name string, raw []byte) {
	n[name+" raw"] = raw
	n[name+" hex"] = []byte(hex.EncodeToString(raw))
	for shift := range 3 {
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), raw...))
		n[fmt.Sprintf("%s base64+%d", name, shift)] = []byte(text[(shift*8+5)/6 : (shift+len(raw))*8/6])
	}
}

// addKeyOf takes the key in a config.toml.
func (n needles) addKeyOf(t *testing.T, name, config string) {
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
	n.add(name, raw)
}

// addCloud takes the keys of the practice cloud's policies.
func (n needles) addCloud(t *testing.T, s *station) {
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
		n.add(fmt.Sprintf("policy %d", i), raw)
	}
}

func (n needles) in(text []byte) (found []string) {
	for name, needle := range n {
		if bytes.Contains(text, needle) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// keyPlaces are where a device's own key belongs: its configuration, and what
// the stand-in of the runtime makes of it.
var keyPlaces = regexp.MustCompile(`^/etc/aziot/(config\.toml|[a-z]+/config\.d/00-super\.toml)$|^/var/secrets/aziot/keyd/device-id$`)

func (n needles) look(t *testing.T, when string, s *station, d *device, processes []byte, printed string) {
	t.Helper()
	if found := n.in(processes); len(found) > 0 {
		t.Errorf("%s: arguments or environment of a process hold %q", when, found)
	}
	if found := n.in([]byte(printed)); len(found) > 0 {
		t.Errorf("%s: what was printed holds %q", when, found)
	}
	for _, root := range []string{s.home, d.written} {
		err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			if root == d.written && keyPlaces.MatchString(strings.TrimPrefix(name, root)) {
				return nil
			}
			text, err := os.ReadFile(name)
			if found := n.in(text); len(found) > 0 {
				t.Errorf("%s: %s holds %q", when, name, found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
