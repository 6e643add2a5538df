package target

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"time"
)

// dirLayer is the layer over a folder that is somebody's root: / of this
// computer, or a mounted one. All work goes through an os.Root, which no link
// leaves; absolute links are right for the device and are resolved against
// its root.
type dirLayer struct {
	root *os.Root
	live bool // the folder is / of the running system: programs may run
	// manifest is nil where owners can be set.
	manifest *manifest
	users    func() (userTable, error)
	// pending are the owners of temporary names until they are renamed.
	pending map[string]manifestEntry
}

func newDirLayer(root *os.Root, live bool) *dirLayer {
	d := &dirLayer{root: root, live: live, pending: map[string]manifestEntry{}}
	d.users = d.readUsers
	return d
}

func (d *dirLayer) close() error { return d.root.Close() }

func (d *dirLayer) recorded() bool { return d.manifest != nil }

func (d *dirLayer) now(context.Context) (time.Time, error) { return time.Now(), nil }

// readUsers reads the tables of this root. A root without etc/passwd has none.
func (d *dirLayer) readUsers() (userTable, error) {
	passwd, err := d.readFile("/etc/passwd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return userTable{}, fmt.Errorf("read the users of the device: %w", err)
	}
	group, err := d.readFile("/etc/group")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return userTable{}, fmt.Errorf("read the groups of the device: %w", err)
	}
	return parseUsers(passwd, group), nil
}

func (d *dirLayer) ids(_ context.Context, users, groups []string) (map[string]int, map[string]int, error) {
	table, err := d.users()
	if err != nil {
		return nil, nil, err
	}
	uids, gids := map[string]int{}, map[string]int{}
	// A bare folder has no users yet: names are recorded as they are.
	bare := d.recorded() && len(table.users) == 0
	for _, name := range users {
		if id, ok := table.users[name]; ok || bare {
			uids[name] = id
		}
	}
	for _, name := range groups {
		if id, ok := table.groups[name]; ok || bare {
			gids[name] = id
		}
	}
	return uids, gids, nil
}

func (d *dirLayer) look(ctx context.Context, paths []string, follow, hash bool) ([]entry, error) {
	table, err := d.users()
	if err != nil {
		return nil, err
	}
	all := make([]entry, len(paths))
	for i, p := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if all[i], err = d.lookOne(p, follow, hash, table); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (d *dirLayer) lookOne(p string, follow, hash bool, table userTable) (entry, error) {
	rel, err := d.resolve(p, follow)
	if errors.Is(err, fs.ErrNotExist) {
		return entry{}, nil
	} else if err != nil {
		return entry{}, err
	}
	info, err := d.root.Lstat(rel)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return entry{}, nil
	} else if err != nil {
		return entry{}, devicePath(err, p)
	}
	found := entry{mode: info.Mode().Perm(), size: info.Size(), modified: info.ModTime().UTC()}
	found.uid, found.gid = ownerOf(info)
	found.owner, found.group = table.nameOf(found.uid, found.gid)
	switch {
	case info.Mode().IsRegular():
		found.kind = kindFile
	case info.IsDir():
		found.kind = kindDir
	case info.Mode()&fs.ModeSymlink != 0:
		found.kind = kindLink
	default:
		found.kind = kindOther
	}
	if d.manifest != nil {
		if listed, ok := d.manifest.entries[p]; ok {
			found.owner, found.group, found.listed = listed.owner, listed.group, true
			if runtime.GOOS == "windows" {
				found.mode = listed.mode
			}
		}
	}
	if hash && found.kind == kindFile {
		file, err := d.root.Open(rel)
		if err != nil {
			return entry{}, devicePath(err, p)
		}
		defer file.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, file); err != nil {
			return entry{}, devicePath(err, p)
		}
		found.sum = hex.EncodeToString(sum.Sum(nil))
	}
	return found, nil
}

func (d *dirLayer) read(_ context.Context, p string) ([]byte, error) { return d.readFile(p) }

func (d *dirLayer) readFile(p string) ([]byte, error) {
	rel, err := d.resolve(p, true)
	if err != nil {
		return nil, err
	}
	file, err := d.root.OpenFile(rel, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, devicePath(err, p)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: not a plain file", p)
	}
	data, err := readBounded(file, p)
	return data, devicePath(err, p)
}

func readBounded(r io.Reader, p string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxReadSize+1))
	if err == nil && len(data) > maxReadSize {
		return nil, fmt.Errorf("read %s: larger than %d bytes", p, maxReadSize)
	}
	return data, err
}

func (d *dirLayer) list(_ context.Context, p string) ([]string, error) {
	names, err := d.readDir(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

func (d *dirLayer) readDir(p string) ([]string, error) {
	rel, err := d.resolve(p, true)
	if err != nil {
		return nil, err
	}
	dir, err := d.root.Open(rel)
	if err != nil {
		return nil, devicePath(err, p)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	slices.Sort(names)
	return names, devicePath(err, p)
}

// do writes the manifest before the renames that it tells of: a stale entry
// makes the next Place write the file again, a missing one as well.
func (d *dirLayer) do(ctx context.Context, ops []op) error {
	if err := d.record(ops); err != nil {
		return &opError{op: ops[0], err: err}
	}
	var labels []string
	for i, o := range ops {
		err := ctx.Err()
		if err == nil {
			err = devicePath(d.one(ctx, o), o.path)
		}
		if err != nil {
			return &opError{op: o, done: i, err: err}
		}
		if o.kind == opLabel {
			labels = append(labels, o.path)
		}
	}
	d.relabel(ctx, labels)
	return d.unrecord(ops)
}

// relabel sets the SELinux labels of new files, where there is SELinux.
func (d *dirLayer) relabel(ctx context.Context, paths []string) {
	if !d.live || len(paths) == 0 {
		return
	}
	if _, err := os.Stat("/sys/fs/selinux/enforce"); err != nil {
		return
	}
	if program, err := exec.LookPath("restorecon"); err == nil {
		_ = exec.CommandContext(ctx, program, append([]string{"-F"}, paths...)...).Run()
	}
}

func (d *dirLayer) one(ctx context.Context, o op) error {
	rel, err := d.resolve(o.path, o.kind == opSync)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && (o.kind == opRemove || o.kind == opRmdir || o.kind == opSync) {
			return nil
		}
		return err
	}
	switch o.kind {
	case opWrite:
		return d.create(rel, o, bytes.NewReader(o.data), time.Time{})
	case opCopy:
		return d.copy(rel, o)
	case opKey:
		return d.makeKey(ctx, rel, o)
	case opMkdir:
		if err := d.root.Mkdir(rel, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if d.manifest == nil {
			if err := d.root.Lchown(rel, o.uid, o.gid); err != nil {
				return err
			}
		}
		return d.root.Chmod(rel, o.mode)
	case opLink, opRename:
		from, err := d.resolve(o.from, false)
		if err != nil {
			return err
		}
		if o.kind == opLink {
			return d.root.Link(from, rel)
		}
		return d.root.Rename(from, rel)
	case opRemove:
		info, err := d.root.Lstat(rel)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
			return nil
		} else if err != nil {
			return err
		}
		if info.IsDir() {
			return errors.New("is a folder")
		}
		return d.root.Remove(rel)
	case opRmdir:
		return d.rmdir(rel)
	case opSync:
		return syncDir(d.root, rel)
	}
	return nil
}

func (d *dirLayer) rmdir(rel string) error {
	info, err := d.root.Lstat(rel)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) || err == nil && !info.IsDir() {
		return nil
	} else if err != nil {
		return err
	}
	dir, err := d.root.Open(rel)
	if err != nil {
		return err
	}
	names, err := dir.Readdirnames(1)
	dir.Close()
	if len(names) > 0 {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return d.root.Remove(rel)
}

func (d *dirLayer) copy(rel string, o op) error {
	from, err := d.resolve(o.from, false)
	if err != nil {
		return err
	}
	source, err := d.root.OpenFile(from, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a plain file")
	}
	return d.create(rel, o, source, info.ModTime())
}

// create makes a new file, owner before mode, and syncs it. What it cannot
// finish it removes.
func (d *dirLayer) create(rel string, o op, data io.Reader, modified time.Time) (err error) {
	file, err := d.root.OpenFile(rel, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err == nil && !modified.IsZero() {
			err = d.root.Chtimes(rel, modified, modified)
		}
		if err != nil {
			_ = d.root.Remove(rel)
		}
	}()
	if _, err := io.Copy(file, data); err != nil {
		return err
	}
	if d.manifest == nil {
		if err := file.Chown(o.uid, o.gid); err != nil {
			return err
		}
	}
	if err := file.Chmod(o.mode); err != nil && runtime.GOOS != "windows" {
		return err
	}
	return file.Sync()
}

// makeKey has a program write a new key straight into its file.
func (d *dirLayer) makeKey(ctx context.Context, rel string, o op) error {
	if !d.live {
		return ErrCannotRun
	}
	read, write := io.Pipe()
	go func() {
		a, err := runCall(ctx, call{user: "root", command: makeKeyCommand(o.algorithm)}, write)
		if err == nil && a.code != 0 {
			err = a.said()
		}
		write.CloseWithError(err)
	}()
	err := d.create(rel, o, read, time.Time{})
	read.CloseWithError(err)
	return err
}

func (d *dirLayer) call(ctx context.Context, c call) (answer, error) {
	if !d.live {
		return answer{}, ErrCannotRun
	}
	var out bytes.Buffer
	a, err := runCall(ctx, c, &out)
	a.out = out.Bytes()
	return a, err
}

func (d *dirLayer) act(ctx context.Context, commands [][]string, onLine func(string)) (Output, error) {
	if !d.live {
		return Output{}, ErrCannotRun
	}
	return runFirst(ctx, commands, onLine)
}

// devicePath puts the device's path in the place of the folder's own.
func devicePath(err error, p string) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return &fs.PathError{Op: pathError.Op, Path: p, Err: pathError.Err}
	}
	var linkError *os.LinkError
	if errors.As(err, &linkError) {
		return &fs.PathError{Op: linkError.Op, Path: p, Err: linkError.Err}
	}
	return err
}
