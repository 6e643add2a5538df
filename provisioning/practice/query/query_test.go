package query

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// document is an Object of plain JSON; its member "inner" is an Object again.
type document map[string]any

func (d document) Member(name string) (any, bool) {
	value, exists := d[name]
	if inner, ok := value.(map[string]any); ok && name == "inner" {
		return document(inner), exists
	}
	return value, exists
}

func parsed(t testing.TB, text string) document {
	t.Helper()
	d := document{}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func mustParse(t testing.TB, text string) *Query {
	t.Helper()
	q, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

const sample = `{"deviceId":"it's \"d\" \\ é","n":5,"half":0.5,"yes":true,"no":false,"nothing":null,"status":"enabled",
	"capabilities":{"iotEdge":true},"tags":{"location":{"plant":"Redmond43"},"odd name":{"x.y":1},"from":1},
	"parentScopes":["ms-azure-iot-edge://p-1",7,{"a":1}],"inner":{"$version":4,"deep":{"$edgeAgent":{"a":"b"}}}}`

func TestConditions(t *testing.T) {
	d := parsed(t, sample)
	for text, want := range map[string]bool{
		"n = 5": true, "n=5.0": true, "n = -5": false, "n != 5": false, "n <> 4": true, "n < 5": false, "n <= 5": true, "n > 4.9": true, "n >= 5e0": true,
		"5 = n": true, "half = .5": true, "half = +0.5": true,
		"status = 'enabled'": true, `STATUS = "enabled"`: false, `status = "enabled"`: true, "status > 'a'": true, "status < 'a'": false,
		`deviceId = 'it''s "d" \\ \u00e9'`: true, `deviceId = "it's ""d"" \\ é"`: true, `deviceId = 'it\'s \"d\" \\ é'`: true,
		`'\ud83d\ude00' = '😀'`: true, `'a\nb' = 'a\u000ab'`: true,
		"yes": true, "yes = true": true, "yes = TRUE": true, "no": false, "not no": true, "no = false": true,
		"capabilities.iotEdge = true": true, "capabilities.iotEdge": true, "capabilities": false,
		"nothing = null": true, "nothing != null": false, "n != null": true, "n = null": false,
		"n = '5'": false, "n != '5'": true, "n < '9'": false, "not n < '9'": false, "yes > no": false,
		// What does not exist makes every condition on it fail, negated or not.
		"gone = 1": false, "gone != 1": false, "not gone = 1": false, "not (gone = 1)": false, "gone.deeper = 1": false, "n.deeper = 1": false,
		"gone = 1 or yes": true, "gone = 1 and yes": false, "not (gone = 1 and no)": true, "not (gone = 1 or yes)": false, "not (gone = 1 and yes)": false,
		"gone IN [1]": false, "gone NIN [1]": false,
		"is_defined(gone)": false, "IS_DEFINED(n)": true, "not is_defined(gone)": true, "is_defined(nothing)": true, "is_defined(tags.location)": true,
		"is_null(nothing)": true, "is_null(gone)": false, "is_null(n)": false, "is_number(n)": true, "is_number(status)": false,
		"is_string(status)": true, "is_string(gone)": false, "is_bool(no)": true, "is_bool(n)": false,
		"is_object(tags)": true, "is_object(inner)": true, "is_object(parentScopes)": false, "is_object(gone)": false, "is_defined(yes) = true": true,
		"startswith(status, 'en')": true, "startsWith(status,'x')": false, "STARTS_WITH(status,'en')": true, "endswith(status,'led')": true,
		"ends_with(status,'x')": false, "contains(status,'abl')": true, "contains(n,'5')": false, "not contains(n,'5')": false,
		"array_contains(parentScopes, 'ms-azure-iot-edge://p-1')": true, "array_contains(parentScopes, 7)": true, "array_contains(parentScopes, 'x')": false,
		"array_contains(n, 5)": false, "not array_contains(gone, 5)": false, "array_contains(parentScopes, parentScopes)": false,
		"n IN [1, 5]": true, "n in (1,5)": true, "status in ['enabled', null, true]": true, "n NOT IN [1, 5]": false, "n NIN ('5')": true, "nothing IN [null]": true, "tags IN [1]": false,
		"yes or no and no": true, "(yes or no) and no": false, "not no and yes": true, "not (no or yes)": false, "((yes))": true, "not not yes": true,
		"yes AND n = 5 And status = 'enabled' OR no": true,
		"tags.location.plant = 'Redmond43'":          true, "tags['location'].plant = 'Redmond43'": true, `tags["location"]['plant'] = 'Redmond43'`: true,
		"tags['odd name']['x.y'] = 1": true, "tags.[[odd name]].[[x.y]] = 1": true, "[[n]] = 5": true, "tags.from = 1": true, "tags.[['odd name']] = 1": false,
		"['status'] = 'enabled'": true, "inner.$version = 4": true, "inner.deep.$edgeAgent.a = 'b'": true, "devices.n = 5": true, "DEVICES.tags.from = 1": true,
		"tags = tags": false, "n = n": true, "parentScopes != 1": false,
	} {
		if got := mustParse(t, "SELECT * FROM devices WHERE "+text).Matches(d); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestRows(t *testing.T) {
	d := parsed(t, sample)
	for text, want := range map[string]string{
		"select deviceId, tags.location.plant as place, gone, nothing from devices": `{"deviceId":"it's \"d\" \\ é","nothing":null,"place":"Redmond43"}`,
		"SELECT TOP 3 tags.location, inner.$version FROM devices;":                  `{"$version":4,"location":{"plant":"Redmond43"}}`,
		"SELECT devices.jobs.n AS 'a name' FROM devices.jobs":                       `{"a name":5}`,
		"SELECT devices.modules.status FROM devices.modules":                        `{"status":"enabled"}`,
		"SELECT devices.status, modules FROM devices.modules":                       `{"status":"enabled"}`,
		"SELECT tags.[[odd name]].[[x.y]] FROM devices":                             `{"x.y":1}`,
	} {
		q := mustParse(t, text)
		got, err := json.Marshal(q.Row(d))
		if err != nil || string(got) != want || q.Whole() || q.Aggregated() {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	q := mustParse(t, "\tSELECT\r\ntop 10 * from DEVICES.Modules ; ")
	if !q.Whole() || q.Aggregated() || q.Top != 10 || q.Source != Modules || !q.Matches(d) {
		t.Errorf("%+v", q)
	}
}

func TestGroups(t *testing.T) {
	documents := []document{
		parsed(t, `{"s":"b","v":1,"m":{"x":2}}`), parsed(t, `{"s":"a","v":5}`), parsed(t, `{"s":"b","v":2,"m":{"x":2}}`),
		parsed(t, `{"v":"text"}`), parsed(t, `{"s":null}`), parsed(t, `{"s":"b","v":-3,"m":{"x":"2"}}`),
	}
	for text, want := range map[string]string{
		"SELECT COUNT() AS n FROM devices":               `[{"n":6}]`,
		"SELECT COUNT() FROM devices WHERE s = 'none'":   `[{"$1":0}]`,
		"SELECT s, count() AS n FROM devices GROUP BY s": `[{"n":1},{"n":1,"s":"a"},{"n":3,"s":"b"},{"n":1,"s":null}]`,
		"SELECT count() AS n, s AS of, sum(v) AS total, avg(v) AS mean, min(v) AS low, max(v) AS high FROM devices WHERE is_string(s) GROUP BY devices.s": `[{"high":5,"low":5,"mean":5,"n":1,"of":"a","total":5},{"high":2,"low":-3,"mean":0,"n":3,"of":"b","total":0}]`,
		"SELECT avg(v), sum(v) FROM devices WHERE is_null(s)": `[{"$2":0}]`,
		"SELECT m.x FROM devices GROUP BY s, m.x":             `[{},{},{"x":"2"},{"x":2},{}]`,
		"SELECT s FROM devices GROUP BY s":                    `[{},{"s":"a"},{"s":"b"},{"s":null}]`,
	} {
		q := mustParse(t, text)
		if !q.Aggregated() {
			t.Errorf("%s: not aggregated", text)
		}
		groups := q.Groups()
		for _, d := range documents {
			if q.Matches(d) {
				groups.Add(d)
			}
		}
		var values []map[string]any
		last := ""
		for i, row := range groups.Rows() {
			if i > 0 && row.Key <= last {
				t.Errorf("%s: key %q after %q", text, row.Key, last)
			}
			last = row.Key
			values = append(values, row.Values)
		}
		if got, _ := json.Marshal(values); string(got) != want {
			t.Errorf("%s:\n%s, want\n%s", text, got, want)
		}
	}
}

func TestRefusesWithPosition(t *testing.T) {
	many := func(n int, part, with string) string { return strings.TrimSuffix(strings.Repeat(part+with, n), with) }
	for text, want := range map[string]Error{
		"":                                {1, "the query ends where SELECT is expected"},
		"* FROM devices":                  {1, "SELECT is expected"},
		"SELECT":                          {7, "the query ends where the path"},
		"SELECT * FROM":                   {14, "the query ends where the path"},
		"SELECT * FROM twins":             {15, "FROM is devices"},
		"SELECT * FROM devices.other":     {15, "FROM is devices"},
		"SELECT * FROM devices d":         {23, "the end of the query"},
		"SELECT * FROM devices WHERE":     {28, "the query ends"},
		"SELECT * FROM devices WHERE a =": {32, "the query ends"},
		"SELECT * FROM devices WHERE é = 'é' & b":                              {37, `the character '&'`},
		"SELECT * FROM devices WHERE a = 'x":                                   {33, "a text is not closed"},
		`SELECT * FROM devices WHERE a = 'x\q'`:                                {35, "the escape"},
		`SELECT * FROM devices WHERE a = '\u12'`:                               {34, "the escape"},
		"SELECT * FROM devices WHERE a = 1.2.3":                                {33, "a number is badly"},
		"SELECT * FROM devices WHERE a = 0x10":                                 {33, "a number is badly"},
		"SELECT * FROM devices WHERE a = 1e999":                                {33, "a number is badly"},
		"SELECT * FROM devices WHERE a = b - 1":                                {35, "a number is badly"},
		"SELECT * FROM devices WHERE a = 1 = 2":                                {35, "the end of the query"},
		"SELECT * FROM devices WHERE (a = 1":                                   {35, "the query ends where )"},
		"SELECT * FROM devices WHERE a LIKE 'x'":                               {31, "the end of the query"},
		"SELECT * FROM devices WHERE a NOT 1":                                  {35, "IN is expected"},
		"SELECT * FROM devices WHERE a IN 1":                                   {34, "a list of values"},
		"SELECT * FROM devices WHERE a IN []":                                  {35, "a text, number"},
		"SELECT * FROM devices WHERE a IN (1]":                                 {36, ") is expected"},
		"SELECT * FROM devices WHERE a IN [b]":                                 {35, "a text, number"},
		"SELECT * FROM devices WHERE a[0] = 1":                                 {31, "the name of a member in quotes"},
		"SELECT * FROM devices WHERE a['x = 1":                                 {31, "a text is not closed"},
		"SELECT * FROM devices WHERE [[a = 1":                                  {29, "[[ is not closed"},
		"SELECT * FROM devices WHERE a. = 1":                                   {32, "the name of a member"},
		"SELECT * FROM devices WHERE abs(a) = 1":                               {29, "the function is not offered"},
		"SELECT * FROM devices WHERE is_defined()":                             {29, "the function has 1"},
		"SELECT * FROM devices WHERE contains(a,b,c)":                          {29, "the function has 2"},
		"SELECT * FROM devices WHERE contains(a b)":                            {40, ") is expected"},
		"SELECT * FROM devices WHERE COUNT() > 1":                              {29, "the function is not offered"},
		"SELECT * FROM devices ORDER BY a":                                     {23, "the end of the query"},
		"SELECT * FROM devices GROUP BY a":                                     {1, "SELECT * cannot be grouped"},
		"SELECT *, a FROM devices":                                             {9, "FROM is expected"},
		"SELECT a, COUNT() FROM devices":                                       {8, "a column beside an aggregate"},
		"SELECT a, a FROM devices":                                             {11, "two columns"},
		"SELECT a AS b, x.b FROM devices":                                      {16, "two columns"},
		"SELECT a AS FROM devices":                                             {18, "FROM is expected"},
		"SELECT a b FROM devices":                                              {10, "FROM is expected"},
		"SELECT COUNT(*) FROM devices":                                         {14, ") is expected"},
		"SELECT AVG() FROM devices":                                            {12, "the path of a member"},
		"SELECT TOP * FROM devices":                                            {12, "a positive number"},
		"SELECT TOP 0 * FROM devices":                                          {12, "a positive number"},
		"SELECT TOP 1.5 * FROM devices":                                        {12, "a positive number"},
		"SELECT TOP 99999999999 * FROM devices":                                {12, "a positive number"},
		"SELECT DISTINCT a FROM devices":                                       {17, "FROM is expected"},
		"SELECT * FROM devices; SELECT":                                        {24, "the end of the query"},
		strings.Repeat(" ", maxLength+1):                                       {1, "the query has more than"},
		"SELECT * FROM devices WHERE " + strings.Repeat("(", maxDepth+1) + "a": {29 + maxDepth, "the condition is nested"},
		"SELECT * FROM devices WHERE " + strings.Repeat("not ", 1000) + "a":    {29 + 4*maxDepth, "the condition is nested"},
		"SELECT * FROM devices WHERE " + many(maxTerms+1, "a", " or "):         {29 + 5*maxTerms, "the query has more than"},
		"SELECT " + many(maxDepth+1, "a", ".") + " FROM devices":               {10 + 2*maxDepth, "the path has more than"},
	} {
		_, err := Parse(text)
		var refused *Error
		if !errors.As(err, &refused) || refused.Position != want.Position || !strings.HasPrefix(refused.Text, want.Text) {
			t.Errorf("%.60s: %v, want %q at %d", text, err, want.Text, want.Position)
		}
	}
	mustParse(t, "SELECT * FROM devices WHERE "+many(maxTerms, "a", " or "))
}

func FuzzParse(f *testing.F) {
	f.Add("SELECT TOP 5 tags.a['b'] AS x, COUNT() AS n FROM devices.modules WHERE NOT (a.b >= -1.5e3 OR c NIN ['x', null]) GROUP BY tags.a.b")
	f.Add(`select * from devices.jobs where devices.jobs.deviceId = 'it''s' and array_contains(parentScopes, "\u00e9") ;`)
	f.Add("SELECT * FROM devices WHERE is_object(inner) = true AND startswith([[status]], 'e')")
	d := parsed(f, sample)
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			var refused *Error
			if !errors.As(err, &refused) || refused.Position < 1 || refused.Position > len(text)+1 {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		matches := q.Matches(d)
		switch {
		case q.Whole():
		case q.Aggregated():
			groups := q.Groups()
			groups.Add(d)
			if rows := groups.Rows(); len(rows) != 1 {
				t.Errorf("%q: %d groups of one document", text, len(rows))
			}
		default:
			if _, err := json.Marshal(q.Row(d)); err != nil {
				t.Error(err)
			}
		}
		if matches && q.where != nil && (negation{q.where}).eval(d) != false {
			t.Errorf("%q: it holds and its negation too", text)
		}
	})
}

func BenchmarkMatches(b *testing.B) {
	d := parsed(b, sample)
	q := mustParse(b, "SELECT * FROM devices WHERE capabilities.iotEdge = true AND tags.location.plant = 'Redmond44' AND status = 'enabled'")
	for b.Loop() {
		q.Matches(d)
	}
}
