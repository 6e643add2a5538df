//go:build e2e

package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// device is a root of its own: a layer over the base root.
type device struct {
	root string
	// written is the layer with what was written since it was made.
	written string
	net     string // its network namespace, "" for this one
	addr    string // its address there
	// hostKey is the public key of its sshd, as authorized_keys writes it.
	hostKey string
}

// newDevice lays a fresh layer over the base root.
func newDevice(t testing.TB) *device {
	t.Helper()
	if whyNoRoot != "" {
		t.Skip(whyNoRoot)
	}
	dir := t.TempDir()
	// A layer's folders may not lie on another layered file system.
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	d := &device{root: filepath.Join(dir, "root"), written: filepath.Join(dir, "upper")}
	for _, name := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", baseRoot, dir, dir)
	d.mount(t, "overlay", d.root, "overlay", 0, options)
	d.mount(t, "proc", filepath.Join(d.root, "proc"), "proc", 0, "")
	d.mount(t, "/dev", filepath.Join(d.root, "dev"), "", syscall.MS_BIND|syscall.MS_REC, "")
	return d
}

func (d *device) mount(t testing.TB, source, path, kind string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount(source, path, kind, flags, options); err != nil {
		t.Fatalf("mount %s on %s: %v", source, path, err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
}

// networks counts the namespaces of this process.
var networks atomic.Int32

// connect puts the device into a network namespace of its own, reached over a
// pair of virtual cables, and starts its sshd there. It returns the host key's
// fingerprint.
func (d *device) connect(t testing.TB, publicKey string) (fingerprint string) {
	t.Helper()
	n := networks.Add(1)
	d.net, d.addr = fmt.Sprintf("ew%d", n), fmt.Sprintf("10.77.%d.2", n)
	cable := fmt.Sprintf("ewv%d", n)
	for _, line := range []string{
		"netns add " + d.net, "link add " + cable + " type veth peer name eth0 netns " + d.net,
		fmt.Sprintf("addr add 10.77.%d.1/24 dev %s", n, cable), "link set " + cable + " up",
		fmt.Sprintf("-n %s addr add %s/24 dev eth0", d.net, d.addr), "-n " + d.net + " link set eth0 up", "-n " + d.net + " link set lo up",
	} {
		if err := command("ip", strings.Fields(line)...); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = command("ip", "netns", "del", d.net) })
	for _, home := range []string{"/root", "/home/tech", "/home/keeper"} {
		ssh := filepath.Join(d.root, home, ".ssh")
		info, err := os.Stat(filepath.Dir(ssh))
		if err != nil {
			t.Fatal(err)
		}
		owner := info.Sys().(*syscall.Stat_t)
		if err := os.MkdirAll(ssh, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(ssh, "authorized_keys")
		if err := os.WriteFile(file, []byte(publicKey), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{ssh, file} {
			if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Each device has its own key.
	key := filepath.Join(d.root, "etc/ssh/ssh_host_ed25519_key")
	_ = os.Remove(key)
	if err := command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key); err != nil {
		t.Fatal(err)
	}
	sshd := exec.Command("ip", "netns", "exec", d.net, "chroot", d.root, "/usr/sbin/sshd", "-D", "-e", "-o", "HostKey=/etc/ssh/ssh_host_ed25519_key", "-o", "MaxStartups=100")
	if err := sshd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sshd.Process.Kill(); _ = sshd.Wait() })
	d.waitForSSH(t)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	d.hostKey = strings.TrimSpace(string(public))
	out, err := exec.Command("ssh-keygen", "-lf", key+".pub").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))[1]
}

func (d *device) waitForSSH(t testing.TB) {
	t.Helper()
	for range 200 {
		if exec.Command("bash", "-c", "exec 3<>/dev/tcp/"+d.addr+"/22 && read -t 1 line <&3 && [[ $line == SSH* ]]").Run() == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("sshd does not answer")
}

// picture lists everything under the places that a run may touch: path, kind,
// mode, owner and content.
func (d *device) picture(t testing.TB) string {
	t.Helper()
	var lines []string
	for _, place := range []string{"etc", "var/aziot", "var/secrets", "var/lib/aziot", "var/lib/edgewright", "usr/local"} {
		err := filepath.WalkDir(filepath.Join(d.root, place), func(path string, entry fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			stat := info.Sys().(*syscall.Stat_t)
			content := ""
			switch {
			case info.Mode().IsRegular():
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				content = fmt.Sprintf("%x", sha256.Sum256(data))
			case info.Mode()&fs.ModeSymlink != 0:
				content, _ = os.Readlink(path)
			}
			name, _ := filepath.Rel(d.root, path)
			lines = append(lines, fmt.Sprintf("%s %v %d:%d %s", name, info.Mode(), stat.Uid, stat.Gid, content))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// differences shows the lines in which two pictures differ.
func differences(before, after string) string {
	had := map[string]bool{}
	for line := range strings.SplitSeq(before, "\n") {
		had[line] = true
	}
	var out []string
	for line := range strings.SplitSeq(after, "\n") {
		if !had[line] {
			out = append(out, "+ "+line)
		}
		delete(had, line)
	}
	for line := range had {
		out = append(out, "- "+line)
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}
