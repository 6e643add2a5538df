// Package locale settles, before any other package begins, the language of a
// system that names none: the toolkit takes C.UTF-8, which servers and
// containers have, for a language, fails to read it, and says so on the
// standard error of every command while it is being initialised.
//
// Importing it is all there is to do. It comes before the toolkit because Go
// initialises packages in the order of their paths where no import decides
// (The Go Programming Language Specification, "Program initialization"); for
// the same reason it imports nothing but the standard library.
package locale

import (
	"os"
	"strings"
)

func init() { settle(os.Getenv, os.Setenv, os.Unsetenv) }

// settle makes the language of messages plain C where it is C with a character
// set. Characters, and all else that children of this program inherit, stay as
// they are. Source of the order: POSIX.1-2017, base definitions, 8.2.
func settle(get func(string) string, set func(key, value string) error, unset func(string) error) {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		value := get(name)
		if value == "" {
			continue
		}
		language, _, cut := strings.Cut(value, ".")
		if !cut || language != "C" && language != "POSIX" {
			return
		}
		if name == "LC_ALL" { // it would win over LC_MESSAGES
			_ = unset("LC_ALL")
			_ = set("LC_CTYPE", value)
			_ = set("LANG", value)
		}
		_ = set("LC_MESSAGES", "C")
		return
	}
}
