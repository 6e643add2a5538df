package target

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// resolve gives the name of a device's path relative to the root, without
// links in front of its last part, or at all with follow. Absolute links start
// at the device's root; .. stops there, as in a chroot. At most 40 links are
// followed, as Linux does. A part that is missing is fs.ErrNotExist unless it
// is the last.
func (d *dirLayer) resolve(p string, follow bool) (string, error) {
	rest := strings.Split(p, "/")
	var done []string
	links, last := 0, ""
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done = done[:max(0, len(done)-1)]
			continue
		}
		next := path.Join(append(slices.Clone(done), part)...)
		if len(rest) == 0 && !follow {
			return next, nil
		}
		info, err := d.root.Lstat(next)
		if errors.Is(err, fs.ErrNotExist) && len(rest) == 0 && last == "" {
			return next, nil
		}
		if errors.Is(err, fs.ErrNotExist) && last != "" {
			return "", fmt.Errorf("%s: the link leads to %s, which is not there (a partition that is not mounted, perhaps): %w", p, last, fs.ErrNotExist)
		}
		if err != nil {
			return "", devicePath(err, p)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = append(done, part)
			continue
		}
		if links++; links > 40 {
			return "", fmt.Errorf("%s: more than 40 links", p)
		}
		if last, err = d.root.Readlink(next); err != nil {
			return "", devicePath(err, p)
		}
		last = strings.ReplaceAll(last, "\\", "/")
		if strings.HasPrefix(last, "/") {
			done = nil
		}
		rest = append(strings.Split(last, "/"), rest...)
	}
	if len(done) == 0 {
		return ".", nil
	}
	return path.Join(done...), nil
}
