// Package secret holds the one type that carries a secret through the program.
//
// A [Value] never shows its content by accident: every way to print, log or
// marshal it gives "***". Whoever needs the bytes asks for them by name with
// [Value.Reveal], so that each place where a secret leaves the type can be
// found by searching for that word. The package imports nothing of ours, so
// that every room may use it.
package secret

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// Mask is what stands in the place of a secret wherever one would be shown.
const Mask = "***"

// Value is a secret: raw bytes, not an encoding of them. The zero Value is
// empty and usable. Copies share the same memory, so Wipe clears all of them.
//
// The bytes lie behind a pointer: where a Value is nested in a struct that fmt
// reaches through a pointer, its bad-verb path skips Format and prints fields.
type Value struct{ raw *[]byte }

// New takes ownership of raw: the caller must not keep or change the slice.
func New(raw []byte) Value { return Value{raw: &raw} }

// FromString copies text into a Value. The string itself cannot be cleared;
// use New where the bytes are at hand.
func FromString(text string) Value { return New([]byte(text)) }

// FromBase64 decodes standard base64, with or without padding, as Azure's
// symmetric keys are written. The error never contains the text.
func FromBase64(text string) (Value, error) {
	for len(text) > 0 && text[len(text)-1] == '=' {
		text = text[:len(text)-1]
	}
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return Value{}, fmt.Errorf("secret: not base64")
	}
	return New(raw), nil
}

// Reveal returns the bytes themselves, not a copy. They must not be changed
// or kept beyond the use at hand.
func (v Value) Reveal() []byte {
	if v.raw == nil {
		return nil
	}
	return *v.raw
}

// RevealString returns the bytes as text.
func (v Value) RevealString() string { return string(v.Reveal()) }

// RevealBase64 returns the bytes in padded standard base64.
func (v Value) RevealBase64() string { return base64.StdEncoding.EncodeToString(v.Reveal()) }

// IsEmpty tells whether there is nothing in v.
func (v Value) IsEmpty() bool { return len(v.Reveal()) == 0 }

// Equal compares in constant time.
func (v Value) Equal(other Value) bool {
	return subtle.ConstantTimeCompare(v.Reveal(), other.Reveal()) == 1
}

// Wipe overwrites the bytes of v and of all its copies with zeros.
func (v Value) Wipe() { clear(v.Reveal()) }

// String implements fmt.Stringer with the mask.
func (v Value) String() string { return Mask }

// GoString implements fmt.GoStringer with the mask.
func (v Value) GoString() string { return Mask }

// Format implements fmt.Formatter, so that no verb, %x and %q among them,
// reaches the bytes.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// LogValue implements slog.LogValuer with the mask.
func (v Value) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalText implements encoding.TextMarshaler with the mask; JSON, TOML and
// XML encoders use it.
func (v Value) MarshalText() ([]byte, error) { return []byte(Mask), nil }
