package target

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
)

// Place works in this order, so that every instant is one from which a second
// Place or a PutBack gets to a complete state:
//
//  1. what lies there is copied to the run's folder (root, 0600) and synced;
//  2. the journal names it, the folders to be made and the temporary names;
//  3. folders are made, new files written beside their places with their
//     owner and mode, and synced;
//  4. they are renamed in the fixed order, and the folders synced.
//
// A failure before 4 is cleaned up at once; one in 4 is taken back if nothing
// of the run was in place before.
func (e *engine) Place(ctx context.Context, set FileSet) (Placed, error) {
	if err := set.check(); err != nil {
		return Placed{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	placed, err := e.place(ctx, set)
	if err != nil {
		return Placed{}, fmt.Errorf("place files: %w", err)
	}
	return placed, nil
}

func (e *engine) place(ctx context.Context, set FileSet) (Placed, error) {
	result := Placed{OwnersRecorded: e.layer.recorded()}
	uids, gids, err := e.ownerIDs(ctx, set)
	if err != nil {
		return Placed{}, err
	}
	old, err := e.loadJournal(ctx, set.RunID)
	if err != nil {
		return Placed{}, err
	}
	w, err := e.survey(ctx, set, old, uids, gids)
	if err != nil {
		return Placed{}, err
	}
	w.dirs = append(w.dirs, e.unfinished(ctx, set, old, w.dirs, uids, gids)...)
	if len(w.change) == 0 && len(w.dirs) == 0 {
		return result, e.dropTemps(ctx, old)
	}
	result.Changed = true

	j := &journal{Version: 1, Run: set.RunID}
	if old != nil {
		j.Files, j.Dirs = slices.Clone(old.Files), slices.Clone(old.Dirs)
	}
	ops, err := e.makeStateDir(ctx, runDir(set.RunID))
	if err != nil {
		return Placed{}, err
	}
	ops = append(ops, e.keep(j, w)...)
	for _, d := range w.dirs {
		if !slices.Contains(j.Dirs, d.Path) {
			j.Dirs = append(j.Dirs, d.Path)
		}
	}
	temps := make([]string, len(w.change))
	for i, f := range w.change {
		switch {
		case f.Remove:
		case w.waiting[f.Path]:
			temps[i] = f.From // the run's own, whatever becomes of this call
		default:
			temps[i] = tempName(f.Path)
			j.Temps = append(j.Temps, temps[i])
		}
	}
	if old != nil {
		for _, t := range old.Temps {
			ops = append(ops, op{kind: opRemove, path: t})
		}
	}
	ops = append(ops, e.saveJournal(j)...)
	ops = append(ops, op{kind: opSync, path: stateDir})
	for _, d := range w.dirs {
		ops = append(ops, op{kind: opMkdir, path: d.Path, mode: d.Mode, uid: uids[d.Owner], gid: gids[d.Group], owner: d.Owner, group: d.Group})
	}
	for i, f := range w.change {
		o := op{kind: opWrite, path: temps[i], data: f.Data.Reveal(), mode: f.Mode,
			uid: uids[f.Owner], gid: gids[f.Group], owner: f.Owner, group: f.Group}
		switch {
		case f.Remove || w.waiting[f.Path]:
			continue
		case f.Make != "":
			o.kind, o.algorithm = opKey, f.Make
		case f.Stays:
			o.kind, o.from = opCopy, f.Path
		}
		ops = append(ops, o)
	}
	if err := e.layer.do(ctx, ops); err != nil {
		return Placed{}, e.giveUp(ctx, old, j, err)
	}
	if err := e.layer.do(ctx, swap(w, temps)); err != nil {
		if old == nil {
			if back := e.putBack(context.WithoutCancel(ctx), set.RunID); back != nil {
				err = errors.Join(err, back)
			}
		}
		return Placed{}, err
	}
	return result, nil
}

// keep adds the files that the run touches for the first time to the journal,
// and those that it leaves missing, and gives the operations that copy them.
func (e *engine) keep(j *journal, w work) []op {
	var ops []op
	for i, f := range w.change {
		if j.has(f.Path) {
			continue
		}
		before := w.found[i]
		k := keptFile{Path: f.Path, Existed: before.kind == kindFile, UID: before.uid, GID: before.gid,
			Mode: uint32(before.mode), Sum: before.sum}
		if before.listed {
			k.Owner, k.Group = before.owner, before.group
		}
		if k.Existed {
			k.Kept = keptName(len(j.Files))
			kept := path.Join(runDir(j.Run), k.Kept)
			ops = append(ops, op{kind: opRemove, path: kept},
				op{kind: opCopy, from: f.Path, path: kept, mode: 0o600, owner: "root", group: "root"})
		}
		j.Files = append(j.Files, k)
	}
	for _, p := range w.missing {
		if !j.has(p) {
			j.Files = append(j.Files, keptFile{Path: p})
		}
	}
	return ops
}

// swap gives the operations of step 4.
func swap(w work, temps []string) []op {
	var ops []op
	var touched []string
	for i, f := range w.change {
		if f.Remove {
			ops = append(ops, op{kind: opRemove, path: f.Path})
		} else {
			ops = append(ops, op{kind: opRename, from: temps[i], path: f.Path}, op{kind: opLabel, path: f.Path})
		}
		touched = append(touched, f.Path)
	}
	for _, d := range w.dirs {
		touched = append(touched, d.Path)
	}
	return append(ops, syncDirs(touched)...)
}

// unfinished gives the folders of the set that this run made in a call that
// was killed before their owner and mode were right.
func (e *engine) unfinished(ctx context.Context, set FileSet, old *journal, known []Dir, uids, gids map[string]int) []Dir {
	if old == nil || len(old.Dirs) == 0 {
		return nil
	}
	found, err := e.layer.look(ctx, old.Dirs, false, false)
	if err != nil {
		return nil
	}
	var dirs []Dir
	for i, p := range old.Dirs {
		d := set.dir(p)
		wanted := slices.ContainsFunc(set.Dirs, func(x Dir) bool { return x.Path == p })
		for _, f := range set.Files {
			wanted = wanted || slices.Contains(parents(f.Path), p)
		}
		again := slices.ContainsFunc(known, func(k Dir) bool { return k.Path == p })
		if !wanted || again || found[i].kind != kindDir {
			continue
		}
		right := found[i].mode == d.Mode
		if e.layer.recorded() {
			right = right && found[i].listed && found[i].owner == d.Owner && found[i].group == d.Group
		} else {
			right = right && found[i].uid == uids[d.Owner] && found[i].gid == gids[d.Group]
		}
		if !right {
			dirs = append(dirs, d)
		}
	}
	return dirs
}

// dropTemps removes what a killed call left beside complete files.
func (e *engine) dropTemps(ctx context.Context, j *journal) error {
	if j == nil || len(j.Temps) == 0 {
		return nil
	}
	var ops []op
	for _, t := range j.Temps {
		ops = append(ops, op{kind: opRemove, path: t})
	}
	return e.layer.do(ctx, ops)
}

// giveUp cleans up after a failure before the first rename: no file of the
// set was touched. What it cannot clean up, PutBack or another Place will.
func (e *engine) giveUp(ctx context.Context, old, j *journal, cause error) error {
	ctx = context.WithoutCancel(ctx)
	var ops []op
	for _, t := range j.Temps {
		ops = append(ops, op{kind: opRemove, path: t})
	}
	var before []string
	if old != nil {
		before = old.Dirs
	}
	for i := len(j.Dirs) - 1; i >= 0; i-- {
		if !slices.Contains(before, j.Dirs[i]) {
			ops = append(ops, op{kind: opRmdir, path: j.Dirs[i]})
		}
	}
	err := e.layer.do(ctx, ops)
	if err == nil && old == nil {
		err = e.dropRun(ctx, j.Run)
	} else if err == nil {
		err = e.layer.do(ctx, e.saveJournal(old))
	}
	return errors.Join(cause, err)
}
