//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program is the built edgewright; baseRoot the root of which every device is
// a copy, empty where it could not be made.
var program, baseRoot, whyNoRoot string

const insideVariable = "EDGEWRIGHT_E2E_INSIDE"

func TestMain(m *testing.M) {
	program = os.Getenv("EDGEWRIGHT_BIN")
	if program == "" {
		fmt.Fprintln(os.Stderr, "EDGEWRIGHT_BIN names no program: run `make test`")
		os.Exit(1)
	}
	switch {
	case os.Geteuid() != 0:
		whyNoRoot = "needs root"
	case os.Getenv(insideVariable) == "":
		// The base root comes from a package mirror, which the namespaces below
		// do not reach.
		if err := prepareBase(); err != nil {
			fmt.Fprintln(os.Stderr, "device root:", err)
			os.Exit(1)
		}
		enterNamespaces()
	default:
		baseRoot = os.Getenv(insideVariable)
	}
	os.Exit(m.Run())
}

// enterNamespaces starts the tests again where mounts, networks and processes
// end with them.
func enterNamespaces() {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	args := append([]string{"unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-c", `ip link set lo up && mount -t tmpfs tmpfs /run/netns 2>/dev/null || mkdir -p /run/netns; exec "$0" "$@"`}, os.Args...)
	err = syscall.Exec(unshare, args, append(os.Environ(), insideVariable+"="+baseRoot))
	fmt.Fprintln(os.Stderr, "unshare:", err)
	os.Exit(1)
}

// cacheDir is where the base root is kept between runs.
func cacheDir() string { return filepath.Join(filepath.Dir(program), "e2e") }

// prepareBase makes the base root once: a minimal system with sshd and sudo,
// the users of the IoT Edge packages, and the stand-in.
func prepareBase() error {
	suite, mirror, err := systemOfThisMachine()
	if err != nil {
		return err
	}
	root := filepath.Join(cacheDir(), "root-"+suite)
	if _, err := os.Stat(root + ".made"); err != nil {
		if err := os.RemoveAll(root); err != nil {
			return err
		}
		if err := os.MkdirAll(cacheDir(), 0o755); err != nil {
			return err
		}
		if err := command("debootstrap", "--variant=minbase", "--include=openssh-server,sudo,ca-certificates", suite, root, mirror); err != nil {
			return err
		}
		if err := os.WriteFile(root+".made", nil, 0o644); err != nil {
			return err
		}
	}
	baseRoot = root
	for _, step := range []func(string) error{addStandIn, addProgram, addUsers, addFolders} {
		if err := step(root); err != nil {
			return err
		}
	}
	return nil
}

// systemOfThisMachine gives release and package mirror that this machine
// installs from; the program's libraries fit the same release.
func systemOfThisMachine() (suite, mirror string, err error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", "", err
	}
	for line := range strings.SplitSeq(string(release), "\n") {
		if value, ok := strings.CutPrefix(line, "VERSION_CODENAME="); ok {
			suite = strings.Trim(value, `"`)
		}
	}
	if mirror = os.Getenv("MIRROR"); mirror != "" {
		return suite, mirror, nil
	}
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(ORIGIN) $(COMPONENT)", "Created-By: Packages").Output()
	if err != nil {
		return "", "", err
	}
	for line := range strings.SplitSeq(string(out), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 4 && fields[1] == suite && fields[3] == "main" && (fields[2] == "Debian" || fields[2] == "Ubuntu") {
			return suite, fields[0], nil
		}
	}
	return "", "", fmt.Errorf("this machine installs from no mirror of %s; name one as MIRROR", suite)
}

// addStandIn builds the stand-in and lays it at the real paths.
func addStandIn(root string) error {
	binary := filepath.Join(root, "usr/bin/iotedge")
	build := exec.Command("go", "build", "-o", binary, "./standin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the stand-in: %w\n%s", err, out)
	}
	link := filepath.Join(root, "usr/bin/systemctl")
	_ = os.Remove(link)
	return os.Symlink("iotedge", link)
}

// addProgram copies the program and the libraries it asks for, because the
// minimal root has none of them.
func addProgram(root string) error {
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		return err
	}
	libs := filepath.Join(root, "opt/edgewright/lib")
	if err := os.MkdirAll(libs, 0o755); err != nil {
		return err
	}
	for line := range strings.SplitSeq(string(out), "\n") {
		if _, path, ok := strings.Cut(line, "=> "); ok {
			path, _, _ = strings.Cut(path, " ")
			if err := command("cp", "-L", path, libs); err != nil {
				return err
			}
		}
	}
	return command("cp", program, filepath.Join(root, "opt/edgewright/edgewright"))
}

// addUsers makes the users that the packages make, with numbers of their own.
func addUsers(root string) error {
	for i, name := range []string{"aziotks", "aziotcs", "aziotid", "aziottpm", "iotedge", "tech", "keeper"} {
		if exec.Command("chroot", root, "id", name).Run() == nil {
			continue
		}
		if err := command("chroot", root, "useradd", "--create-home", "--uid", fmt.Sprint(7001+i), "--shell", "/bin/sh", name); err != nil {
			return err
		}
	}
	sudoers := "tech ALL=(ALL) NOPASSWD: ALL\nkeeper ALL=(ALL) ALL\n"
	if err := os.WriteFile(filepath.Join(root, "etc/sudoers.d/test"), []byte(sudoers), 0o440); err != nil {
		return err
	}
	set := exec.Command("chroot", root, "chpasswd")
	set.Stdin = strings.NewReader("keeper:keepers-word\n")
	return set.Run()
}

// addFolders makes what the packages of IoT Edge leave behind, and what a
// running system has.
func addFolders(root string) error {
	for path, owner := range map[string]string{"/etc/aziot": "root", "/run/systemd/system": "root", "/run/sshd": "root",
		"/etc/aziot/keyd/config.d": "aziotks", "/etc/aziot/certd/config.d": "aziotcs", "/etc/aziot/identityd/config.d": "aziotid", "/etc/aziot/tpmd/config.d": "aziottpm", "/etc/aziot/edged/config.d": "iotedge",
		"/var/lib/aziot/identityd": "aziotid", "/var/lib/aziot/keyd": "aziotks", "/var/lib/aziot/certd": "aziotcs"} {
		if err := command("chroot", root, "install", "-d", "-o", owner, "-g", owner, path); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc/hosts"), []byte("127.0.0.1 localhost\n"), 0o644); err != nil {
		return err
	}
	status := filepath.Join(root, "var/lib/dpkg/status")
	text, err := os.ReadFile(status)
	if err != nil {
		return err
	}
	if strings.Contains(string(text), "Package: aziot-edge\n") {
		return nil
	}
	for _, name := range []string{"aziot-edge", "aziot-identity-service", "moby-engine"} {
		text = append(text, fmt.Sprintf("\nPackage: %s\nStatus: install ok installed\nPriority: optional\nSection: admin\nMaintainer: test\nArchitecture: amd64\nVersion: 1.6.0-1\nDescription: stand-in\n", name)...)
	}
	return os.WriteFile(status, text, 0o644)
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
