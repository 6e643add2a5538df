package target

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"edgewright/provisioning/secret"
)

// The sizes that are refused, in bytes: device configuration is small, and a
// whole set is held in memory.
const (
	maxFileSize = 4 << 20
	maxReadSize = 16 << 20
	// maxAnswerSize holds what tells a file that is too large: a byte more.
	maxAnswerSize = maxReadSize + 1<<10
	maxFiles      = 64
)

// FileInfo is what a look at a path tells. Links are followed.
type FileInfo struct {
	// Owner and Group are names of the device's own users; a number in decimal
	// where it has no name.
	Owner, Group string
	UID, GID     int
	Mode         fs.FileMode // permission bits
	Size         int64       // bytes
	Modified     time.Time   // UTC
	IsDir        bool
}

// Dir is a folder that a set needs. An existing one is left as it is.
type Dir struct {
	Path         string
	Owner, Group string // names of the device's users
	Mode         fs.FileMode
}

// File is one file of a set: its content, its removal, or a private key that
// never leaves the machine.
type File struct {
	Path         string
	Data         secret.Value // raw bytes; it may hold keys, so it never prints
	Owner, Group string       // names of the device's users
	Mode         fs.FileMode  // permission bits, at most 0777
	// Remove says that the file shall not be there; Data, owner and mode do not
	// count. PutBack brings it back, or takes away what came there meanwhile.
	Remove bool
	// Make has the machine make a private key there, once for a run (PKCS #8,
	// PEM, by its openssl): it is never the one that lay there before.
	Make KeyAlgorithm
	// Stays leaves the bytes that lie there as they are: only owner and mode
	// count. With From, the file there takes the place first, if it exists; it
	// lies in the same folder.
	Stays bool
	From  string
}

// FileSet is the files of a run that change together. Several sets may be
// placed under one RunID; PutBack restores what was there before the first.
type FileSet struct {
	RunID string // letters, digits, '-', '_' and '.', at most 64, not beginning with '.'
	Dirs  []Dir
	Files []File
}

// Placed is the result of placing a set.
type Placed struct {
	// Changed is false if every file lay there already, equal in bytes, owner
	// and mode; then nothing was touched.
	Changed bool
	// OwnersRecorded tells that owners could not be set and were written to
	// the manifest beside the folder instead.
	OwnersRecorded bool
}

// configFile is renamed last: it is the one that says which others count.
const configFile = "/etc/aziot/config.toml"

func checkRunID(id string) error {
	if id == "" || len(id) > 64 || id[0] == '.' || id[0] == '-' {
		return fmt.Errorf("run ID %q: want 1 to 64 letters, digits, dots, - or _", id)
	}
	for _, r := range id {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.') {
			return fmt.Errorf("run ID %q: want 1 to 64 letters, digits, dots, - or _", id)
		}
	}
	return nil
}

func checkPath(p string) error {
	if !strings.HasPrefix(p, "/") || path.Clean(p) != p || hasControl(p) || len(p) > 1024 {
		return fmt.Errorf("path %q: want a clean absolute path", p)
	}
	return nil
}

func checkName(name string) error {
	if name == "" || len(name) > 64 || strings.HasPrefix(name, "-") ||
		strings.ContainsAny(name, ":/ \t'\"\\") || hasControl(name) {
		return fmt.Errorf("owner or group %q: not a user name", name)
	}
	return nil
}

// check refuses what must never reach a device. It does not look at one.
func (s FileSet) check() error {
	if err := checkRunID(s.RunID); err != nil {
		return err
	}
	if len(s.Files) == 0 || len(s.Files) > maxFiles || len(s.Dirs) > maxFiles {
		return fmt.Errorf("file set: want 1 to %d files and no more folders", maxFiles)
	}
	seen := map[string]bool{}
	for _, d := range s.Dirs {
		if seen[d.Path] {
			return fmt.Errorf("file set: %s is there twice", d.Path)
		}
		seen[d.Path] = true
		if err := errors.Join(checkWritableDir(d.Path), checkName(d.Owner), checkName(d.Group)); err != nil {
			return err
		}
		if d.Mode&^0o777 != 0 {
			return fmt.Errorf("folder %s: mode has other bits than permissions", d.Path)
		}
	}
	for _, f := range s.Files {
		if seen[f.Path] {
			return fmt.Errorf("file set: %s is there twice", f.Path)
		}
		seen[f.Path] = true
		if err := checkWritable(f.Path); err != nil {
			return err
		}
		if f.Remove {
			continue
		}
		if err := errors.Join(checkName(f.Owner), checkName(f.Group), f.checkKey()); err != nil {
			return err
		}
		if f.Mode&^0o777 != 0 {
			return fmt.Errorf("file %s: mode has other bits than permissions", f.Path)
		}
		if len(f.Data.Reveal()) > maxFileSize {
			return fmt.Errorf("file %s: larger than %d bytes", f.Path, maxFileSize)
		}
	}
	return nil
}

// ordered gives the files in the fixed order of renaming: by path, the
// configuration last.
func (s FileSet) ordered() []File {
	files := slices.Clone(s.Files)
	slices.SortFunc(files, func(a, b File) int { return comparePlace(a.Path, b.Path) })
	return files
}

func comparePlace(a, b string) int {
	if (a == configFile) != (b == configFile) {
		if a == configFile {
			return 1
		}
		return -1
	}
	return strings.Compare(a, b)
}
