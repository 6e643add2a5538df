package target

import (
	"bytes"
	"fmt"
	"sync"
)

// lineFeed hands the lines of two streams to one function, one at a time.
type lineFeed struct {
	mu     sync.Mutex
	onLine func(string)
}

// lineWriter collects one stream, at most maxAnswerSize bytes of it, and feeds
// its lines.
type lineWriter struct {
	feed *lineFeed
	all  bytes.Buffer
	part []byte
	over bool
}

func (w *lineWriter) Write(p []byte) (int, error) {
	if room := maxAnswerSize - w.all.Len(); len(p) <= room {
		w.all.Write(p)
	} else {
		w.all.Write(p[:room])
		w.over = true
	}
	if w.feed.onLine == nil {
		return len(p), nil
	}
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	rest := p
	for {
		line, after, found := bytes.Cut(rest, []byte{'\n'})
		w.part = append(w.part, line...)
		if !found {
			return len(p), nil
		}
		w.feed.onLine(string(bytes.TrimSuffix(w.part, []byte{'\r'})))
		w.part = w.part[:0]
		rest = after
	}
}

// dropEnd takes the last byte, a line feed, out of what was collected. The
// line that it ended was fed already.
func (w *lineWriter) dropEnd() {
	if !w.over && w.all.Len() > 0 {
		w.all.Truncate(w.all.Len() - 1)
	}
}

// flush feeds a last line that has no end.
func (w *lineWriter) flush() {
	if w.feed.onLine == nil || len(w.part) == 0 {
		return
	}
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	w.feed.onLine(string(w.part))
	w.part = nil
}

// tail keeps the end of what a program said, for error messages.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 2048

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > tailSize {
		t.text = append([]byte(nil), t.text[len(t.text)-tailSize:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}

// said adds what a program said to an error.
func said(err error, text string) error {
	if text == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, text)
}
