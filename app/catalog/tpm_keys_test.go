package catalog

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func tpmKey(n int, target string) TPMKey {
	public := fmt.Appendf(nil, "public %d", n)
	return TPMKey{SHA256: fmt.Sprintf("%x", sha256.Sum256(public)), Base32: fmt.Sprintf("b32%d", n), Target: target, Template: "tcg-l1", Manufacturer: "IBM", Firmware: "8217.4131.22.13878",
		CertificateState: "none", Station: "bench", Taken: time.Date(2026, 11, 28, 9, 0, n, 0, time.UTC), Public: public, SRK: []byte("srk")}
}

func TestAKeyReadAgainUpdatesAndAnotherOneKeepsTheFirst(t *testing.T) {
	c := fresh(t)
	first, second := tpmKey(1, "ssh://pi@a"), tpmKey(2, "ssh://pi@a")
	first.DeviceID, first.Certificate = "line-7-0001", []byte("der")
	why := func(TPMKey) string { t.Error("asked for a reason"); return "" }
	for range 2 {
		if old, err := c.PutTPMKey(t.Context(), first, why); err != nil || old != nil {
			t.Fatal(old, err)
		}
		first.DeviceID, first.Firmware = "", "1.2" // the second time
	}
	kept, err := c.TPMKey(t.Context(), first.SHA256[:8])
	if err != nil || kept.DeviceID != "line-7-0001" || kept.Firmware != "1.2" || kept.Origin != OriginRead || !bytes.Equal(kept.Certificate, []byte("der")) || !kept.Taken.Equal(first.Taken) {
		t.Fatalf("%+v %v", kept, err)
	}
	old, err := c.PutTPMKey(t.Context(), second, func(old TPMKey) string { return "because of " + old.DeviceID })
	if err != nil || old == nil || old.SHA256 != first.SHA256 || old.ReplacedWhy != "because of line-7-0001" {
		t.Fatalf("%+v %v", old, err)
	}
	if kept, err = c.TPMKeyBefore(t.Context(), second.SHA256); err != nil || kept.SHA256 != first.SHA256 || kept.ReplacedBy != second.SHA256 {
		t.Errorf("%+v %v", kept, err)
	}
	// Somewhere else, a key replaces nothing; and the first may come back.
	if old, err = c.PutTPMKey(t.Context(), tpmKey(3, "ssh://pi@b"), why); err != nil || old != nil {
		t.Error(old, err)
	}
	if old, err = c.PutTPMKey(t.Context(), first, func(TPMKey) string { return "back" }); err != nil || old == nil || old.SHA256 != second.SHA256 {
		t.Errorf("%+v %v", old, err)
	}
	if kept, err = c.TPMKey(t.Context(), first.SHA256); err != nil || kept.ReplacedBy != "" {
		t.Errorf("%+v %v", kept, err)
	}
	if _, err := c.TPMKey(t.Context(), "zz"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := errors.Join(c.SetTPMDevice(t.Context(), second.SHA256, "x"), c.RemoveTPMKey(t.Context(), second.SHA256)); err != nil {
		t.Error(err)
	}
	if err := c.RemoveTPMKey(t.Context(), second.SHA256); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestAListNeverReplacesWhatWasRead(t *testing.T) {
	c := fresh(t)
	read := tpmKey(1, "local:")
	if _, err := c.PutTPMKey(t.Context(), read, nil); err != nil {
		t.Fatal(err)
	}
	imported := func(origin, device string) TPMKey {
		k := tpmKey(1, "ssh://elsewhere")
		k.Origin, k.DeviceID, k.Station = origin, device, "other"
		return k
	}
	other := tpmKey(2, "local:")
	other.Origin = OriginSigned
	added, err := c.ImportTPMKeys(t.Context(), []TPMKey{imported(OriginSigned, "line-1"), other})
	if err != nil || added != 1 {
		t.Fatal(added, err)
	}
	if k, err := c.TPMKey(t.Context(), read.SHA256); err != nil || k.Origin != OriginRead || k.Target != "local:" || k.DeviceID != "line-1" {
		t.Errorf("%+v %v", k, err)
	}
	other.Origin, other.Manufacturer = OriginUnsigned, "FAKE"
	if added, err = c.ImportTPMKeys(t.Context(), []TPMKey{other}); err != nil || added != 0 {
		t.Error(added, err)
	}
	if k, err := c.TPMKey(t.Context(), other.SHA256); err != nil || k.Manufacturer != "IBM" || k.ReplacedBy != "" {
		t.Errorf("%+v %v", k, err)
	}
}

// manyTPMKeys fills a catalog.
func manyTPMKeys(t testing.TB, c *Catalog, n int) {
	t.Helper()
	err := c.transact(t.Context(), TPMKeysChanged, "fill", func(tx *sql.Tx) error {
		keys := make([]TPMKey, n)
		for i := range keys {
			keys[i] = tpmKey(i, fmt.Sprintf("ssh://pi@10.0.%d.%d", i/256, i%256))
			keys[i].DeviceID, keys[i].Origin = fmt.Sprintf("line-%06d", i), OriginRead
			keys[i].Public, keys[i].SRK = append(keys[i].Public, make([]byte, 300)...), make([]byte, 284)
		}
		return putTPMKeys(t.Context(), tx, keys)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTPMKeysArePagedAndFound(t *testing.T) {
	c := fresh(t)
	manyTPMKeys(t, c, 650)
	seen := 0
	for after := ""; ; {
		page, err := c.TPMKeys(t.Context(), TPMKeyQuery{Limit: 100, After: after})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, k := range page {
			if want := fmt.Sprintf("line-%06d", 649-seen); k.DeviceID != want {
				t.Fatalf("row %d is %s, not %s", seen, k.DeviceID, want)
			}
			seen++
		}
		after = page[len(page)-1].SHA256
	}
	if seen != 650 {
		t.Errorf("%d of 650", seen)
	}
	for text, want := range map[string]int{"line-000042": 1, "10.0.2.7 pi": 11, "nowhere": 0, "li": 500, "line": 500, tpmKey(7, "").SHA256[10:50]: 1} {
		n, more, err := c.FoundTPMKeys(t.Context(), TPMKeyQuery{Text: text})
		if err != nil || n != want || more != (want == 500) {
			t.Errorf("%q: %d %v %v", text, n, more, err)
		}
	}
	for _, row := range []struct {
		q     TPMKeyQuery
		index string
	}{{TPMKeyQuery{}, "tpm_key_by_time"}, {TPMKeyQuery{After: "a"}, "tpm_key_by_time"}, {TPMKeyQuery{Text: "line-0"}, "tpm_key_text VIRTUAL TABLE"}, {TPMKeyQuery{Text: "l"}, "tpm_key_by_device"}} {
		query, args := row.q.pageQuery()
		if plan := queryPlan(t, c, "SELECT * FROM tpm_key "+query, args...); !strings.Contains(plan, row.index) || strings.Contains(plan, "SCAN tpm_key\n") {
			t.Errorf("%+v:\n%s", row.q, plan)
		}
	}
}

func TestTPMRunsKeepTheirRows(t *testing.T) {
	c := fresh(t)
	at := time.Date(2026, 11, 28, 9, 0, 0, 5, time.UTC)
	rows := []TPMRunRow{{Seq: 1, RegistrationID: "a", DeviceID: "d", Public: []byte("p"), State: KeyWaiting}, {Seq: 2, RegistrationID: "b", Public: []byte("q"), State: KeyWaiting}}
	if err := c.NewTPMRun(t.Context(), TPMRun{ID: "e-1", State: "running", Cloud: "practice", Started: at}, rows); err != nil {
		t.Fatal(err)
	}
	rows[1].State, rows[1].Sent, rows[1].Code, rows[1].Problem = KeyFailed, &at, 409201, "is there"
	if err := errors.Join(c.SetTPMRunRows(t.Context(), "e-1", rows[1:]), c.SetTPMRun(t.Context(), "e-1", "failed", &at)); err != nil {
		t.Fatal(err)
	}
	failed, err := c.TPMRunRows(t.Context(), "e-1", KeyFailed, 0, 10)
	if err != nil || len(failed) != 1 || failed[0].Problem != "is there" || failed[0].Code != 409201 || !failed[0].Sent.Equal(at) {
		t.Errorf("%+v %v", failed, err)
	}
	count, err := c.CountTPMRun(t.Context(), "e-1")
	if err != nil || count[KeyWaiting] != 1 || count[KeyFailed] != 1 {
		t.Errorf("%v %v", count, err)
	}
	list, err := c.TPMRuns(t.Context(), 5)
	if err != nil || len(list) != 1 || list[0].State != "failed" || list[0].Ended == nil {
		t.Errorf("%+v %v", list, err)
	}
	if err := c.SetTPMRun(t.Context(), "e-2", "failed", nil); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	station := TPMStation{Fingerprint: "SHA256:x", Public: []byte("k"), Name: "bench", Accepted: at}
	if err := errors.Join(c.AcceptTPMStation(t.Context(), station), c.AcceptTPMStation(t.Context(), station)); err != nil {
		t.Fatal(err)
	}
	if known, err := c.TPMStations(t.Context()); err != nil || len(known) != 1 || known[0].Name != "bench" {
		t.Errorf("%+v %v", known, err)
	}
}
