package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"edgewright/provisioning/secret"
)

// Key is a symmetric key inside a JSON model. It marshals as the real key in
// base64, since models go over the wire, but prints and logs as ***. The zero
// Key is empty and marshals as "", which asks the service to make one.
type Key struct{ value secret.Value }

// NewKey wraps the decoded bytes of a key.
func NewKey(value secret.Value) Key { return Key{value: value} }

// Secret gives the decoded bytes.
func (k Key) Secret() secret.Value { return k.value }

// IsEmpty tells whether there is no key.
func (k Key) IsEmpty() bool { return k.value.IsEmpty() }

// Equal compares in constant time.
func (k Key) Equal(other Key) bool { return k.value.Equal(other.value) }

// MarshalJSON writes the real key.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.value.RevealBase64()) }

// UnmarshalJSON reads base64; null is an empty key. The error never shows the
// text.
func (k *Key) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("symmetric key: not a string")
	}
	value, err := secret.FromBase64(text)
	if err != nil {
		return errors.New("symmetric key: not base64")
	}
	k.value = value
	return nil
}

// String implements fmt.Stringer with the mask.
func (k Key) String() string { return secret.Mask }

// GoString implements fmt.GoStringer with the mask.
func (k Key) GoString() string { return secret.Mask }

// Format implements fmt.Formatter: every verb gives the mask.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret.Mask) }

// LogValue implements slog.LogValuer with the mask.
func (k Key) LogValue() slog.Value { return slog.StringValue(secret.Mask) }
