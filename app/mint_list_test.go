package app

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/finding"
)

func TestReadMintList(t *testing.T) {
	rows, found, err := ReadMintList(strings.NewReader("\ufeffID, hostname,group,edge_ca,days\na-1,press7,line-7,yes,30\r\n\"a-2\",,,,\na-3\n"))
	if err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	want := []MintRow{{Line: 2, ID: "a-1", Hostname: "press7", Group: "line-7", EdgeCA: true, Days: 30}, {Line: 3, ID: "a-2", Days: 365}, {Line: 4, ID: "a-3", Days: 365}}
	if fmt.Sprint(rows) != fmt.Sprint(want) {
		t.Errorf("%+v", rows)
	}
}

// TestBadRowsAreNamed states for each kind of bad cell where the finding points.
func TestBadRowsAreNamed(t *testing.T) {
	for list, want := range map[string]string{
		"id,days\na-1,0\n":               "line 2, column 5, days",
		"id,days\na-1,3651\n":            "line 2, column 5, days",
		"id,days\na-1,a year\n":          "line 2, column 5, days",
		"id,hostname\na-1,-x\n":          "line 2, column 5, hostname",
		"id,group\na-1,über\n":           "line 2, column 5, group",
		"id,edge_ca\na-1,perhaps\n":      "line 2, column 5, edge_ca",
		"id\nA-1\n":                      "line 2, column 1, id",
		"id\n../../etc/passwd\n":         "line 2, column 1, id",
		"id\na-1\na-1\n":                 "line 3, column 1, id",
		"days,id\n3,\n":                  "line 2, column 3, id",
		"days,id\n3\n":                   "line 2, id",
		"id\n\"a-1\",more\n":             "line 2, column 7",
		"id,colour\na-1,red\n":           "line 1, column 2",
		"id,id\na-1,a-1\n":               "line 1, column 2",
		"id,days\na-1,3\na-2,\"x\ny\"\n": "line 3, column 5, days",
	} {
		rows, found, err := ReadMintList(strings.NewReader(list))
		if err != nil || !found.Errors() || found[0].Field != want || found[0].Problem == "" || found[0].Fix == "" {
			t.Errorf("%q: %+v %v, want %s (%v)", list, found, err, want, rows)
		}
	}
	for _, list := range []string{"", "id\n", "hostname\nx\n", "id\n\"a\n"} {
		if _, _, err := ReadMintList(strings.NewReader(list)); provisioning.View(err).Hint == "" {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func TestReadMintRange(t *testing.T) {
	rows, err := ReadMintRange("line-7-{0001..0500}", MintRow{Group: "line-7"})
	if err != nil || len(rows) != 500 || rows[0].ID != "line-7-0001" || rows[499].ID != "line-7-0500" || rows[41].Group != "line-7" || rows[41].Line != 42 || rows[41].Days != 365 {
		t.Errorf("%d %v", len(rows), err)
	}
	if rows, err := ReadMintRange("{8..11}-press", MintRow{}); err != nil || fmt.Sprint(rows[0].ID, rows[3].ID) != "8-press11-press" {
		t.Errorf("%v %v", rows, err)
	}
	for _, pattern := range []string{"", "line-7", "{1..2", "1..2}", "{1..2}{3..4}", "{2..1}", "{1..}", "{..2}", "{-1..2}", "{a..b}", "{1..100001}", "{01..100}",
		"{1..9999999999}", "Line-{1..2}", "../{1..2}", "x{1...2}", strings.Repeat("x", 64) + "{1..2}"} {
		if rows, err := ReadMintRange(pattern, MintRow{}); err == nil {
			t.Errorf("%q: %d rows", pattern, len(rows))
		} else if view := provisioning.View(err); view.Message == "" || view.Hint == "" {
			t.Errorf("%q: %+v", pattern, view)
		}
	}
	if _, err := ReadMintRange("a-{1..2}", MintRow{Group: "über"}); err == nil {
		t.Error("a bad group is taken")
	}
	if _, err := ReadMintRange("a-{1..2}", MintRow{Days: 4000}); err == nil {
		t.Error("a life of 4000 days is taken")
	}
}

var safeID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func checkMintRows(t *testing.T, rows []MintRow) {
	t.Helper()
	seen := map[string]bool{}
	for _, row := range rows {
		if !safeID.MatchString(row.ID) || seen[row.ID] || row.Days < 1 || row.Days > 3650 {
			t.Fatalf("%+v", row)
		}
		seen[row.ID] = true
	}
}

// FuzzReadMintList: what passes has IDs that are safe as file names, each once.
func FuzzReadMintList(f *testing.F) {
	f.Add("id,hostname,group,edge_ca,days\na-1,press7,line-7,yes,30\n")
	f.Add("id,days\n\"a\n1\",0\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, found, err := ReadMintList(strings.NewReader(text))
		if err == nil && len(rows) == 0 && !found.Errors() {
			t.Error("nothing, and no reason")
		}
		for _, f := range found {
			if f.Level == finding.Error && (!strings.HasPrefix(f.Field, "line ") || f.Fix == "") {
				t.Errorf("%+v", f)
			}
		}
		checkMintRows(t, rows)
	})
}

// FuzzReadMintRange: a range is refused, or gives safe IDs.
func FuzzReadMintRange(f *testing.F) {
	f.Add("line-7-{0001..0500}")
	f.Add("{9..1}")
	f.Fuzz(func(t *testing.T, pattern string) {
		rows, err := ReadMintRange(pattern, MintRow{})
		if (err == nil) != (len(rows) > 0) {
			t.Errorf("%d rows, %v", len(rows), err)
		}
		checkMintRows(t, rows)
	})
}

// TestChunksFollowTheSpeedOfTheCA: a CA in a slow token gets small ones, so that
// a cancel and the progress do not wait for hundreds of signatures.
func TestChunksFollowTheSpeedOfTheCA(t *testing.T) {
	size := firstChunk
	for range 5 {
		size = nextChunk(size, 10*time.Millisecond)
	}
	if size != mintChunk {
		t.Errorf("fast: %d", size)
	}
	if size = nextChunk(size, 500*time.Millisecond); size != mintChunk/2 {
		t.Errorf("half as fast as it should be: %d", size)
	}
	for range 10 {
		size = nextChunk(size, 2*time.Second)
	}
	if size != 1 {
		t.Errorf("slow: %d", size)
	}
}
