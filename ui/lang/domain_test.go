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
	"strings"
	"testing"
	"unicode"

	"edgewright/provisioning"
	"edgewright/resources"
)

func domainSentences(t *testing.T, tag string) map[string]string {
	t.Helper()
	data, err := resources.Translations.ReadFile("translations/domain." + tag + ".json")
	if err != nil {
		t.Fatal(err)
	}
	sentences := map[string]string{}
	if err := json.Unmarshal(data, &sentences); err != nil {
		t.Fatal(err)
	}
	return sentences
}

func TestDomainSpeaksGerman(t *testing.T) {
	if err := Use("de"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = Use("en") }()
	for english, german := range map[string]string{
		"":                                   "",
		"Name both files.":                   "Nennen Sie beide Dateien.",
		"was there already; nothing changed": "war schon da; nichts geändert",
		"A life of 9000 days cannot be.":     "Eine Gültigkeit von 9000 Tagen ist nicht möglich.",
		"line-7-0001 ends on 2026-12-05.":    "line-7-0001 endet am 2026-12-05.",
		"A plain sentence of nobody, with {1} in it.": "A plain sentence of nobody, with {1} in it.",
		// What stands in a sentence is a sentence of its own.
		"The key is made on this computer and goes to the device: it has no openssl.": "Der Schlüssel entsteht auf diesem Computer und geht zum Gerät: es hat kein openssl.",
		// What Review says, and what a step did.
		"enrollment practice-1":                                                                     "Registrierung practice-1",
		"CA certificate line-7 of h.net":                                                            "CA-Zertifikat line-7 von h.net",
		"2 files; the set before is kept for undo":                                                  "2 Dateien; die Dateien von vorher sind zum Zurücksetzen aufgehoben",
		"certificate a and Edge CA a.ca to be made":                                                 "Zertifikat a und Edge-CA a.ca zu machen",
		"certificate a until 2027-01-01; Edge CA a.ca until 2027-02-01":                             "Zertifikat a bis 2027-01-01; Edge-CA a.ca bis 2027-02-01",
		"rsa2048, signed by Line 7; the key is made on the device and never leaves it":              "rsa2048, signiert von Line 7; der Schlüssel entsteht auf dem Gerät und verlässt es nie",
		"with a new key; p256, signed by itself; the key is made on the device and never leaves it": "mit einem neuen Schlüssel; p256, signiert von sich selbst; der Schlüssel entsteht auf dem Gerät und verlässt es nie",
		"both ends agree; 12 of 15 checks; the hub names AB":                                        "beide Seiten stimmen überein; 12 von 15 Prüfungen; der Hub nennt AB",
		"Device a exists and differs: it has another key, its tags differ.":                         "Gerät a gibt es schon, und es gibt Unterschiede: der Schlüssel ist ein anderer, die Tags sind andere.",
		// What the detection found comes from its own texts.
		"The name h.net is not known to the host": "Der Host kennt den Namen h.net nicht",
		// A file that does not read, with the cause behind a colon.
		"Not readable: PEM block 2, CERTIFICATE: not readable: the file is empty.": "Nicht lesbar: PEM-Block 2, CERTIFICATE: nicht lesbar: die Datei ist leer.",
		// A name that looks like a place stays as it is.
		"The catalog has no CA {2}.":                                "Der Katalog hat keine CA {2}.",
		"The EST server names 2 CAs that could sign devices: A, B.": "Der EST-Server nennt 2 CAs, die Geräte signieren könnten: A, B.",
	} {
		if got := Domain(english); got != german {
			t.Errorf("%q is %q, want %q", english, got, german)
		}
	}
	if err := Use("en"); err != nil {
		t.Fatal(err)
	}
	if got := Domain("Name both files."); got != "Name both files." {
		t.Errorf("in English it is %q", got)
	}
}

// spoken texts are told by the way they are given: the problem and the fix of a
// finding, the message and the hint of an error.
type domainCode struct {
	literals strings.Builder
	said     map[string][]string // by file
}

var verb = regexp.MustCompile(`%[0-9]*[sqdvx]`)

// sentence turns an expression into a sentence with places; false for one that
// is put together elsewhere.
func sentence(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, ok := literal(e)
		return text, ok
	case *ast.BinaryExpr:
		x, okX := sentence(e.X)
		y, okY := sentence(e.Y)
		if !okX {
			x = "%s"
		}
		if !okY {
			y = "%s"
		}
		return x + y, okX || okY
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return sentence(e.Args[0])
		}
	}
	return "", false
}

func numbered(text string) string {
	n := 0
	text = strings.ReplaceAll(text, "%s%s", "%s") // one place is enough
	return strings.ReplaceAll(verb.ReplaceAllStringFunc(text, func(string) string { n++; return "{" + string(rune('0'+n)) + "}" }), "%%", "%")
}

func readDomain(t *testing.T) *domainCode {
	t.Helper()
	code := &domainCode{said: map[string][]string{}}
	files := token.NewFileSet()
	for _, root := range []string{"../../provisioning", "../../app", "../../hostdetect"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			// The commands speak to those who write English plans, the practice cloud as Azure does.
			if entry.IsDir() && slices.Contains([]string{"command", "e2e", "practice"}, entry.Name()) {
				return filepath.SkipDir
			}
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			name, _ := filepath.Rel("../..", path)
			say := func(e ast.Expr) {
				if text, ok := sentence(e); ok && strings.ContainsFunc(verb.ReplaceAllString(text, ""), unicode.IsLetter) {
					code.said[filepath.ToSlash(name)] = append(code.said[filepath.ToSlash(name)], numbered(text))
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if text, ok := literal(n); ok {
						code.literals.WriteString(strings.ReplaceAll(text, "%%", "%") + "\n")
					}
				case *ast.BinaryExpr: // a sentence over several lines
					if text, ok := sentence(n); ok {
						code.literals.WriteString(strings.ReplaceAll(text, "%%", "%") + "\n")
					}
				case *ast.CallExpr:
					if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Add" && len(n.Args) == 4 {
						say(n.Args[2])
						say(n.Args[3])
					}
				case *ast.KeyValueExpr:
					if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Message" || key.Name == "Hint") {
						say(n.Value)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return code
}

// Each sentence of the file is one that the domain says: one that was changed
// there would silently be English again.
func TestDomainSaysWhatIsTranslated(t *testing.T) {
	code := readDomain(t).literals.String()
	for english, german := range domainSentences(t, "de") {
		for _, piece := range place.Split(english, -1) {
			// A sentence made of an error begins with a capital and ends with a stop;
			// its cause stands behind a colon.
			piece = strings.TrimRight(strings.TrimSpace(strings.TrimSuffix(piece, ".")), ":")
			if len(piece) > 1 && !strings.Contains(code, piece) && !strings.Contains(code, strings.ToLower(piece[:1])+piece[1:]) {
				t.Errorf("nothing says %q of %q", piece, english)
			}
		}
		want, got := place.FindAllString(english, -1), place.FindAllString(german, -1)
		slices.Sort(want)
		slices.Sort(got)
		if german == "" || !slices.Equal(slices.Compact(want), slices.Compact(got)) {
			t.Errorf("%q has the places %v, %q has %v", english, want, german, got)
		}
	}
}

// Every finding and every error that the domain words is translated.
func TestFindingsAndErrorsAreTranslated(t *testing.T) {
	code, german := readDomain(t), domainSentences(t, "de")
	if len(code.said) < 40 {
		t.Fatalf("only %d files with sentences are found", len(code.said))
	}
	for file, sentences := range code.said {
		for _, said := range sentences {
			if _, ok := german[said]; !ok {
				t.Errorf("%s: %q is not in domain.de.json", file, said)
			}
		}
	}
}

// What a way needs is said on the board, in every language.
func TestNeedsOfTheWaysAreTranslated(t *testing.T) {
	german := domainSentences(t, "de")
	for _, cell := range provisioning.Cells() {
		info, ok := cell.Info()
		for _, need := range info.Needs {
			if _, known := german[need]; ok && info.Available && !known {
				t.Errorf("%s needs %q, which is not in domain.de.json", cell, need)
			}
		}
	}
}
