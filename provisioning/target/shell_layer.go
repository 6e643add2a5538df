package target

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"time"
)

// shellLayer is the layer over one root shell that runs rootScript.
type shellLayer struct {
	in       io.WriteCloser
	out, err *bufio.Reader
	mark     string
	end      func() error // ends the shell and frees what it runs over
	mu       sync.Mutex   // one batch at a time
	broken   error
}

// startShell sends the program to a shell that is ready, and takes it over.
func startShell(in io.WriteCloser, out, errs io.Reader, goOn string, end func() error) (*shellLayer, error) {
	s := &shellLayer{in: in, out: bufio.NewReader(out), err: bufio.NewReader(errs), mark: randomMark("EW-END-"), end: end}
	if _, err := io.WriteString(in, rootScript+goOn+"\n"+s.mark+"\n"); err != nil {
		_ = end()
		return nil, fmt.Errorf("start the root shell: %w: %w", ErrUnreachable, err)
	}
	return s, nil
}

// answer is what one request brought.
type answer struct {
	out, err []byte
	code     int
}

// said is the device's own words about a failure.
func (a answer) said() error {
	text := strings.TrimSpace(string(a.err))
	if text == "" {
		text = fmt.Sprintf("failed with code %d", a.code)
	}
	if len(text) > tailSize {
		text = text[:tailSize]
	}
	lower := strings.ToLower(text)
	switch {
	// LC_ALL=C is set, and these are texts of the C library.
	case strings.Contains(lower, "permission denied"), strings.Contains(lower, "operation not permitted"):
		return fmt.Errorf("%s: %w", text, fs.ErrPermission)
	case strings.Contains(lower, "no such file or directory"):
		return fmt.Errorf("%s: %w", text, fs.ErrNotExist)
	case strings.Contains(lower, "file exists"):
		return fmt.Errorf("%s: %w", text, fs.ErrExist)
	}
	return errors.New(text)
}

// batch sends requests at once and gives their answers in order. A cancel is
// sent to the command under way and its end awaited for a while; when the
// shell does not answer it is given up.
func (s *shellLayer) batch(ctx context.Context, requests []string, out, errs *lineWriter) ([]answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var all bytes.Buffer
	for _, r := range requests {
		all.WriteString(r)
	}
	defer func() { clear(all.Bytes()[:all.Cap()][:all.Len()]) }()
	sent := make(chan error, 1)
	text := all.Bytes()
	go func() {
		_, err := s.in.Write(text)
		sent <- err
	}()
	answers := make([]answer, len(requests))
	done := make(chan error, 2)
	go func() {
		for i := range answers {
			var result string
			var err error
			if answers[i].out, result, err = readToMark(s.out, s.mark, out); err == nil {
				answers[i].code, err = strconv.Atoi(strings.TrimSpace(result))
			}
			if err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	go func() {
		for i := range answers {
			var err error
			if answers[i].err, _, err = readToMark(s.err, s.mark, errs); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	var failed error
	var giveUp <-chan time.Time
	cancelled := ctx.Done()
	for pending := 2; pending > 0; {
		select {
		case err := <-done:
			pending--
			failed = errors.Join(failed, err)
			if err != nil {
				_ = s.end() // the other stream ends with it
			}
		case <-cancelled:
			cancelled = nil
			giveUp = time.After(10 * time.Second)
			go func() {
				<-sent
				sent <- nil
				_, _ = io.WriteString(s.in, "\n")
			}()
		case <-giveUp:
			giveUp = nil
			_ = s.end()
		}
	}
	if failed != nil {
		s.broken = fmt.Errorf("root shell: %w: %w", ErrUnknownResult, failed)
		_ = s.end()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, s.broken
	}
	<-sent
	return answers, nil
}

func lines(words ...string) string { return strings.Join(words, "\n") + "\n" }

func (s *shellLayer) recorded() bool { return false }

func (s *shellLayer) close() error {
	_ = s.in.Close()
	return s.end()
}

func (s *shellLayer) read(ctx context.Context, p string) ([]byte, error) {
	answers, err := s.batch(ctx, []string{lines("read", strconv.Itoa(maxReadSize+1), p)}, nil, nil)
	if err != nil {
		return nil, err
	}
	switch a := answers[0]; a.code {
	case 0:
		if len(a.out) > maxReadSize {
			return nil, fmt.Errorf("read %s: larger than %d bytes", p, maxReadSize)
		}
		return a.out, nil
	case 44:
		return nil, &fs.PathError{Op: "read", Path: p, Err: fs.ErrNotExist}
	case 45:
		return nil, fmt.Errorf("read %s: not a plain file", p)
	default:
		return nil, fmt.Errorf("read %s: %w", p, a.said())
	}
}

func (s *shellLayer) list(ctx context.Context, p string) ([]string, error) {
	answers, err := s.batch(ctx, []string{lines("list", p)}, nil, nil)
	if err != nil {
		return nil, err
	}
	if answers[0].code != 0 {
		return nil, fmt.Errorf("list %s: %w", p, answers[0].said())
	}
	return splitLines(answers[0].out), nil
}

func splitLines(text []byte) []string {
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

func (s *shellLayer) do(ctx context.Context, ops []op) error {
	requests := []string{lines("begin")}
	var first []int // of the operations of each request
	for i := 0; i < len(ops); {
		first = append(first, i)
		folders := syncsAhead(ops[i:])
		if len(folders) == 0 {
			requests = append(requests, ops[i].request())
			i++
			continue
		}
		requests = append(requests, lines(append([]string{"sync", strconv.Itoa(len(folders))}, folders...)...))
		i += len(folders)
	}
	answers, err := s.batch(ctx, requests, nil, nil)
	if err != nil {
		return err
	}
	for n, a := range answers[1:] {
		if i := first[n]; a.code != 0 {
			return &opError{op: ops[i], done: i, err: a.said()}
		}
	}
	return nil
}

// syncsAhead gives the folders that the first operations write to the disk: one
// process does it for all of them.
func syncsAhead(ops []op) (folders []string) {
	for _, o := range ops {
		if o.kind != opSync {
			break
		}
		folders = append(folders, o.path)
	}
	return folders
}

// request is the operation as rootScript reads it.
func (o op) request() string {
	mode, uid, gid := fmt.Sprintf("%04o", o.mode), strconv.Itoa(o.uid), strconv.Itoa(o.gid)
	if o.kind == opKey {
		words := makeKeyCommand(o.algorithm)
		return lines(append([]string{"key", o.path, mode, uid, gid, strconv.Itoa(len(words))}, words...)...)
	}
	if o.kind != opWrite {
		return lines(string(o.kind), o.path, o.from, mode, uid, gid)
	}
	sum := sha256.Sum256(o.data)
	var b strings.Builder
	b.WriteString(lines("write", o.path, mode, uid, gid, hex.EncodeToString(sum[:])))
	writePayload(&b, o.data)
	return b.String()
}

// writePayload adds bytes as lines of base64 and one with a dot.
func writePayload(b *strings.Builder, data []byte) {
	for text := base64.StdEncoding.EncodeToString(data); len(text) > 0; {
		n := min(len(text), 1024)
		b.WriteString(text[:n])
		b.WriteByte('\n')
		text = text[n:]
	}
	b.WriteString(".\n")
}

func (s *shellLayer) call(ctx context.Context, c call) (answer, error) {
	var b strings.Builder
	b.WriteString(lines(append([]string{"call", c.user, strconv.Itoa(len(c.command))}, c.command...)...))
	writePayload(&b, c.input)
	answers, err := s.batch(ctx, []string{b.String()}, nil, nil)
	if err != nil {
		return answer{}, err
	}
	return answers[0], nil
}

func (s *shellLayer) ids(ctx context.Context, users, groups []string) (map[string]int, map[string]int, error) {
	var requests []string
	for _, name := range users {
		requests = append(requests, lines("user", name))
	}
	for _, name := range groups {
		requests = append(requests, lines("group", name))
	}
	answers, err := s.batch(ctx, requests, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	uids, gids := map[string]int{}, map[string]int{}
	for i, a := range answers {
		id, err := strconv.Atoi(strings.TrimSpace(string(a.out)))
		if a.code != 0 || err != nil {
			continue
		}
		if i < len(users) {
			uids[users[i]] = id
		} else {
			gids[groups[i-len(users)]] = id
		}
	}
	return uids, gids, nil
}

func (s *shellLayer) now(ctx context.Context) (time.Time, error) {
	answers, err := s.batch(ctx, []string{lines("now")}, nil, nil)
	if err != nil {
		return time.Time{}, err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(answers[0].out)), 10, 64)
	if err != nil {
		return time.Time{}, errors.New("read the device's clock: date answers in an unknown form")
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func (s *shellLayer) act(ctx context.Context, commands [][]string, onLine func(string)) (Output, error) {
	var probes []string
	for _, c := range commands {
		probes = append(probes, lines("has", c[0]))
	}
	found, err := s.batch(ctx, probes, nil, nil)
	if err != nil {
		return Output{}, err
	}
	for i, c := range commands {
		if found[i].code != 0 {
			continue
		}
		feed := &lineFeed{onLine: onLine}
		stdout, stderr := &lineWriter{feed: feed}, &lineWriter{feed: feed}
		request := lines(append([]string{"act", strconv.Itoa(len(c))}, c...)...)
		answers, err := s.batch(ctx, []string{request}, stdout, stderr)
		stdout.flush()
		stderr.flush()
		out := Output{Stdout: stdout.all.String(), Stderr: stderr.all.String()}
		if err == nil {
			out.Exit = answers[0].code
			err = ctx.Err()
		}
		return out, err
	}
	return Output{Exit: 127}, nil
}
