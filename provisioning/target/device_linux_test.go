package target

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// The same test binary is the helper, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "helper" {
		if err := ServeHelper(context.Background(), os.Stdin, os.Stdout, "test"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	devicePassword = "correct-horse"
	// sha512-crypt of devicePassword
	devicePasswordHash = "$6$ewtestsalt$7AglzFRE1FUgr6ghEQeEFcYtVwASxYyNoxXkBdP2lPlJ5dBimGwMpUCn6AuNaJZ9BJrgUgc3e/gmLKeg1P2f91"
)

// device is a root of its own: this machine's programs, its own users, /etc
// and /var. What runs in it runs in a mount namespace and a chroot.
type device struct {
	root  string // seen from outside
	shell string // what /bin/sh is: dash, bash or busybox
	pure  bool   // every tool is busybox's
	// mounts are lines for a shell that has R, before a program starts there.
	mounts string
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: to make a device of its own with mounts and users")
	}
	for _, tool := range []string{"unshare", "chroot", "busybox", "sudo", "setpriv"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	if _, err := os.Stat("/usr/sbin/sshd"); err != nil {
		t.Skip("needs sshd: the package openssh-server")
	}
}

func newDevice(t testing.TB, shell string, pure bool) *device {
	t.Helper()
	needRoot(t)
	root := t.TempDir()
	for p := root; p != "/" && strings.HasPrefix(p, os.TempDir()+"/"); p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o755); err != nil { // users of the device pass through it
			t.Fatal(err)
		}
	}
	d := &device{root: root, shell: shell, pure: pure}
	for _, dir := range []string{"etc/ssh/keys", "etc/sudoers.d", "var/lib", "var/log", "run/sshd", "tmp", "proc", "dev", "usr", "root", "home/admin",
		"local/bin", "local/sbin", "local/share/ca-certificates"} {
		d.mkdir(t, dir, 0o755)
	}
	d.chmod(t, "tmp", 0o1777)
	d.mkdir(t, "var/lib/private-dir/x", 0o700)
	d.chmod(t, "var/lib/private-dir", 0o700)
	for _, link := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+link, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"pam.d", "security", "login.defs", "ld.so.cache", "ld.so.conf", "alternatives"} {
		out, err := exec.Command("cp", "-a", "/etc/"+p, filepath.Join(root, "etc")).CombinedOutput()
		if err != nil {
			t.Fatalf("copy %s: %s", p, out)
		}
	}
	d.write(t, "etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nshadow: files\nhosts: files\n")
	d.write(t, "etc/hosts", 0o644, "127.0.0.1 localhost device\n")
	d.write(t, "etc/machine-id", 0o444, "0123456789abcdef0123456789abcdef\n")
	d.write(t, "etc/passwd", 0o644, `root:x:0:0:root:/root:/bin/sh
sshd:x:105:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
admin:x:1000:1000::/home/admin:/bin/sh
ops:x:1001:1001::/home/admin:/bin/bash
plain:x:1002:1002::/home/admin:/bin/sh
aziotks:x:991:981::/var/lib/aziot/keyd:/usr/sbin/nologin
aziotcs:x:992:982::/var/lib/aziot/certd:/usr/sbin/nologin
aziottpm:x:993:983::/var/lib/aziot/tpmd:/usr/sbin/nologin
`)
	d.write(t, "etc/group", 0o644, "root:x:0:\nshadow:x:42:\nadmin:x:1000:\nops:x:1001:\nplain:x:1002:\nnogroup:x:65534:\naziotks:x:981:\naziotcs:x:982:\naziottpm:x:983:\ntss:x:984:aziottpm\n")
	shadow := ""
	for _, user := range []string{"root", "admin", "ops", "plain"} {
		shadow += user + ":" + devicePasswordHash + ":19000:0:99999:7:::\n"
	}
	d.write(t, "etc/shadow", 0o640, shadow)
	d.write(t, "etc/sudoers", 0o440, "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\nadmin ALL=(ALL:ALL) ALL\nops ALL=(ALL:ALL) NOPASSWD: ALL\n")
	if pure {
		out, err := exec.Command("busybox", "--list").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, applet := range strings.Fields(string(out)) {
			if applet != "sh" && applet != "su" && applet != "busybox" {
				if err := os.Symlink("/usr/bin/busybox", filepath.Join(root, "local/sbin", applet)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return d
}

func (d *device) path(p string) string { return filepath.Join(d.root, p) }

func (d *device) mkdir(t testing.TB, p string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(d.path(p), mode); err != nil {
		t.Fatal(err)
	}
	d.chmod(t, p, mode)
}

func (d *device) chmod(t testing.TB, p string, mode os.FileMode) {
	t.Helper()
	if mode&0o1000 != 0 {
		mode = mode&0o777 | os.ModeSticky
	}
	if err := os.Chmod(d.path(p), mode); err != nil {
		t.Fatal(err)
	}
}

func (d *device) write(t testing.TB, p string, mode os.FileMode, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(d.path(p)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.path(p), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(d.path(p), mode); err != nil {
		t.Fatal(err)
	}
}

// program puts a script in the device's PATH.
func (d *device) program(t testing.TB, name, text string) {
	t.Helper()
	d.write(t, "local/bin/"+name, 0o755, text)
}

// command runs a program in the device, as root.
func (d *device) command(ctx context.Context, extraMounts string, args ...string) *exec.Cmd {
	setup := `set -e
mount --rbind /usr "$R/usr"
mount --rbind /dev "$R/dev"
mount -t proc proc "$R/proc"
mount --bind "$R/local" "$R/usr/local"
`
	if d.shell != "dash" {
		setup += `mount --bind "/usr/bin/` + d.shell + `" "$R/usr/bin/dash"` + "\n"
	}
	setup += d.mounts + "\n" + extraMounts + "\nexec chroot \"$R\" \"$@\"\n"
	cmd := exec.CommandContext(ctx, "unshare", append([]string{"-m", "--propagation", "private", "/bin/bash", "-c", setup, "setup"}, args...)...)
	cmd.Env = []string{"R=" + d.root, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// inside runs one test of this binary in the device, as a user.
func (d *device) inside(t *testing.T, user, test string, env ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	d.write(t, "target.test", 0o755, string(text))
	d.mkdir(t, "testtmp", 0o755)
	d.chmod(t, "testtmp", 0o1777)
	cmd := d.command(t.Context(), "", "/usr/bin/setpriv", "--reuid="+user, "--regid="+user, "--init-groups",
		"/target.test", "-test.run=^"+test+"$", "-test.v", "-test.count=1")
	cmd.Env = append(cmd.Env, "TMPDIR=/testtmp", "EDGEWRIGHT_TEST_INSIDE=1")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+test)) {
		t.Fatalf("inside the device as %s: %v\n%s", user, err, out)
	}
}

// isInside tells whether this process runs in a device.
func isInside() bool { return os.Getenv("EDGEWRIGHT_TEST_INSIDE") == "1" }

// server is a real sshd in a device.
type server struct {
	*device
	port     int
	identity string // private key file that every user accepts
	hostKeys map[string]ssh.PublicKey
	dir      string
}

// newKey writes an ed25519 key in OpenSSH form.
func newKey(t testing.TB, file, passphrase string) ssh.PublicKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (d *device) serve(t testing.TB, extraMounts string, extraConfig ...string) *server {
	t.Helper()
	s := &server{device: d, port: freePort(t), dir: t.TempDir(), hostKeys: map[string]ssh.PublicKey{}}
	s.identity = filepath.Join(s.dir, "id")
	public := newKey(t, s.identity, "")
	for _, user := range []string{"root", "admin", "ops", "plain"} {
		d.write(t, "etc/ssh/keys/"+user, 0o644, string(ssh.MarshalAuthorizedKey(public)))
	}
	config := fmt.Sprintf(`Port %d
ListenAddress 127.0.0.1
PidFile none
UsePAM yes
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication yes
AuthorizedKeysFile /etc/ssh/keys/%%u
StrictModes no
MaxStartups 200
PrintMotd no
`, s.port)
	for _, kind := range []string{"ed25519", "ecdsa"} {
		file := filepath.Join(s.dir, kind)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %s", out)
		}
		private, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d.write(t, "etc/ssh/"+kind, 0o600, string(private))
		signer, err := ssh.ParsePrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		s.hostKeys[kind] = signer.PublicKey()
		config += "HostKey /etc/ssh/" + kind + "\n"
	}
	d.write(t, "etc/ssh/sshd_config", 0o600, config+strings.Join(extraConfig, "\n")+"\n")
	var log bytes.Buffer
	cmd := d.command(context.Background(), extraMounts, "/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/sshd_config")
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd:\n%s", log.String())
		}
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
		if err == nil {
			_ = conn.Close()
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("sshd does not start: %s", log.String())
		}
	}
}

func (s *server) spec(user string) Spec {
	return Spec{Kind: KindSSH, SSH: Endpoint{User: user, Host: "127.0.0.1", Port: s.port}}
}

// options log in with the key and know nothing of this machine's user.
func (s *server) options(t testing.TB) Options {
	t.Helper()
	return Options{Dir: t.TempDir(), Identities: []string{s.identity}, SSHConfig: "/dev/null", KnownHosts: []string{},
		TrustHostKey: func(HostKey) bool { return true }}
}

func (s *server) open(t testing.TB, user string, options Options) Target {
	t.Helper()
	target, err := Open(t.Context(), s.spec(user), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.Close() })
	return target
}
