package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// stateDir holds what Edgewright keeps on a device: the lock, and one folder
// per run with the kept set and its journal. root, 0700; gone when empty.
const stateDir = "/var/lib/edgewright"

// madeFile lists the folders above stateDir that were missing before, so that
// nothing is left behind in an empty root.
const madeFile = stateDir + "/.made"

const journalName = "journal.json"

// journal says how to get back to the state before the run. It is written
// before anything outside stateDir is touched.
type journal struct {
	Version int        `json:"version"`
	Run     string     `json:"run"`
	Files   []keptFile `json:"files"`
	Dirs    []string   `json:"dirs"`  // made by this run, parents first
	Temps   []string   `json:"temps"` // names under way; any of them may exist
}

// keptFile is one path before the run's first touch. The bytes and the time
// are those of the file Kept in the run's folder, which is root's and 0600
// whatever the file was.
type keptFile struct {
	Path    string `json:"path"`
	Existed bool   `json:"existed"`
	Kept    string `json:"kept,omitempty"`
	UID     int    `json:"uid"`
	GID     int    `json:"gid"`
	Owner   string `json:"owner,omitempty"` // only where owners are recorded
	Group   string `json:"group,omitempty"`
	Mode    uint32 `json:"mode"`
	Sum     string `json:"sum,omitempty"`
}

func runDir(runID string) string { return path.Join(stateDir, runID) }

func (j *journal) has(p string) bool {
	for _, k := range j.Files {
		if k.Path == p {
			return true
		}
	}
	return false
}

// loadJournal gives nil if the run keeps nothing.
func (e *engine) loadJournal(ctx context.Context, runID string) (*journal, error) {
	text, err := e.layer.read(ctx, path.Join(runDir(runID), journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kept set of run %s: %w", runID, err)
	}
	var j journal
	if err := json.Unmarshal(text, &j); err != nil || j.Version != 1 || j.Run != runID {
		return nil, fmt.Errorf("kept set of run %s: the journal in %s cannot be read", runID, runDir(runID))
	}
	// The journal is root's own file; what it names is held against the
	// allow list all the same.
	for _, k := range j.Files {
		if err := checkWritable(k.Path); err != nil {
			return nil, fmt.Errorf("kept set of run %s: %w", runID, err)
		}
	}
	for _, t := range j.Temps {
		if !j.besideAFile(t) {
			return nil, fmt.Errorf("kept set of run %s: %s: %w", runID, t, ErrPath)
		}
	}
	for _, d := range j.Dirs {
		if err := checkWritableDir(d); err != nil {
			return nil, fmt.Errorf("kept set of run %s: %w", runID, err)
		}
	}
	return &j, nil
}

// besideAFile tells whether a path is a temporary name in the folder of a file
// of the set.
func (j *journal) besideAFile(p string) bool {
	if checkPath(p) != nil || !strings.HasPrefix(path.Base(p), tempPrefix) {
		return false
	}
	for _, k := range j.Files {
		if path.Dir(k.Path) == path.Dir(p) {
			return true
		}
	}
	return false
}

// saveJournal gives the operations that replace the journal.
func (e *engine) saveJournal(j *journal) []op {
	text, err := json.Marshal(j)
	if err != nil {
		panic(err) // plain strings and numbers
	}
	dir := runDir(j.Run)
	return e.replaceState(path.Join(dir, journalName), text)
}

// replaceState gives the operations that write a file of ours anew.
func (e *engine) replaceState(p string, text []byte) []op {
	temp := p + ".new"
	return []op{
		{kind: opRemove, path: temp},
		{kind: opWrite, path: temp, data: text, mode: 0o600, owner: "root", group: "root"},
		{kind: opRename, from: temp, path: p},
		{kind: opSync, path: path.Dir(p)},
	}
}

// keptName numbers the kept files of a run.
func keptName(n int) string { return "kept-" + strconv.Itoa(n) }

// makeStateDir gives the operations that make stateDir and below it dir.
func (e *engine) makeStateDir(ctx context.Context, dir string) ([]op, error) {
	way := append(parents(dir), dir)
	if dir == stateDir {
		way = append(parents(stateDir), stateDir)
	}
	found, err := e.layer.look(ctx, way, false, false)
	if err != nil {
		return nil, err
	}
	var ops []op
	var made []string
	for i, p := range way {
		if found[i].kind == kindDir || found[i].kind == kindLink && p != stateDir && p != dir {
			continue
		}
		if found[i].kind != kindMissing {
			return nil, fmt.Errorf("%s is not a folder", p)
		}
		mode := fs.FileMode(0o755)
		if p == stateDir || p == dir {
			mode = 0o700
		} else {
			made = append(made, p)
		}
		ops = append(ops, op{kind: opMkdir, path: p, mode: mode, owner: "root", group: "root"})
		if p == stateDir && len(made) > 0 {
			text, _ := json.Marshal(made)
			ops = append(ops, e.replaceState(madeFile, text)...)
		}
	}
	return ops, nil
}

// tidyState removes stateDir if nothing is kept in it, and the folders above
// it that were made for it.
func (e *engine) tidyState(ctx context.Context) error {
	names, err := e.layer.list(ctx, stateDir)
	if err != nil {
		return err
	}
	var made []string
	var ops []op
	for _, name := range names {
		if strings.HasPrefix(name, tempPrefix) { // of a lock whose taker was killed
			ops = append(ops, op{kind: opRemove, path: path.Join(stateDir, name)})
			continue
		}
		if name != path.Base(madeFile) {
			return nil
		}
		text, err := e.layer.read(ctx, madeFile)
		if err != nil {
			return err
		}
		_ = json.Unmarshal(text, &made) // an unreadable list only leaves empty folders
	}
	ops = append(ops, op{kind: opRemove, path: madeFile}, op{kind: opRmdir, path: stateDir})
	for i := len(made) - 1; i >= 0; i-- {
		if leadsTo([]string{stateDir}, made[i]) {
			ops = append(ops, op{kind: opRmdir, path: made[i]})
		}
	}
	return e.layer.do(ctx, ops)
}
