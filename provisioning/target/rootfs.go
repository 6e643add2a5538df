package target

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// rootfs is a folder that stands for a device's disk, also for that of a
// practice device.
type rootfs struct {
	spec    Spec
	options Options
	folder  string
	layer   *dirLayer // for looking
}

// folderOf gives the path of a rootfs on this computer: /C:/x is C:\x on
// Windows.
func folderOf(p string) string {
	if runtime.GOOS == "windows" && len(p) > 2 && p[2] == ':' {
		p = p[1:]
	}
	return filepath.FromSlash(p)
}

func openRootfs(spec Spec, folder string, options Options) (Target, error) {
	root, err := openDeviceRoot(folder)
	if err != nil {
		return nil, err
	}
	return &rootfs{spec: spec, options: options, folder: folder, layer: newDirLayer(root, false)}, nil
}

// openDeviceRoot refuses the running system and a root whose user tables are
// links out of it.
func openDeviceRoot(folder string) (*os.Root, error) {
	live, err := isLiveRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open root file system: %w", err)
	}
	if live {
		return nil, fmt.Errorf("open root file system %s: the target of the running system is \"local:\"", folder)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open root file system: %w", err)
	}
	for _, name := range []string{"etc/passwd", "etc/group"} {
		info, err := root.Lstat(name)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		if _, err := root.Stat(name); err != nil {
			root.Close()
			return nil, fmt.Errorf("open root file system %s: %s is a link that leads out of it", folder, name)
		}
	}
	return root, nil
}

func (r *rootfs) Spec() Spec   { return r.spec }
func (r *rootfs) Kind() Kind   { return r.spec.Kind }
func (r *rootfs) CanRun() bool { return false }
func (r *rootfs) Close() error { return r.layer.close() }

func (r *rootfs) Output(context.Context, string, ...string) ([]byte, int, error) {
	return nil, 0, ErrCannotRun
}

func (r *rootfs) ReadFile(_ context.Context, p string) ([]byte, error) {
	if err := checkPath(p); err != nil {
		return nil, err
	}
	return r.layer.readFile(p)
}

func (r *rootfs) ReadDir(_ context.Context, p string) ([]string, error) {
	if p != "/" {
		if err := checkPath(p); err != nil {
			return nil, err
		}
	}
	return r.layer.readDir(p)
}

func (r *rootfs) Stat(ctx context.Context, p string) (FileInfo, error) {
	if p != "/" {
		if err := checkPath(p); err != nil {
			return FileInfo{}, err
		}
	}
	if owned, err := ownsFolder(r.folder); err == nil && owned && !isRoot() {
		if m, err := loadManifest(ManifestFile(r.folder)); err == nil {
			look := *r.layer
			look.manifest = m
			return statWith(ctx, &look, p)
		}
	}
	return statWith(ctx, r.layer, p)
}

func statWith(ctx context.Context, l layer, p string) (FileInfo, error) {
	found, err := l.look(ctx, []string{p}, true, false)
	if err != nil {
		return FileInfo{}, err
	}
	if found[0].kind == kindMissing {
		return FileInfo{}, &fs.PathError{Op: "stat", Path: p, Err: fs.ErrNotExist}
	}
	return found[0].info(), nil
}

// Root works as root where the program is root, and records owners where the
// caller owns the folder. Anybody else's folder needs the helper, but that of a
// practice device is never elevated for.
func (r *rootfs) Root(ctx context.Context) (Root, error) {
	owned, err := ownsFolder(r.folder)
	if err != nil {
		return nil, fmt.Errorf("open root file system: %w", err)
	}
	if isRoot() || owned || r.spec.Kind == KindPractice {
		return openFolderRoot(r.folder, !isRoot(), r.options)
	}
	return startHelper(ctx, r.options, r.folder)
}

// openFolderRoot gives the Root of a folder. Owners are recorded on request,
// and in a bare folder that knows no users, where none could be right.
func openFolderRoot(folder string, record bool, options Options) (Root, error) {
	root, err := openDeviceRoot(folder)
	if err != nil {
		return nil, err
	}
	l := newDirLayer(root, false)
	table, err := l.readUsers()
	if err == nil && (record || len(table.users) == 0) {
		l.manifest, err = loadManifest(ManifestFile(folder))
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return newEngine(l, options.now), nil
}

func (r *rootfs) MachineKey(context.Context) string {
	if key := machineID(r.layer.readFile("/etc/machine-id")); key != "" {
		return key
	}
	if uuid := fileSystemUUID(r.folder); uuid != "" {
		return "fs-uuid:" + uuid
	}
	absolute, err := filepath.Abs(r.folder)
	if err != nil {
		absolute = r.folder
	}
	return "folder:" + filepath.ToSlash(absolute)
}

// machineID reads the content of /etc/machine-id (machine-id(5)). Images carry
// an empty one or the word uninitialized until their first start.
func machineID(text []byte, err error) string {
	id := strings.TrimSpace(string(text))
	if err != nil || len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || strings.Trim(id, "0") == "" {
		return ""
	}
	return "machine-id:" + id
}
