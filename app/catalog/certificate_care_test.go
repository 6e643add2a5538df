package catalog

import (
	"strings"
	"testing"
	"time"
)

// A catalog of before learns when each certificate begins to want care.
func TestOldCertificatesLearnWhenTheyWantCare(t *testing.T) {
	c := open(t, fixture(t, "schema-0003.sql"))
	for id, want := range map[string]time.Time{
		"c1": time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC), // 80 % of 365 days
		"c2": time.Date(2026, 1, 9, 0, 0, 0, 0, time.UTC),   // 80 % of 10 days
		"c3": time.Date(2033, 1, 1, 0, 0, 0, 0, time.UTC),   // 80 % of ten years
	} {
		cert, err := c.Certificate(t.Context(), id)
		if off := cert.CareFrom.Sub(want).Abs(); err != nil || off > 25*time.Hour {
			t.Errorf("%s: %s, want about %s; %v", id, cert.CareFrom, want, err)
		}
	}
	if found, err := c.Certificates(t.Context(), CertificateQuery{SupersededBy: "c1"}); err != nil || len(found) != 1 || found[0].ID != "c3" {
		t.Errorf("superseded by c1: %v %v", found, err)
	}
}

func TestCertificatesAreCountedByTheirEnd(t *testing.T) {
	c := open(t, fixture(t, "schema-0003.sql"))
	for at, want := range map[time.Time]CertificateCounts{
		time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC):  {All: 3},
		time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC): {All: 3, EndSoon: 1},
		time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC): {All: 3, EndSoon: 1, Ended: 1},
		time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC):  {All: 3, Ended: 2}, // the superseded one does not count
	} {
		if n, err := c.CountCertificates(t.Context(), at); err != nil || n != want {
			t.Errorf("%s: %+v, want %+v; %v", at, n, want, err)
		}
	}
}

func TestProfilesAreKept(t *testing.T) {
	c := fresh(t)
	at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	for _, p := range []Profile{{"Plant leaf", "one", at}, {"plant LEAF", "two", at}, {"Another", "three", at}} {
		if err := c.PutProfile(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	list, err := c.Profiles(t.Context())
	if err != nil || len(list) != 2 || list[1].Text != "two" || !list[1].Changed.Equal(at) {
		t.Errorf("%+v %v", list, err)
	}
	if err := c.DeleteProfile(t.Context(), "PLANT leaf"); err != nil {
		t.Error(err)
	}
	if err := c.DeleteProfile(t.Context(), "plant leaf"); err == nil {
		t.Error("removed twice")
	}
}

// The tree and the board walk their indexes, however many certificates there are.
func TestCertificateListsWalkTheirIndex(t *testing.T) {
	c := fresh(t)
	for query, index := range map[string]string{
		"SELECT id FROM certificate WHERE issuer_id = 'a' ORDER BY subject COLLATE NOCASE, number LIMIT 200": "certificate_by_issuer",
		"SELECT issuer_id, count(*) FROM certificate WHERE issuer_id IN ('a', 'b') GROUP BY issuer_id":       "certificate_by_issuer",
		"SELECT id FROM certificate WHERE superseded = 'a' AND superseded <> ''":                             "certificate_by_successor",
		"SELECT id FROM certificate WHERE state = 'valid' ORDER BY not_after, number LIMIT 200":              "certificate_by_end",
		"SELECT sum(not_after > '2026') FROM certificate WHERE state = 'valid' AND care_from <= '2026'":      "certificate_by_care",
	} {
		if plan := queryPlan(t, c, query); !strings.Contains(plan, index) || strings.Contains(plan, "TEMP B-TREE FOR ORDER") {
			t.Errorf("%s\n%s", query, plan)
		}
	}
}
