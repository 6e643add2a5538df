package pki

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// ParseProfile reads a profile from TOML. Members that are unknown are errors
// that name them; rules are for Check.
func ParseProfile(text []byte) (Profile, error) {
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	var p Profile
	err := decoder.Decode(&p)
	var unknown *toml.StrictMissingError
	var syntax *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		key := ""
		if len(unknown.Errors) > 0 && len(unknown.Errors[0].Key()) > 0 {
			key = unknown.Errors[0].Key()[0]
		}
		return p, unreadable("a profile has no member %q", key)
	case errors.As(err, &syntax):
		line, _ := syntax.Position()
		where := fmt.Sprintf("line %d", line)
		if key := syntax.Key(); len(key) > 0 {
			where += ", " + key[0]
		}
		return p, unreadable("%s: %s", where, strings.TrimPrefix(syntax.Error(), "toml: "))
	case err != nil:
		return p, unreadable("%s", err)
	}
	return p, nil
}

// TOML writes the profile.
func (p Profile) TOML() ([]byte, error) {
	text, err := toml.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write profile %s: %w", p.Name, err)
	}
	return text, nil
}
