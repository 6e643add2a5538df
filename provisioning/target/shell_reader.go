package target

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// readToMark reads up to a line feed and a line that begins with mark, and
// gives the rest of that line. With a writer the bytes go there as they come,
// line by line: only an empty line waits for the next one, as it may belong to
// the mark.
func readToMark(r *bufio.Reader, mark string, w *lineWriter) (data []byte, rest string, err error) {
	collected := w == nil
	if collected {
		w = &lineWriter{feed: &lineFeed{}}
	}
	held := false
	fresh := true // at the beginning of a line
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, "", io.ErrUnexpectedEOF
		}
		ends := line[len(line)-1] == '\n'
		if fresh && ends && !first && bytes.HasPrefix(line, []byte(mark)) {
			if !held {
				w.dropEnd()
			}
			if collected {
				data = w.all.Bytes()
			}
			return data, strings.TrimSuffix(string(line[len(mark):]), "\n"), nil
		}
		if held {
			_, _ = w.Write([]byte{'\n'})
		}
		held = fresh && len(line) == 1 && ends
		if !held {
			_, _ = w.Write(line)
		}
		fresh = ends
		if collected && w.over {
			return nil, "", errors.New("the answer is too large")
		}
	}
}
