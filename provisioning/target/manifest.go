package target

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// manifest is the file beside a folder that lists the owners which could not
// be set in it. It is TOML, so that a person or a script can carry it out:
//
//	version = 1
//	[path."/etc/aziot/config.toml"]
//	owner = "root"
//	group = "root"
//	mode = "0600"
type manifest struct {
	file    string
	entries map[string]manifestEntry
}

type manifestEntry struct {
	owner, group string
	mode         fs.FileMode
}

// ManifestFile names the file beside a folder that lists the owners of its
// files.
func ManifestFile(folder string) string {
	return strings.TrimRight(filepath.Clean(folder), string(filepath.Separator)) + ".edgewright-owners.toml"
}

func loadManifest(file string) (*manifest, error) {
	m := &manifest{file: file, entries: map[string]manifestEntry{}}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the list of owners: %w", err)
	}
	if m.entries, err = parseManifest(string(text)); err != nil {
		return nil, fmt.Errorf("read the list of owners %s: %w", file, err)
	}
	return m, nil
}

// parseManifest reads what text writes, and the spacing, comments and order
// that a person may have changed; no other TOML.
func parseManifest(text string) (map[string]manifestEntry, error) {
	entries := map[string]manifestEntry{}
	current := ""
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		bad := fmt.Errorf("line %d is not understood", number)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if quoted, ok := strings.CutPrefix(line, "[path."); ok {
			p, err := strconv.Unquote(strings.TrimSuffix(quoted, "]"))
			if err != nil || !strings.HasSuffix(line, "]") || checkPath(p) != nil {
				return nil, bad
			}
			if _, twice := entries[p]; twice {
				return nil, fmt.Errorf("line %d names %s a second time", number, p)
			}
			current = p
			entries[p] = manifestEntry{}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok {
			return nil, bad
		}
		if current == "" {
			if key != "version" || value != "1" {
				return nil, bad
			}
			continue
		}
		word, err := strconv.Unquote(value)
		if err != nil {
			return nil, bad
		}
		e := entries[current]
		switch key {
		case "owner":
			e.owner = word
		case "group":
			e.group = word
		case "mode":
			mode, err := strconv.ParseUint(word, 8, 32)
			if err != nil || mode > 0o777 {
				return nil, bad
			}
			e.mode = fs.FileMode(mode)
		default:
			return nil, bad
		}
		if key != "mode" && checkName(word) != nil {
			return nil, bad
		}
		entries[current] = e
	}
	for p, e := range entries {
		if e.owner == "" || e.group == "" {
			return nil, fmt.Errorf("%s has no owner or group", p)
		}
	}
	return entries, nil
}

func (m *manifest) text() string {
	var b strings.Builder
	b.WriteString("# Owners and modes of files in the folder beside this file, to be set on the device.\nversion = 1\n")
	for _, p := range slices.Sorted(maps.Keys(m.entries)) {
		e := m.entries[p]
		fmt.Fprintf(&b, "\n[path.%s]\nowner = %q\ngroup = %q\nmode = \"%04o\"\n", strconv.Quote(p), e.owner, e.group, e.mode)
	}
	return b.String()
}

// save replaces the file; without entries there is none.
func (m *manifest) save() error {
	if len(m.entries) == 0 {
		if err := os.Remove(m.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the list of owners: %w", err)
		}
		return nil
	}
	temp, err := os.CreateTemp(filepath.Dir(m.file), ".edgewright-owners-*")
	if err != nil {
		return fmt.Errorf("write the list of owners beside the folder: %w", err)
	}
	_, err = temp.WriteString(m.text())
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), m.file)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return fmt.Errorf("write the list of owners beside the folder: %w", err)
	}
	return nil
}

// record enters what the operations will put in place.
func (d *dirLayer) record(ops []op) error {
	if d.manifest == nil {
		return nil
	}
	changed := false
	for _, o := range ops {
		if strings.HasPrefix(o.path, stateDir) {
			continue
		}
		entry := manifestEntry{owner: o.owner, group: o.group, mode: o.mode}
		target := o.path
		switch o.kind {
		case opWrite, opCopy:
			d.pending[o.path] = entry
			continue
		case opRename:
			var known bool
			if entry, known = d.pending[o.from]; !known {
				entry, known = d.manifest.entries[o.from] // a file that waited under that name
			}
			if !known {
				continue
			}
			delete(d.pending, o.from)
			delete(d.manifest.entries, o.from)
		case opMkdir:
		default:
			continue
		}
		if entry.owner == "" {
			delete(d.manifest.entries, target)
		} else {
			d.manifest.entries[target] = entry
		}
		changed = true
	}
	if !changed {
		return nil
	}
	return d.manifest.save()
}

// unrecord drops the entries of what the operations removed.
func (d *dirLayer) unrecord(ops []op) error {
	if d.manifest == nil {
		return nil
	}
	changed := false
	for _, o := range ops {
		if _, listed := d.manifest.entries[o.path]; !listed || o.kind != opRemove && o.kind != opRmdir {
			continue
		}
		if rel, err := d.resolve(o.path, false); err == nil {
			if _, err := d.root.Lstat(rel); !errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		delete(d.manifest.entries, o.path)
		changed = true
	}
	if !changed {
		return nil
	}
	return d.manifest.save()
}
