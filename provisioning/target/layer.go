package target

import (
	"context"
	"io/fs"
	"time"
)

// layer is file work with rights on one machine, in units small enough to be
// the same everywhere. Paths are the device's own. An operation that was done
// already is done again without harm.
type layer interface {
	// look tells of each path in turn. A missing path is an entry without a
	// kind. With follow, links are followed.
	look(ctx context.Context, paths []string, follow, hash bool) ([]entry, error)
	// read follows links; fs.ErrNotExist.
	read(ctx context.Context, path string) ([]byte, error)
	// list gives the names in a folder; a missing folder is empty.
	list(ctx context.Context, path string) ([]string, error)
	// do carries operations out in order and stops at the first failure,
	// which is an *opError.
	do(ctx context.Context, ops []op) error
	// ids looks users and groups up; unknown names are missing from the maps.
	ids(ctx context.Context, users, groups []string) (uids, gids map[string]int, err error)
	// now is the device's clock, in whole seconds at least.
	now(ctx context.Context) (time.Time, error)
	// act runs the first command that exists; 127 if none does.
	act(ctx context.Context, commands [][]string, onLine func(string)) (Output, error)
	// call runs a command as a user of the machine and gives what it answers.
	call(ctx context.Context, c call) (answer, error)
	// recorded tells that owners cannot be set here and are written to a
	// manifest.
	recorded() bool
	close() error
}

type entryKind byte

const (
	kindMissing entryKind = iota
	kindFile
	kindDir
	kindLink
	kindOther
)

// entry is what a look tells of one path.
type entry struct {
	kind         entryKind
	uid, gid     int
	owner, group string // by the device's tables, or by the manifest
	listed       bool   // owner and group are from the manifest
	mode         fs.FileMode
	size         int64
	modified     time.Time
	sum          string // SHA-256, lower-case hexadecimal, of regular files when asked for
}

func (e entry) info() FileInfo {
	return FileInfo{Owner: e.owner, Group: e.group, UID: e.uid, GID: e.gid, Mode: e.mode, Size: e.size,
		Modified: e.modified, IsDir: e.kind == kindDir}
}

type opKind string

const (
	opWrite  opKind = "write"  // new file with data, born 0600, then owner, mode, synced; fails if it exists
	opCopy   opKind = "copy"   // the same with the bytes and time of the file from
	opKey    opKind = "key"    // the same with a new private key of the algorithm
	opMkdir  opKind = "mkdir"  // born 0700, then owner and mode, also of one that is there
	opLink   opKind = "link"   // from gets the further name path; fails if it exists
	opRename opKind = "rename" // from to path, in the place of a file there
	opRemove opKind = "remove" // a file or link; missing is fine
	opRmdir  opKind = "rmdir"  // an empty folder; missing or not empty is fine
	opSync   opKind = "sync"   // a folder, to the disk; missing is fine
	opLabel  opKind = "label"  // the SELinux label of a path, where there is SELinux
)

// op is one operation. Owner and group names count where owners are recorded,
// the numbers everywhere else.
type op struct {
	kind         opKind
	path, from   string
	data         []byte
	uid, gid     int
	owner, group string
	mode         fs.FileMode
	algorithm    KeyAlgorithm
}

// opError is the operation that failed, and how many before it were done.
type opError struct {
	op   op
	done int
	err  error
}

func (e *opError) Error() string {
	return string(e.op.kind) + " " + e.op.path + ": " + e.err.Error()
}

func (e *opError) Unwrap() error { return e.err }
