package query

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Error is why a query cannot be run.
type Error struct {
	// Position counts the characters of the query from 1.
	Position int
	Text     string
}

// Error gives the text and the position.
func (e *Error) Error() string { return fmt.Sprintf("%s at position %d", e.Text, e.Position) }

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenName             // a keyword, function or member name
	tokenText             // a text literal, decoded
	tokenNumber           // a number literal
	tokenSymbol           // an operator or punctuation
	tokenMember           // [[name]], decoded
)

type token struct {
	kind   tokenKind
	text   string
	number float64
	at     int // byte offset
}

// symbols, longer ones before their beginnings.
var symbols = []string{"<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ",", ".", "*", ";"}

// lexer cuts a query into tokens.
type lexer struct {
	source string
	at     int
}

// fail makes an error at a byte offset.
func (l *lexer) fail(at int, format string, args ...any) *Error {
	return &Error{Position: utf8.RuneCountInString(l.source[:at]) + 1, Text: fmt.Sprintf(format, args...)}
}

func (l *lexer) next() (token, *Error) {
	for l.at < len(l.source) && strings.IndexByte(" \t\r\n", l.source[l.at]) >= 0 {
		l.at++
	}
	begin := l.at
	if begin == len(l.source) {
		return token{kind: tokenEnd, at: begin}, nil
	}
	rest := l.source[begin:]
	switch c := rest[0]; {
	case isNameByte(c) && !isDigit(c):
		for l.at < len(l.source) && isNameByte(l.source[l.at]) {
			l.at++
		}
		return token{kind: tokenName, text: l.source[begin:l.at], at: begin}, nil
	case isDigit(c) || c == '-' || c == '+' || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.numberLiteral()
	case c == '\'' || c == '"':
		return l.textLiteral()
	case strings.HasPrefix(rest, "[["):
		name, _, closed := strings.Cut(rest[2:], "]]")
		if !closed {
			return token{}, l.fail(begin, "[[ is not closed by ]]")
		}
		l.at += len(name) + 4
		return token{kind: tokenMember, text: name, at: begin}, nil
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(rest, symbol) {
			l.at += len(symbol)
			return token{kind: tokenSymbol, text: symbol, at: begin}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return token{}, l.fail(begin, "the character %q is not understood", r)
}

func (l *lexer) numberLiteral() (token, *Error) {
	begin := l.at
	l.at++
	for l.at < len(l.source) {
		c := l.source[l.at]
		signed := (c == '-' || c == '+') && (l.source[l.at-1] == 'e' || l.source[l.at-1] == 'E')
		if c != '.' && !isNameByte(c) && !signed {
			break
		}
		l.at++
	}
	text := l.source[begin:l.at]
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsAny(text, "xXpP_nN") {
		return token{}, l.fail(begin, "a number is badly written")
	}
	return token{kind: tokenNumber, text: text, number: number, at: begin}, nil
}

// textLiteral reads a text in single or double quotes. The quote inside is
// written twice or behind a backslash, which also begins JSON's escapes.
func (l *lexer) textLiteral() (token, *Error) {
	begin, quote := l.at, l.source[l.at]
	var b strings.Builder
	for i := begin + 1; i < len(l.source); {
		switch c := l.source[i]; {
		case c == quote && i+1 < len(l.source) && l.source[i+1] == quote:
			b.WriteByte(quote)
			i += 2
		case c == quote:
			l.at = i + 1
			return token{kind: tokenText, text: b.String(), at: begin}, nil
		case c == '\\':
			size, ok := escape(&b, l.source[i:])
			if !ok {
				return token{}, l.fail(i, "the escape is not understood")
			}
			i += size
		default:
			b.WriteByte(c)
			i++
		}
	}
	return token{}, l.fail(begin, "a text is not closed")
}

var escapes = map[byte]rune{'\'': '\'', '"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape decodes the escape at the beginning of text and gives its length.
func escape(b *strings.Builder, text string) (size int, ok bool) {
	if len(text) < 2 {
		return 0, false
	}
	if r, known := escapes[text[1]]; known {
		b.WriteRune(r)
		return 2, true
	}
	first, ok := codeUnit(text)
	if !ok {
		return 0, false
	}
	if second, paired := codeUnit(text[6:]); paired && utf16.IsSurrogate(first) {
		b.WriteRune(utf16.DecodeRune(first, second))
		return 12, true
	}
	b.WriteRune(first)
	return 6, true
}

// codeUnit reads \uXXXX.
func codeUnit(text string) (rune, bool) {
	if len(text) < 6 || text[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:6], 16, 16)
	return rune(n), err == nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameByte(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$' || c >= utf8.RuneSelf
}
