package edgeconfig

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// byteOrderMark may open a file that was saved on Windows.
var byteOrderMark = []byte("\xef\xbb\xbf")

// source is the text of a file after its byte order mark, with its lines.
type source struct {
	mark  []byte // the byte order mark, or nothing
	text  []byte
	lines []int // offset of each line's first byte in text
}

func newSource(data []byte) *source {
	s := &source{text: data, lines: []int{0}}
	if bytes.HasPrefix(data, byteOrderMark) {
		s.mark, s.text = data[:len(byteOrderMark)], data[len(byteOrderMark):]
	}
	for i, c := range s.text {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// line gives the number, from 1, of the line that holds the byte at offset.
func (s *source) line(offset int) int {
	return sort.SearchInts(s.lines, offset+1)
}

// column gives the number, from 1, of the character at offset in its line.
func (s *source) column(offset int) int {
	start := s.lines[s.line(offset)-1]
	return utf8.RuneCount(s.text[start:offset]) + 1
}

// lineStart gives the offset of a line's first byte; lines count from 1.
func (s *source) lineStart(line int) int {
	return s.lines[min(max(line, 1), len(s.lines))-1]
}

// lineEnd gives the offset after the line break that ends the line holding
// offset, or the end of the text.
func (s *source) lineEnd(offset int) int {
	n := s.line(offset)
	if n < len(s.lines) {
		return s.lines[n]
	}
	return len(s.text)
}

// lineAt is the line that begins at start, without its break.
func (s *source) lineAt(start int) []byte {
	return bytes.TrimRight(s.text[start:s.lineEnd(start)], "\r\n")
}

// lineBreak is the break of the file's first line, or "\n".
func (s *source) lineBreak() string {
	if len(s.lines) > 1 && bytes.HasSuffix(s.text[:s.lines[1]], []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}
