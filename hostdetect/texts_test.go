package hostdetect

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sourceIDs gives the IDs that stand in the package's code as literals; those
// that end in a full stop are completed at run time.
func sourceIDs(t *testing.T) []string {
	t.Helper()
	literal := regexp.MustCompile(`"((?:advice|way|obstacle)\.[a-z0-9.-]+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, f := range files {
		if f == "texts.go" || strings.HasSuffix(f, "_test.go") {
			continue
		}
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(body), -1) {
			ids = append(ids, m[1])
		}
	}
	if len(ids) < 50 {
		t.Fatalf("only %d IDs found", len(ids))
	}
	return ids
}

// Every text is reachable from the code.
func TestTextsAreUsed(t *testing.T) {
	ids := sourceIDs(t)
	for id := range english {
		if strings.HasPrefix(id, "fact.") {
			continue
		}
		base := strings.TrimSuffix(id, ".fix")
		used := false
		for _, known := range ids {
			used = used || known == id || known == base || strings.HasSuffix(known, ".") && strings.HasPrefix(id, known)
		}
		if !used {
			t.Errorf("%s is used nowhere", id)
		}
	}
}
