package token

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// What the process of a module is asked to do.
const (
	verbOpen     = "open"     // load the module and find the token
	verbLogin    = "login"    // with a PIN
	verbFind     = "find"     // a key
	verbGenerate = "generate" // a key
	verbSign     = "sign"     // a digest
)

// request is one line of JSON to the process of a module.
type request struct {
	// Mark begins the answer, so that what a module itself prints is told from
	// it. It is the same in all requests and cannot be guessed.
	Mark   string
	Number int
	Verb   string
	// Module is a file, Address what token and key have to fit.
	Module  string `json:",omitempty"`
	Address string `json:",omitempty"`
	PIN     []byte `json:",omitempty"`
	// Algorithm, Label and ID are those of a new key.
	Algorithm string `json:",omitempty"`
	Label     string `json:",omitempty"`
	ID        []byte `json:",omitempty"`
	// Key is the number of a key found before. Hash is the name of the hash that
	// made Digest; PSS tells the padding, Salt its length in bytes.
	Key    uint   `json:",omitempty"`
	Hash   string `json:",omitempty"`
	Digest []byte `json:",omitempty"`
	PSS    bool   `json:",omitempty"`
	Salt   int    `json:",omitempty"`
}

// reply is one line: the mark, a space and JSON.
type reply struct {
	Number int
	// Kind and Text are an error; Kind is one of kinds.
	Kind string `json:",omitempty"`
	Text string `json:",omitempty"`

	Info *Info `json:",omitempty"`

	// A key that was found or made: its number, and the PKIX form of its public part.
	Key    uint   `json:",omitempty"`
	Label  string `json:",omitempty"`
	ID     []byte `json:",omitempty"`
	Public []byte `json:",omitempty"`

	// Signature is ASN.1 for elliptic curves (RFC 3279, 2.2.3).
	Signature []byte `json:",omitempty"`
}

// Info is what a token says of itself.
type Info struct {
	Label, Serial, Manufacturer, Model string
	// NeedsLogin tells that keys are hidden until a PIN is given; PINPad that
	// the PIN is typed on the reader and not here.
	NeedsLogin, PINPad bool
	// CountLow tells that a wrong PIN was given before, FinalTry that one more
	// locks the token, Locked that it is locked.
	CountLow, FinalTry, Locked bool
}

// Bounds of what a module may print beside the answers.
const (
	maxLine  = 64 << 10
	maxNoise = 1 << 20
)

var errNoise = errors.New("it prints without end")

// send writes one line and wipes it.
func send(w io.Writer, mark string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	line := make([]byte, 0, len(body)+len(mark)+3)
	if mark != "" {
		// A module may have left its own line open.
		line = append(line, '\n')
		line = append(line, mark...)
		line = append(line, ' ')
	}
	line = append(append(line, body...), '\n')
	_, err = w.Write(line)
	clear(body)
	clear(line)
	return err
}

// receive reads on to the next line with the mark; what else is printed is
// passed over up to maxNoise bytes.
func receive(r *bufio.Reader, mark string) (reply, error) {
	begin := []byte(mark + " ")
	for noise, whole := 0, true; noise < maxNoise; {
		line, err := r.ReadSlice('\n')
		body, marked := bytes.CutPrefix(line, begin)
		switch {
		case err == nil && marked && whole:
			var answer reply
			if err := json.Unmarshal(body, &answer); err != nil {
				return reply{}, fmt.Errorf("read its answer: %w", err)
			}
			return answer, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return reply{}, err
		}
		noise += len(line)
		whole = err == nil // the next piece begins a line
	}
	return reply{}, errNoise
}
