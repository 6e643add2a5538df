package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// ids are the device IDs of what a query finds.
func ids(t *testing.T, c *Catalog, q Query) []string {
	t.Helper()
	list, err := c.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	found := []string{}
	for _, d := range list {
		found = append(found, d.DeviceID)
	}
	return found
}

func TestEachWordIsLookedForByItself(t *testing.T) {
	c := fresh(t)
	for id, host := range map[string]string{"line-7-0042": "press.munich", "line-7-0043": "drill.munich", "line-8-0042": "press.hof", "50%_off": "x", "Größe": "y", "日本語デバイス": "z"} {
		d := device(id)
		d.HostName, d.Tags = host, `{"hall":"B"}`
		put(t, c, d)
	}
	for _, row := range []struct {
		text string
		want []string
	}{
		{"munich press", []string{"line-7-0042"}},
		{"0042 8-", []string{"line-8-0042"}},
		{"li 42", []string{"line-7-0042", "line-8-0042"}},
		{"LINE munich", []string{"line-7-0042", "line-7-0043"}},
		{"50 %_", []string{"50%_off"}},
		{"%_o", []string{"50%_off"}},
		{"50%x", []string{}},
		{"größe", []string{"Größe"}},
		{"本語デ", []string{"日本語デバイス"}},
		{"日本", []string{"日本語デバイス"}},
		{"  ", []string{"50%_off", "Größe", "line-7-0042", "line-7-0043", "line-8-0042", "日本語デバイス"}},
		{"NOT line", []string{}}, {"line OR nowhere", []string{}}, {"(", []string{}}, {`"""`, []string{}}, {"a\x00b", []string{}}, {"\xff\xfe\xfd", []string{"50%_off", "Größe", "line-7-0042", "line-7-0043", "line-8-0042", "日本語デバイス"}},
	} {
		if found := ids(t, c, Query{Text: row.text}); !slices.Equal(found, row.want) {
			t.Errorf("%q finds %q, want %q", row.text, found, row.want)
		}
	}
}

func TestEveryOrderPagesThroughEverythingOnce(t *testing.T) {
	c := fresh(t)
	for i := range 60 {
		d := device(fmt.Sprintf("d-%02d", (i*37)%60))
		at := time.Date(2026, 11, 1+i%5, 0, 0, 0, 0, time.UTC)
		d.State, d.Target, d.RuntimeVersion, d.Cloud = deviceStates[i%3], fmt.Sprint("t", i%4), fmt.Sprint("1.", i%3), fmt.Sprint("c", i%2)
		if i%3 > 0 {
			d.LastProof, d.CertificateEnds = &at, &at
		}
		put(t, c, d)
	}
	for sort := range sortColumns {
		for _, q := range []Query{{}, {Text: "example"}, {Text: "d-"}, {Cloud: "c1"}, {State: "proven"}} {
			for _, descending := range []bool{false, true} {
				q.SortBy, q.Descending, q.Limit, q.Offset, q.After = sort, descending, 200, 0, ""
				whole := ids(t, c, q)
				n, more, err := c.Found(t.Context(), q)
				if err != nil || more || n != len(whole) || n < 20 {
					t.Errorf("%+v: found %d %v, listed %d, %v", q, n, more, len(whole), err)
				}
				var byOffset, byAfter []string
				for q.Limit = 7; ; q.Offset += q.Limit {
					page := ids(t, c, q)
					if len(page) == 0 {
						break
					}
					byOffset = append(byOffset, page...)
				}
				for q.Offset = 0; ; {
					page, err := c.Search(t.Context(), q)
					if err != nil || len(page) == 0 {
						break
					}
					for _, d := range page {
						byAfter = append(byAfter, d.DeviceID)
					}
					q.After = page[len(page)-1].UUID
				}
				if !slices.Equal(byOffset, whole) || !slices.Equal(byAfter, whole) {
					t.Errorf("%+v\nwhole     %v\nby offset %v\nby after  %v", q, whole, byOffset, byAfter)
				}
			}
		}
	}
	list, err := c.Search(t.Context(), Query{SortBy: "certificate"})
	if err != nil || list[0].CertificateEnds == nil || list[59].CertificateEnds != nil {
		t.Errorf("the certificate that ends first is not first, %v", err)
	}
	if _, err := c.Search(t.Context(), Query{SortBy: "colour"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("an unknown order: %v", err)
	}
}

func TestFiltersAndTextMeetBeyondTheLimit(t *testing.T) {
	c := fresh(t)
	many(t, c, rareLimit+1000)
	last := device("zz-last-line")
	last.State, last.Cloud = "differs", "plant"
	put(t, c, last)
	for _, q := range []Query{{Text: "line", State: "differs"}, {Text: "line", Cloud: "PLANT"}, {Text: "line", Cloud: "plant", State: "differs", SortBy: "proof"}} {
		if found := ids(t, c, q); !slices.Equal(found, []string{"zz-last-line"}) {
			t.Errorf("%+v finds %v", q, found)
		}
	}
	q := Query{Text: "line", State: "proven", Limit: 10000}
	if n, more, err := c.Found(t.Context(), q); err != nil || n != hitLimit || !more {
		t.Errorf("found %d, more %v, %v", n, more, err)
	}
	if found := ids(t, c, Query{Text: "line", NeedsCare: true}); len(found) != 4 {
		t.Errorf("in need of care: %v", found)
	}
	n, err := c.Count(t.Context())
	if err != nil || n.Devices != rareLimit+1001 || n.NeedCare != 4 || n.ByState["failed"] != 3 || n.ByState["differs"] != 1 {
		t.Errorf("%+v %v", n, err)
	}
}

func TestTheTextIndexFollowsChanges(t *testing.T) {
	c := fresh(t)
	d := device("line-1")
	d.Note = "yellow cabinet"
	d = put(t, c, d)
	d.Note = "green cabinet"
	put(t, c, d)
	d.State = "differs"
	put(t, c, d)
	if len(ids(t, c, Query{Text: "yellow"})) != 0 || len(ids(t, c, Query{Text: "green"})) != 1 {
		t.Error("the index has the old text")
	}
	if err := c.DeleteDevice(t.Context(), d.UUID); err != nil {
		t.Fatal(err)
	}
	if len(ids(t, c, Query{Text: "green"})) != 0 {
		t.Error("a removed row is found")
	}
}

// A device that an import names twice is new and changes in one transaction.
func TestTheTextIndexFollowsAnImport(t *testing.T) {
	c := fresh(t)
	put(t, c, device("line-0"))
	result, err := c.ImportCSV(t.Context(), strings.NewReader("device_id,hub_host,note\nline-1,hub.example,yellow cabinet\nline-2,hub.example,yellow door\nline-1,hub.example,green cabinet\nline-3,hub.example,red\n"))
	if err != nil || result.Added != 3 || result.Updated != 1 {
		t.Fatalf("%+v %v", result, err)
	}
	for text, want := range map[string]int{"yellow": 1, "green": 1, "cabinet": 1, "red": 1, "line": 4} {
		if found := ids(t, c, Query{Text: text}); len(found) != want {
			t.Errorf("%s: %v", text, found)
		}
	}
}

func TestABackupKeepsTheTextIndexRight(t *testing.T) {
	c := fresh(t)
	for i := range 20 {
		d := put(t, c, device(fmt.Sprintf("line-%02d", i)))
		if i%2 == 0 {
			if err := c.DeleteDevice(t.Context(), d.UUID); err != nil {
				t.Fatal(err)
			}
		}
	}
	name := t.TempDir() + "/backup.db"
	if err := c.Backup(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if found := ids(t, open(t, name), Query{Text: "line-13"}); !slices.Equal(found, []string{"line-13"}) {
		t.Errorf("found %v", found)
	}
}

func TestASearchEndsWithItsContext(t *testing.T) {
	c := fresh(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Search(ctx, Query{Text: "line"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Search(t.Context(), Query{Text: "line"}); err != nil {
		t.Errorf("the next search: %v", err)
	}
}
