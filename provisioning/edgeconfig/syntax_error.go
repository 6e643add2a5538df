package edgeconfig

import (
	"errors"
	"fmt"
	"strings"

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
		e.Cause, e.Fix = explainMessage(decode.Error())
	}
	return e
}

// explainMessage says a decoder's message in other words where it repeats a
// part of the file, and else passes it on.
func explainMessage(message string) (cause, fix string) {
	message = strings.TrimPrefix(message, "toml: ")
	switch {
	case strings.Contains(message, "already"):
		return "this key or table stands in the file twice", "Keep one of them."
	case strings.HasPrefix(message, "expected newline"):
		return "something stands behind the end of the value", "Put it on a line of its own, or begin a comment with #."
	case strings.ContainsAny(message, "\"'`"):
		return "this is not TOML", "Write the line as key = value, or as [table]."
	}
	return message, "Write the line as key = value, or as [table]."
}
