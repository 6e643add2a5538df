package token

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReceivePassesNoiseOver(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	out.WriteString("debug\nM not yet\x00" + strings.Repeat("x", 2*maxLine) + "M {\"Number\":9}\nopen end")
	if err := send(&out, "M", reply{Number: 3, Text: "t"}); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(&out, maxLine)
	// "M not yet" begins a line that is too long to be an answer.
	if got, err := receive(r, "M"); err != nil || got.Number != 3 || got.Text != "t" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := receive(r, "M"); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if _, err := receive(bufio.NewReaderSize(endless{}, maxLine), "M"); !errors.Is(err, errNoise) {
		t.Errorf("without end: %v", err)
	}
	if _, err := receive(bufio.NewReaderSize(strings.NewReader("M {oops\n"), maxLine), "M"); err == nil {
		t.Error("a broken answer was taken")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestServeAnswersAndEnds drives the helper's loop without a module.
func TestServeAnswersAndEnds(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	in := `{"Mark":"M","Number":1,"Verb":"sign","Key":1}` + "\n" + `{"Mark":"M","Number":2,"Verb":"x"}` + "\n" +
		`{"Mark":"M","Number":3,"Verb":"open","Address":"pkcs11:token"}` + "\n" + `{"Mark":"M","Number":4,"Verb":"generate"}`
	if err := Serve(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(&out, maxLine)
	for i := range 4 {
		if got, err := receive(r, "M"); err != nil || got.Number != i+1 || got.Kind != "refused" || got.Text == "" {
			t.Errorf("%d: %+v, %v", i+1, got, err)
		}
	}
	if err := Serve(t.Context(), strings.NewReader("garbage"), &out); err == nil {
		t.Error("garbage was taken")
	}
}

// FuzzReceive looks for output of a module that makes the reader panic or read
// on without end.
func FuzzReceive(f *testing.F) {
	f.Add([]byte("\nM {\"Number\":1}\n"))
	f.Add([]byte("noise\nM {}\nM {\"Kind\":\"pin\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(data), maxLine)
		for range len(data) + 1 {
			if _, err := receive(r, "M"); err != nil {
				return
			}
		}
		t.Error("more answers than bytes")
	})
}
