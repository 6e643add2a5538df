package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

func (s *shellLayer) look(ctx context.Context, paths []string, follow, hash bool) ([]entry, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	flag := map[bool]string{false: "0", true: "1"}
	request := lines(append([]string{"look", flag[follow], flag[hash], strconv.Itoa(len(paths))}, paths...)...)
	answers, err := s.batch(ctx, []string{request}, nil, nil)
	if err != nil {
		return nil, err
	}
	at := strings.Join(paths, ", ")
	if answers[0].code != 0 {
		return nil, fmt.Errorf("look at %s: %w", at, answers[0].said())
	}
	found, err := parseLook(string(answers[0].out), len(paths))
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", at, err)
	}
	return found, nil
}

// parseLook reads the answer to a look at n paths: for each path a line, "-"
// where nothing is, else "+", with the sum of sha256sum where it was asked for;
// then, for each "+" in turn, the line of stat.
func parseLook(text string, n int) ([]entry, error) {
	rows := splitLines([]byte(text))
	if len(rows) < n {
		return nil, errors.New("an answer is missing")
	}
	marks, stats := rows[:n], rows[n:]
	found := make([]entry, n)
	for i, mark := range marks {
		if mark == "-" {
			continue
		}
		sum, there := strings.CutPrefix(mark, "+")
		if !there || len(stats) == 0 {
			return nil, errors.New("an answer in an unknown form")
		}
		e, err := parseEntry(stats[0])
		if err != nil {
			return nil, err
		}
		if e.sum, _, _ = strings.Cut(sum, " "); e.sum != "" {
			if raw, err := hex.DecodeString(e.sum); err != nil || len(raw) != sha256.Size {
				return nil, errors.New("sha256sum answers in an unknown form")
			}
		}
		found[i], stats = e, stats[1:]
	}
	if len(stats) > 0 {
		return nil, errors.New("more answers than paths")
	}
	return found, nil
}

// parseEntry reads a line of `stat -c '%f %u %g %s %Y %U %G'`.
func parseEntry(text string) (entry, error) {
	fields := strings.Fields(text)
	bad := errors.New("stat answers in an unknown form")
	if len(fields) != 7 {
		return entry{}, bad
	}
	mode, err := strconv.ParseUint(fields[0], 16, 32)
	if err != nil {
		return entry{}, bad
	}
	var numbers [4]int64
	for i := range numbers {
		if numbers[i], err = strconv.ParseInt(fields[1+i], 10, 64); err != nil {
			return entry{}, bad
		}
	}
	e := entry{mode: fs.FileMode(mode & 0o777), uid: int(numbers[0]), gid: int(numbers[1]), size: numbers[2],
		modified: time.Unix(numbers[3], 0).UTC(), owner: fields[5], group: fields[6]}
	if e.owner == "UNKNOWN" {
		e.owner = fields[1]
	}
	if e.group == "UNKNOWN" {
		e.group = fields[2]
	}
	switch mode & 0o170000 { // S_IFMT, inode(7)
	case 0o100000:
		e.kind = kindFile
	case 0o040000:
		e.kind = kindDir
	case 0o120000:
		e.kind = kindLink
	default:
		e.kind = kindOther
	}
	return e, nil
}
