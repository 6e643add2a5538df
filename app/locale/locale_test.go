package locale

import (
	"maps"
	"testing"
)

func TestSettle(t *testing.T) {
	for name, c := range map[string]struct{ before, after map[string]string }{
		"nothing is set":      {map[string]string{}, map[string]string{}},
		"a language":          {map[string]string{"LANG": "de_DE.UTF-8"}, map[string]string{"LANG": "de_DE.UTF-8"}},
		"plain C":             {map[string]string{"LANG": "C"}, map[string]string{"LANG": "C"}},
		"a container":         {map[string]string{"LANG": "C.UTF-8"}, map[string]string{"LANG": "C.UTF-8", "LC_MESSAGES": "C"}},
		"POSIX":               {map[string]string{"LC_MESSAGES": "POSIX.UTF-8", "LANG": "de_DE.UTF-8"}, map[string]string{"LC_MESSAGES": "C", "LANG": "de_DE.UTF-8"}},
		"all of it":           {map[string]string{"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"}, map[string]string{"LC_CTYPE": "C.UTF-8", "LC_MESSAGES": "C", "LANG": "C.UTF-8"}},
		"a language for all":  {map[string]string{"LC_ALL": "fr_FR", "LANG": "C.UTF-8"}, map[string]string{"LC_ALL": "fr_FR", "LANG": "C.UTF-8"}},
		"a language with a C": {map[string]string{"LANG": "Cy.UTF-8"}, map[string]string{"LANG": "Cy.UTF-8"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := maps.Clone(c.before)
			settle(func(key string) string { return env[key] },
				func(key, value string) error { env[key] = value; return nil },
				func(key string) error { delete(env, key); return nil })
			if !maps.Equal(env, c.after) {
				t.Errorf("got %v, want %v", env, c.after)
			}
		})
	}
}
