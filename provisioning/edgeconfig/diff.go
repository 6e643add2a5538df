package edgeconfig

import "strings"

// Op says what became of a line: ' ' kept, '+' added, '-' removed.
type Op rune

// The operations of a difference.
const (
	OpKeep   Op = ' '
	OpAdd    Op = '+'
	OpRemove Op = '-'
)

// MarshalText writes the sign itself.
func (o Op) MarshalText() ([]byte, error) { return []byte(string(o)), nil }

// Line is a line of a difference, without its line break and with secrets
// masked. OldNo and NewNo count from 1; 0 means that the line is not in that
// file.
type Line struct {
	Op    Op     `json:"op"`
	Text  string `json:"text"`
	OldNo int    `json:"old"`
	NewNo int    `json:"new"`
}

// Diff compares two texts line by line; either may be nil. Lines are compared
// as they are and masked afterwards, so that a change of nothing but a secret
// shows as a changed line. A missing line break at the end counts as a change
// of the last line.
func Diff(old, new []byte) []Line {
	before, after := splitLines(old), splitLines(new)
	shownBefore, shownAfter := splitLines(Mask(old)), splitLines(Mask(new))
	var lines []Line
	i, j := 0, 0
	for _, match := range commonRuns(before, after) {
		for ; i < match.old; i++ {
			lines = append(lines, Line{OpRemove, shown(shownBefore[i]), i + 1, 0})
		}
		for ; j < match.new; j++ {
			lines = append(lines, Line{OpAdd, shown(shownAfter[j]), 0, j + 1})
		}
		for range match.length {
			lines = append(lines, Line{OpKeep, shown(shownAfter[j]), i + 1, j + 1})
			i, j = i+1, j+1
		}
	}
	return lines
}

// shown is a line as it is printed.
func shown(line string) string { return strings.TrimRight(line, "\r\n") }

// splitLines keeps the line breaks.
func splitLines(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// run is a stretch of equal lines: length lines from old and from new.
type run struct{ old, new, length int }

// commonRuns finds the stretches that two files share, in order and as long as
// possible together (the greedy algorithm of Myers, "An O(ND) Difference
// Algorithm", 1986), and ends with an empty one behind both files.
func commonRuns(a, b []string) []run {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	runs := []run{{0, 0, head}}
	for _, r := range myers(a[head:len(a)-tail], b[head:len(b)-tail]) {
		runs = append(runs, run{r.old + head, r.new + head, r.length})
	}
	return append(runs, run{len(a) - tail, len(b) - tail, tail})
}

// maxDifference bounds the search, whose memory grows with the square of it:
// files that differ in more lines are shown as replaced as a whole.
const maxDifference = 1000

func myers(a, b []string) []run {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	reach := map[int]int{1: 0} // furthest line of a on each diagonal
	var trace []map[int]int
	for d := 0; d <= maxDifference; d++ {
		step := make(map[int]int, len(reach)+2)
		for k := -d; k <= d; k += 2 {
			x := reach[k-1] + 1
			if k == -d || k != d && reach[k-1] < reach[k+1] {
				x = reach[k+1]
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			step[k] = x
			if k == len(a)-len(b) && x >= len(a) {
				return backtrack(append(trace, step), len(a), len(b))
			}
		}
		trace, reach = append(trace, step), step
	}
	return nil
}

// backtrack walks the furthest points back to the start and gathers the
// diagonals, which are the equal lines.
func backtrack(trace []map[int]int, x, y int) []run {
	var runs []run
	for d := len(trace) - 1; d >= 0; d-- {
		k := x - y
		fromX := 0
		fromY := 0
		if d > 0 {
			before := trace[d-1]
			prev := k - 1
			if k == -d || k != d && before[k-1] < before[k+1] {
				prev = k + 1
			}
			fromX = before[prev]
			fromY = fromX - prev
			startX, startY := fromX+1, fromY
			if prev == k+1 {
				startX, startY = fromX, fromY+1
			}
			if n := x - startX; n > 0 {
				runs = append([]run{{startX, startY, n}}, runs...)
			}
		} else if x > 0 {
			runs = append([]run{{0, 0, x}}, runs...)
		}
		x, y = fromX, fromY
	}
	return runs
}
