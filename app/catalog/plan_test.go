package catalog

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"
)

// queryPlan is what SQLite says that it would do.
func queryPlan(t *testing.T, c *Catalog, query string, args ...any) string {
	t.Helper()
	rows, err := c.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	plan := ""
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan += detail + "\n"
	}
	return plan
}

// many fills a catalog with more devices of a state than are worth sorting.
func many(t testing.TB, c *Catalog, n int) {
	t.Helper()
	err := c.transact(t.Context(), DevicesChanged, "fill", func(tx *sql.Tx) error {
		words, err := deviceWords.begin(t.Context(), tx)
		if err != nil {
			return err
		}
		for i := range n {
			d := device(fmt.Sprintf("line-%d-%06d", i%97, i))
			d.HostName, d.Target = fmt.Sprintf("host%06d.plant.example", i), fmt.Sprintf("ssh://pi@10.%d.%d.%d", i/65536, i/256%256, i%256)
			if i%1000 == 0 {
				d.State = "failed"
			}
			at := time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)
			d.LastProof, d.Updated = &at, at
			if _, _, err := putDevice(t.Context(), tx, words, d); err != nil {
				return err
			}
		}
		_, err = words.settle(t.Context())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestListsWalkTheirIndex(t *testing.T) {
	c := fresh(t)
	many(t, c, rareLimit+500)
	for _, row := range []struct {
		q     Query
		index string
	}{
		{Query{}, "device_by_id"},
		{Query{Text: "li"}, "device_by_id"},
		{Query{SortBy: "device", Descending: true}, "device_by_id"},
		{Query{SortBy: "state"}, "device_in_state_order"},
		{Query{SortBy: "cloud"}, "device_in_cloud_order"},
		{Query{SortBy: "way"}, "device_by_way"},
		{Query{SortBy: "target"}, "device_by_target"},
		{Query{SortBy: "runtime"}, "device_by_runtime"},
		{Query{SortBy: "certificate"}, "device_by_certificate"},
		{Query{SortBy: "proof", Descending: true}, "device_by_proof"},
		{Query{State: "proven"}, "device_by_state (state=?)"},
		{Query{Cloud: "practice"}, "device_by_cloud (cloud=?)"},
		{Query{State: "proven", SortBy: "proof"}, "device_by_proof"},
		{Query{Cloud: "practice", SortBy: "target", Descending: true}, "device_by_target"},
		{Query{State: "proven", Text: "li"}, "device_by_id"},
	} {
		query, args, err := c.searchQuery(t.Context(), row.q)
		if err != nil {
			t.Fatal(err)
		}
		plan := queryPlan(t, c, "SELECT * FROM device "+query, args...)
		if !strings.Contains(plan, row.index) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%+v does not walk %s:\n%s", row.q, row.index, plan)
		}
	}
}

func TestFewRowsLeadAndAreSorted(t *testing.T) {
	c := fresh(t)
	many(t, c, rareLimit+500)
	for _, q := range []Query{{State: "failed", SortBy: "proof"}, {NeedsCare: true, SortBy: "target"}, {State: "failed", Text: "line"}} {
		query, args, err := c.searchQuery(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if plan := queryPlan(t, c, "SELECT * FROM device "+query, args...); !strings.Contains(plan, "(state=?)") {
			t.Errorf("%+v does not start from the state:\n%s", q, plan)
		}
	}
}

func TestTextGoesThroughTheTrigramIndex(t *testing.T) {
	c := fresh(t)
	many(t, c, rareLimit+500)
	for _, q := range []Query{{Text: "host0004"}, {Text: "plant line-1"}, {Text: "line", State: "proven"}, {Text: "line-9 00", SortBy: "proof"}} {
		query, args, err := c.searchQuery(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		plan := queryPlan(t, c, "SELECT * FROM device "+query, args...)
		if !strings.Contains(plan, "SCAN device_text VIRTUAL TABLE") || strings.Contains(plan, "SCAN device\n") {
			t.Errorf("%+v:\n%s", q, plan)
		}
	}
}

func TestOtherQueriesHaveAnIndex(t *testing.T) {
	c := fresh(t)
	for query, index := range map[string]string{
		"SELECT * FROM device WHERE hub_host = 'h' AND device_id = 'd'":                                    "sqlite_autoindex_device",
		"SELECT * FROM device WHERE device_id = 'd'":                                                       "device_by_exact_id",
		"SELECT * FROM device WHERE uuid >= 'a' AND uuid < 'b'":                                            "sqlite_autoindex_device",
		"UPDATE device SET state = 'replaced' WHERE machine_key = ? AND machine_key <> '' AND uuid <> 'u'": "device_by_machine",
		"SELECT device_id FROM device WHERE cloud = 'c'":                                                   "device_by_cloud",
		"SELECT state, count(*) FROM device GROUP BY state":                                                "COVERING INDEX",
		"SELECT * FROM run WHERE uid = 'u'":                                                                "run_by_uid",
		"SELECT * FROM log WHERE run_number = 1 ORDER BY rowid":                                            "log_by_run",
	} {
		if plan := queryPlan(t, c, query, strings.Repeat("m", strings.Count(query, "?"))); !strings.Contains(plan, index) {
			t.Errorf("%s\ndoes not use %s:\n%s", query, index, plan)
		}
	}
	for _, row := range []struct {
		q     RunQuery
		index string
	}{{RunQuery{Batch: "b"}, "run_by_batch"}, {RunQuery{DeviceID: "d"}, "run_by_device"}, {RunQuery{DeviceUUID: "u"}, "run_by_uuid"}, {RunQuery{Unfinished: true}, "run_unfinished"}, {RunQuery{Before: "7"}, "PRIMARY KEY"}} {
		where, args, err := row.q.where()
		if err != nil {
			t.Fatal(err)
		}
		plan := queryPlan(t, c, "SELECT * FROM run "+where+" ORDER BY number DESC LIMIT 200", args...)
		if !strings.Contains(plan, row.index) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%+v does not use %s:\n%s", row.q, row.index, plan)
		}
	}
}
