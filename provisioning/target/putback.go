package target

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

func (e *engine) PutBack(ctx context.Context, runID string) error {
	if err := checkRunID(runID); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.putBack(ctx, runID); err != nil {
		return fmt.Errorf("put back files of run %s: %w", runID, err)
	}
	return nil
}

// putBack restores first and drops the kept set last, its journal before the
// kept files: as long as there is a journal, everything it names is there.
func (e *engine) putBack(ctx context.Context, runID string) error {
	j, err := e.loadJournal(ctx, runID)
	if err != nil {
		return err
	}
	if j != nil {
		if err := e.restore(ctx, j); err != nil {
			return err
		}
	}
	return e.dropRun(ctx, runID)
}

func (e *engine) restore(ctx context.Context, j *journal) error {
	files := slices.Clone(j.Files)
	slices.SortFunc(files, func(a, b keptFile) int { return comparePlace(a.Path, b.Path) })
	var paths []string
	for _, k := range files {
		paths = append(paths, k.Path)
	}
	found, err := e.layer.look(ctx, paths, false, true)
	if err != nil {
		return err
	}
	var prepare, swap []op
	for _, t := range j.Temps {
		prepare = append(prepare, op{kind: opRemove, path: t})
	}
	next := *j
	next.Temps = nil
	for i, k := range files {
		if found[i].kind == kindDir || found[i].kind == kindOther {
			return fmt.Errorf("%s is not a plain file any more", k.Path)
		}
		if !k.Existed {
			swap = append(swap, op{kind: opRemove, path: k.Path})
			continue
		}
		if e.isKept(k, found[i]) {
			continue
		}
		temp := tempName(k.Path)
		next.Temps = append(next.Temps, temp)
		prepare = append(prepare, op{kind: opCopy, from: path.Join(runDir(j.Run), k.Kept), path: temp,
			uid: k.UID, gid: k.GID, owner: k.Owner, group: k.Group, mode: fs.FileMode(k.Mode)})
		swap = append(swap, op{kind: opRename, from: temp, path: k.Path}, op{kind: opLabel, path: k.Path})
	}
	ops := append(e.saveJournal(&next), prepare...)
	ops = append(ops, swap...)
	for i := len(j.Dirs) - 1; i >= 0; i-- {
		ops = append(ops, op{kind: opRmdir, path: j.Dirs[i]})
	}
	return e.layer.do(ctx, append(ops, syncDirs(append(paths, j.Dirs...))...))
}

// isKept tells whether a path is as it was before the run.
func (e *engine) isKept(k keptFile, found entry) bool {
	if found.kind != kindFile || found.sum != k.Sum || uint32(found.mode) != k.Mode {
		return false
	}
	if e.layer.recorded() {
		return found.listed == (k.Owner != "") && (!found.listed || found.owner == k.Owner && found.group == k.Group)
	}
	return found.uid == k.UID && found.gid == k.GID
}

// dropRun removes a run's folder and what it was made in.
func (e *engine) dropRun(ctx context.Context, runID string) error {
	dir := runDir(runID)
	names, err := e.layer.list(ctx, dir)
	if err != nil {
		return err
	}
	ops := []op{{kind: opRemove, path: path.Join(dir, journalName)}, {kind: opSync, path: dir}}
	for _, name := range names {
		if name != journalName {
			ops = append(ops, op{kind: opRemove, path: path.Join(dir, name)})
		}
	}
	if err := e.layer.do(ctx, append(ops, op{kind: opRmdir, path: dir})); err != nil {
		return err
	}
	return e.tidyState(ctx)
}

func (e *engine) Forget(ctx context.Context, runID string) error {
	if err := checkRunID(runID); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	names, err := e.layer.list(ctx, stateDir)
	if err != nil {
		return fmt.Errorf("forget kept sets: %w", err)
	}
	for _, name := range names {
		if name == runID || checkRunID(name) != nil {
			continue
		}
		found, err := e.layer.look(ctx, []string{runDir(name)}, false, false)
		if err != nil {
			return fmt.Errorf("forget kept sets: %w", err)
		}
		if found[0].kind != kindDir {
			continue // the lock and the list of made folders
		}
		// A journal that cannot be read names nothing to clean up.
		if j, _ := e.loadJournal(ctx, name); j != nil {
			if err := e.dropTemps(ctx, j); err != nil {
				return fmt.Errorf("forget kept sets: %w", err)
			}
		}
		if err := e.dropRun(ctx, name); err != nil {
			return fmt.Errorf("forget kept sets: %w", err)
		}
	}
	return nil
}
