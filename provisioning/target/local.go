package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
)

// local is this computer.
type local struct {
	spec    Spec
	options Options
}

func (l *local) Spec() Spec   { return l.spec }
func (l *local) Kind() Kind   { return KindLocal }
func (l *local) CanRun() bool { return true }
func (l *local) Close() error { return nil }

// Dial connects to an address of this computer.
func (l *local) Dial(ctx context.Context, addr string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", addr)
}

func (l *local) Output(ctx context.Context, name string, args ...string) ([]byte, int, error) {
	program := lookIn(os.Getenv("PATH")+string(os.PathListSeparator)+systemPath, name)
	if program == "" {
		return nil, 127, nil
	}
	stdout := &lineWriter{feed: &lineFeed{}}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Args[0] = name
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdout = stdout
	ownGroup(cmd)
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, 0, ctx.Err()
	}
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) && !errors.Is(err, exec.ErrWaitDelay) {
		return nil, 0, fmt.Errorf("run %s: %w", name, err)
	}
	if stdout.over {
		return nil, 0, fmt.Errorf("run %s: it prints more than %d bytes", name, maxReadSize)
	}
	return bytes.Clone(stdout.all.Bytes()), exitCode(cmd), nil
}

func (l *local) ReadFile(_ context.Context, p string) ([]byte, error) {
	file, err := os.OpenFile(folderOf(p), os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readBounded(file, p)
}

func (l *local) ReadDir(_ context.Context, p string) ([]string, error) {
	dir, err := os.Open(folderOf(p))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

func (l *local) Stat(_ context.Context, p string) (FileInfo, error) {
	info, err := os.Stat(folderOf(p))
	if err != nil {
		return FileInfo{}, err
	}
	found := FileInfo{Mode: info.Mode().Perm(), Size: info.Size(), Modified: info.ModTime().UTC(), IsDir: info.IsDir()}
	found.UID, found.GID = ownerOf(info)
	passwd, _ := os.ReadFile("/etc/passwd") // without them numbers are shown
	group, _ := os.ReadFile("/etc/group")
	found.Owner, found.Group = parseUsers(passwd, group).nameOf(found.UID, found.GID)
	return found, nil
}

// Root is direct for root; anybody else starts the helper.
func (l *local) Root(ctx context.Context) (Root, error) {
	if runtime.GOOS == "windows" {
		return nil, fmt.Errorf("provision this computer: %w", ErrUnsupported)
	}
	if isRoot() {
		return openLiveRoot(l.options)
	}
	return startHelper(ctx, l.options, "")
}

func openLiveRoot(options Options) (Root, error) {
	root, err := os.OpenRoot("/")
	if err != nil {
		return nil, err
	}
	return newEngine(newDirLayer(root, true), options.now), nil
}

func (l *local) MachineKey(ctx context.Context) string {
	text, err := l.ReadFile(ctx, "/etc/machine-id")
	if errors.Is(err, fs.ErrNotExist) {
		text, err = l.ReadFile(ctx, "/var/lib/dbus/machine-id")
	}
	if key := machineID(text, err); key != "" {
		return key
	}
	if uuid := fileSystemUUID("/"); uuid != "" {
		return "fs-uuid:" + uuid
	}
	return ""
}
