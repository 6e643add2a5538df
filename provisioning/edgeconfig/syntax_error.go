package edgeconfig

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// SyntaxError is a file that is not TOML. Line and Column count from 1; Column
// counts characters, not bytes. Cause and Fix are sentences without any text
// of the file but key names that the schema knows.
type SyntaxError struct {
	Line, Column int
	Cause, Fix   string
}

// Error implements error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("config.toml: line %d, column %d: %s", e.Line, e.Column, e.Cause)
}

// newSyntaxError finds the place of a decoder's error and says what is wrong
// with that line.
func newSyntaxError(source *source, err error) *SyntaxError {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return &SyntaxError{Line: 1, Column: 1, Cause: "the file is not TOML", Fix: "Write it as TOML 1.0."}
	}
	row, column := decode.Position()
	start := source.lineStart(row)
	line := source.lineAt(start)
	at := min(start+max(column-1, 0), len(source.text))
	e := &SyntaxError{Line: row, Column: source.column(at)}
	e.Cause, e.Fix = explainSyntax(line, min(at-start, len(line)))
	if e.Cause == "" {
		e.Cause, e.Fix = bareMessage(decode), "Write the line as TOML 1.0: key = value."
	}
	return e
}

// bareMessage is the decoder's own message where that cannot hold a value of
// the file.
func bareMessage(err *toml.DecodeError) string {
	message := err.Error()
	if len(message) > 120 || !utf8.ValidString(message) || bytes.ContainsAny([]byte(message), "\"'`") {
		return "this is not TOML"
	}
	return message[len("toml: "):]
}
