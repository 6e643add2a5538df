package lang

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"edgewright/resources"
)

// used is a key as the code looks it up.
type used struct {
	fallback string
	plural   bool
	place    string
}

// keysInCode finds every lang.L, N, X and XN under ui/ (and their long names)
// with a literal key. A key may also be a literal prefix with a point at its end
// and a name that another package gives ("host." + text.ID): those keys cannot be
// found here, so the prefix is returned and the files may have any key under it;
// that all are there is for a test beside the package that names them. Any other
// key that is put together at run time is a fault.
func keysInCode(t *testing.T) (keys map[string]used, prefixes []string) {
	t.Helper()
	keys = map[string]used{}
	files := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		name := toolkitName(file)
		if name == "" {
			return nil
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			selector, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := selector.X.(*ast.Ident); !ok || pkg.Name != name {
				return true
			}
			plural, keyed := false, true
			switch selector.Sel.Name {
			case "X", "LocalizeKey":
			case "XN", "LocalizePluralKey":
				plural = true
			case "L", "Localize":
				keyed = false
			case "N", "LocalizePlural":
				plural, keyed = true, false
			default:
				return true
			}
			place := files.Position(call.Pos()).String()
			key, ok := literal(call.Args[0])
			if prefix, composed := composedKey(call.Args[0]); composed {
				prefixes = append(prefixes, prefix)
				return true
			}
			if !ok {
				t.Errorf("%s: the key is neither a literal nor a prefix and a name", place)
				return true
			}
			fallback := key
			if keyed {
				if fallback, ok = literal(call.Args[1]); !ok {
					t.Errorf("%s: the fallback of %s is not a literal", place, key)
				}
			}
			if before, known := keys[key]; known && (before.fallback != fallback || before.plural != plural) {
				t.Errorf("%s: %s has another fallback at %s", place, key, before.place)
			}
			keys[key] = used{fallback, plural, place}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys, prefixes
}

// composedKey gives the prefix of "prefix." + name.
func composedKey(e ast.Expr) (string, bool) {
	sum, ok := e.(*ast.BinaryExpr)
	if !ok || sum.Op != token.ADD {
		return "", false
	}
	prefix, ok := literal(sum.X)
	return prefix, ok && strings.HasSuffix(prefix, ".")
}

// toolkitName is the name under which a file imports the toolkit's package lang.
func toolkitName(file *ast.File) string {
	for _, spec := range file.Imports {
		if spec.Path.Value == `"fyne.io/fyne/v2/lang"` {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return "lang"
		}
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// translations reads a file as key to forms; a plain text has the form "other".
func translations(t *testing.T, name string) map[string]map[string]string {
	t.Helper()
	content, err := resources.Translations.ReadFile("translations/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(content, &raw); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	forms := map[string]map[string]string{}
	for key, value := range raw {
		var text string
		if json.Unmarshal(value, &text) == nil {
			forms[key] = map[string]string{"other": text}
			continue
		}
		var plural map[string]string
		if err := json.Unmarshal(value, &plural); err != nil {
			t.Errorf("%s: %s is neither text nor plural forms", name, key)
		}
		forms[key] = plural
	}
	return forms
}

func TestKeysInCodeAndFilesAreTheSame(t *testing.T) {
	code, prefixes := keysInCode(t)
	english := translations(t, "en")
	if len(code) < 20 {
		t.Fatalf("only %d keys found in the code", len(code))
	}
	for key, use := range code {
		forms, ok := english[key]
		switch {
		case !ok:
			t.Errorf("%s: %s is not in en.json", use.place, key)
		case forms["other"] != use.fallback:
			t.Errorf("%s: the fallback of %s is %q, en.json has %q", use.place, key, use.fallback, forms["other"])
		case use.plural && forms["one"] == "":
			t.Errorf("%s: %s is used as a plural and has no form \"one\"", use.place, key)
		case !use.plural && len(forms) > 1:
			t.Errorf("%s: %s has plural forms and is not used as a plural", use.place, key)
		}
	}
	for key := range english {
		under := func(prefix string) bool { return strings.HasPrefix(key, prefix) }
		if _, ok := code[key]; !ok && !slices.ContainsFunc(prefixes, under) {
			t.Errorf("en.json: nobody asks for %s", key)
		}
	}
}

var placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)

func placeholders(text string) []string {
	found := placeholder.FindAllString(text, -1)
	sort.Strings(found)
	return slices.Compact(found)
}

func TestGermanIsComplete(t *testing.T) {
	for _, pair := range [][2]string{{"en", "de"}, {"toolkit.en", "toolkit.de"}} {
		english, german := translations(t, pair[0]), translations(t, pair[1])
		for key, forms := range english {
			other, ok := german[key]
			if !ok {
				t.Errorf("%s.json has no %s", pair[1], key)
				continue
			}
			for form, text := range forms {
				if other[form] == "" {
					t.Errorf("%s.json: %s has no form %q", pair[1], key, form)
				}
				if want, got := placeholders(text), placeholders(other[form]); !slices.Equal(want, got) {
					t.Errorf("%s.json: %s has the placeholders %v, want %v", pair[1], key, got, want)
				}
			}
		}
		for key := range german {
			if _, ok := english[key]; !ok {
				t.Errorf("%s.json: %s is not in %s.json", pair[1], key, pair[0])
			}
		}
	}
}

var keyLine = regexp.MustCompile(`(?m)^  "([^"]+)":`)

func TestFilesAreSorted(t *testing.T) {
	for _, language := range Languages() {
		content, err := resources.Translations.ReadFile("translations/" + language.Tag + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, match := range keyLine.FindAllStringSubmatch(string(content), -1) {
			keys = append(keys, match[1])
		}
		if !sort.StringsAreSorted(keys) {
			t.Errorf("%s.json is not sorted by key", language.Tag)
		}
		if len(keys) != len(translations(t, language.Tag)) {
			t.Errorf("%s.json: %d keys at two spaces, %d in all; keep it flat, one key a line, and each once", language.Tag, len(keys), len(translations(t, language.Tag)))
		}
	}
}
