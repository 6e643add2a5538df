package target

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// engine is Root over a layer.
type engine struct {
	mu    sync.Mutex
	layer layer
	clock func() time.Time // this computer's
}

func newEngine(l layer, clock func() time.Time) *engine { return &engine{layer: l, clock: clock} }

func (e *engine) Close() error { return e.layer.close() }

func (e *engine) ReadFile(ctx context.Context, p string) ([]byte, error) {
	if err := checkReadable(p); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.layer.read(ctx, p)
}

func (e *engine) Stat(ctx context.Context, p string) (FileInfo, error) {
	if err := checkReadable(p); err != nil {
		return FileInfo{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	found, err := e.layer.look(ctx, []string{p}, true, false)
	if err != nil {
		return FileInfo{}, err
	}
	if found[0].kind == kindMissing {
		return FileInfo{}, &fs.PathError{Op: "stat", Path: p, Err: fs.ErrNotExist}
	}
	return found[0].info(), nil
}

func (e *engine) Act(ctx context.Context, a Action, onLine func(string)) (Output, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a == RemoveGenerated {
		return Output{}, e.removeGenerated(ctx)
	}
	commands, err := a.commands()
	if err != nil {
		return Output{}, err
	}
	if a == AddTrust {
		commands[0] = append(commands[0][:len(commands[0])-1], e.trustHash(ctx))
	}
	out, err := e.layer.act(ctx, commands, onLine)
	if err != nil {
		return out, fmt.Errorf("%s: %w", a, err)
	}
	return out, nil
}

// trustHash is what the link of the practice CA is named after, empty where it
// is left to the machine's openssl.
func (e *engine) trustHash(ctx context.Context) string {
	text, err := e.layer.read(ctx, practiceCA)
	if err != nil {
		return ""
	}
	hash, err := subjectHash(text)
	if err != nil {
		return ""
	}
	return hash
}

func (e *engine) removeGenerated(ctx context.Context) error {
	var ops []op
	for _, p := range generated.files {
		ops = append(ops, op{kind: opRemove, path: p})
	}
	for _, p := range generated.dirs {
		ops = append(ops, op{kind: opRmdir, path: p})
	}
	if err := e.layer.do(ctx, ops); err != nil {
		return fmt.Errorf("remove generated files: %w", err)
	}
	return nil
}

// ownerIDs resolves every owner and group of a set, or says who is missing.
func (e *engine) ownerIDs(ctx context.Context, set FileSet) (uids, gids map[string]int, err error) {
	var users, groups []string
	add := func(owner, group string) {
		if !slices.Contains(users, owner) {
			users = append(users, owner)
		}
		if !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	for _, d := range set.Dirs {
		add(d.Owner, d.Group)
	}
	for _, f := range set.Files {
		if !f.Remove {
			add(f.Owner, f.Group)
		}
	}
	add("root", "root")
	uids, gids, err = e.layer.ids(ctx, users, groups)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range users {
		if _, ok := uids[name]; !ok {
			return nil, nil, &MissingUserError{User: name, Package: packageOf(name)}
		}
	}
	for _, name := range groups {
		if _, ok := gids[name]; !ok {
			return nil, nil, &MissingUserError{User: name, Package: packageOf(name)}
		}
	}
	return uids, gids, nil
}

// isPlaced tells whether what was found is f already.
// Of a file that the machine makes or that stays only owner and mode are looked at.
func (e *engine) isPlaced(f File, found entry, uid, gid int) bool {
	if f.Remove {
		return found.kind == kindMissing
	}
	sum := sha256.Sum256(f.Data.Reveal())
	if found.kind != kindFile || found.mode != f.Mode || !f.Stays && f.Make == "" && found.sum != hex.EncodeToString(sum[:]) {
		return false
	}
	if e.layer.recorded() {
		return found.listed && found.owner == f.Owner && found.group == f.Group
	}
	return found.uid == uid && found.gid == gid
}

func (e *engine) Same(ctx context.Context, set FileSet) (bool, error) {
	if err := set.check(); err != nil {
		return false, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	uids, gids, err := e.ownerIDs(ctx, set)
	var missing *MissingUserError
	if errors.As(err, &missing) {
		return false, nil // what is there cannot belong to them
	} else if err != nil {
		return false, err
	}
	old, err := e.loadJournal(ctx, set.RunID)
	if err != nil {
		return false, err
	}
	w, err := e.survey(ctx, set, old, uids, gids)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return len(w.change) == 0 && len(w.dirs) == 0, nil
}

// work is what a set still needs.
type work struct {
	change []File  // files that differ, in the order of renaming
	found  []entry // what lies at each of them
	dirs   []Dir   // folders that are missing, parents first
	// waiting are those of change whose From exists.
	waiting map[string]bool
	// missing are files that shall not be there and are not: PutBack takes away
	// what comes there after the set.
	missing []string
}

// survey compares a set with the device. It refuses paths that lead through
// something odd: a link that somebody other than root made, a file where a
// folder should be, a link or folder where the file should be.
func (e *engine) survey(ctx context.Context, set FileSet, old *journal, uids, gids map[string]int) (work, error) {
	files := set.ordered()
	var paths, folders, sources []string
	for _, f := range files {
		paths = append(paths, f.Path)
		sources = append(sources, cmp.Or(f.From, f.Path))
		folders = append(folders, parents(f.Path)...)
	}
	for _, d := range set.Dirs {
		folders = append(folders, append(parents(d.Path), d.Path)...)
	}
	slices.Sort(folders)
	folders = slices.Compact(folders)
	found, err := e.layer.look(ctx, paths, false, true)
	if err != nil {
		return work{}, err
	}
	waits := found
	if !slices.Equal(sources, paths) {
		if waits, err = e.layer.look(ctx, sources, false, false); err != nil {
			return work{}, err
		}
	}
	ways, err := e.layer.look(ctx, folders, false, false)
	if err != nil {
		return work{}, err
	}
	exists := map[string]bool{}
	for i, way := range ways {
		switch way.kind {
		case kindLink:
			if way.uid != 0 && !e.layer.recorded() {
				return work{}, fmt.Errorf("folder %s is a link made by %s, not by root: refused", folders[i], way.owner)
			}
		case kindFile, kindOther:
			return work{}, fmt.Errorf("%s is not a folder", folders[i])
		}
		exists[folders[i]] = way.kind != kindMissing
	}
	w := work{waiting: map[string]bool{}}
	need := map[string]bool{}
	for i, f := range files {
		switch found[i].kind {
		case kindLink:
			return work{}, fmt.Errorf("%s is a link: put a plain file in its place first", f.Path)
		case kindDir, kindOther:
			return work{}, fmt.Errorf("%s is not a plain file", f.Path)
		}
		waiting := f.From != "" && waits[i].kind == kindFile
		placed := e.isPlaced(f, found[i], uids[f.Owner], gids[f.Group])
		switch {
		case f.Stays && !waiting && found[i].kind == kindMissing:
			return work{}, errNothingStays(f.Path)
		case placed && !waiting && (f.Make == "" || old.isBorn(f.Path, found[i].sum)):
			if f.Remove {
				w.missing = append(w.missing, f.Path)
			}
			continue
		}
		w.waiting[f.Path] = waiting
		w.change = append(w.change, f)
		w.found = append(w.found, found[i])
		if !f.Remove {
			for _, p := range parents(f.Path) {
				need[p] = need[p] || !exists[p]
			}
		}
	}
	for _, d := range set.Dirs {
		for _, p := range append(parents(d.Path), d.Path) {
			need[p] = need[p] || !exists[p]
		}
	}
	for _, p := range folders {
		if need[p] {
			w.dirs = append(w.dirs, set.dir(p))
		}
	}
	return w, nil
}

// dir is the folder p as the set wants it; folders on the way that it does not
// name are root's.
func (s FileSet) dir(p string) Dir {
	for _, d := range s.Dirs {
		if d.Path == p {
			return d
		}
	}
	return Dir{Path: p, Owner: "root", Group: "root", Mode: 0o755}
}

// parents gives the folders above p, the topmost first, without /.
func parents(p string) []string {
	var all []string
	for p = path.Dir(p); p != "/"; p = path.Dir(p) {
		all = append(all, p)
	}
	slices.Reverse(all)
	return all
}

// tempName is a name in the folder of p that nobody can have prepared.
func tempName(p string) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return path.Join(path.Dir(p), tempPrefix+hex.EncodeToString(random[:]))
}

const tempPrefix = ".ew-"

// syncDirs gives operations that write the folders of the paths to the disk.
func syncDirs(paths []string) []op {
	var dirs []string
	for _, p := range paths {
		dirs = append(dirs, path.Dir(p))
	}
	slices.SortFunc(dirs, func(a, b string) int { return -strings.Compare(a, b) })
	var ops []op
	for _, d := range slices.Compact(dirs) {
		ops = append(ops, op{kind: opSync, path: d})
	}
	return ops
}
