package practice

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"hash/fnv"
	"iter"
	"net/http"
	"strings"

	"edgewright/provisioning/practice/query"
	"edgewright/provisioning/wire"
)

// The values of x-ms-item-type.
const (
	itemTwin = "Twin"
	itemRaw  = "Raw"
	itemJob  = "DeviceJob"
	// itemJobResponse is that of a query of scheduled jobs.
	itemJobResponse = "JobResponse"
)

// queryHub answers a page of a query. The rows are ordered by IDs (assumed).
func (x *exchange) queryHub() answer {
	if a := x.allow(serviceConnect); a != nil {
		return *a
	}
	var given wire.QuerySpecification
	if a := x.decode(&given); a != nil {
		return *a
	}
	parsed, err := query.Parse(given.Query)
	if err != nil {
		return x.hubError("ArgumentInvalid", "BadRequest: "+err.Error())
	}
	page := page{query: parsed, text: given.Query}
	var ok bool
	if page.size, ok = x.pageSize(); !ok {
		return x.hubError("ArgumentInvalid", "x-ms-max-item-count is not a positive number.")
	}
	if !page.resume(x.r.Header.Get(wire.HeaderContinuation)) {
		return x.hubError("ArgumentInvalid", "x-ms-continuation is not a token of this query.")
	}
	if parsed.Aggregated() {
		x.fillAggregated(&page)
	} else {
		x.fill(&page)
	}
	a := answer{status: http.StatusOK, body: page.rows(), header: map[string]string{wire.HeaderItemType: page.itemType()}}
	if page.next != nil {
		a.header[wire.HeaderContinuation] = page.token()
	}
	return a
}

// fill takes the rows from the first document that the page may show on, and
// notes the first that comes after it, so that there is no token if none does.
func (x *exchange) fill(p *page) {
	for document := range x.documents(p.query.Source, p.from) {
		if !p.query.Matches(document) {
			continue
		}
		if p.full(document.place) {
			return
		}
		if p.query.Whole() {
			p.add(document.whole())
		} else {
			p.add(p.query.Row(document))
		}
	}
}

// fillAggregated takes rows of groups from the first that the page may show on.
func (x *exchange) fillAggregated(p *page) {
	groups := p.query.Groups()
	for document := range x.documents(p.query.Source, nil) {
		if p.query.Matches(document) {
			groups.Add(document)
		}
	}
	for _, row := range groups.Rows() {
		if len(p.from) > 0 && row.Key < p.from[0] {
			continue
		}
		if p.full(func() place { return place{row.Key} }) {
			return
		}
		p.add(row.Values)
	}
}

// place is where a document or group stands in the order of rows: the device
// and module ID of a twin, or the key of a group.
type place []string

// document is what a query looks at.
type document interface {
	query.Object
	place() place
	whole() any // the row of SELECT *
}

// documents gives those of a source in order, from a place on; nil is the
// beginning.
func (x *exchange) documents(source query.Source, from place) iter.Seq[document] {
	if source == query.Jobs {
		return x.hub.deviceJobs(from)
	}
	return x.twins(source, from)
}

// twins gives the twins of a source. The document is the same each time.
func (x *exchange) twins(source query.Source, from place) iter.Seq[document] {
	return func(yield func(document) bool) {
		begin, module := 0, ""
		if len(from) > 0 {
			var found bool
			if begin, found = x.hub.at(from[0]); found && len(from) > 1 {
				module = from[1]
			}
		}
		document := &twinDocument{}
		for _, document.d = range x.hub.ordered[begin:] {
			document.m = nil
			if source == query.Devices {
				if !yield(document) {
					return
				}
				continue
			}
			for _, id := range sortedIDs(document.d.modules) {
				if document.m = document.d.modules[id]; id >= module && !yield(document) {
					return
				}
			}
			module = ""
		}
	}
}

// page is the rows of one answer.
type page struct {
	query *query.Query
	text  string // of the query
	size  int
	from  place // the first that may be in it, nil for the beginning
	shown int   // rows of earlier pages
	next  place // the first of the next page, nil if there is none

	count   int
	encoded bytes.Buffer
}

// full tells whether no row more fits; at is the place of the next. TOP ends
// the query, not the page.
func (p *page) full(at func() place) bool {
	if p.query.Top > 0 && p.shown+p.count >= p.query.Top {
		return true
	}
	if p.count < p.size {
		return false
	}
	p.next = at()
	return true
}

func (p *page) add(row any) {
	encoded, _ := json.Marshal(row) // our own types
	if p.count > 0 {
		p.encoded.WriteByte(',')
	}
	p.encoded.Write(encoded)
	p.count++
}

func (p *page) rows() []byte { return append(append([]byte{'['}, p.encoded.Bytes()...), ']') }

func (p *page) itemType() string {
	switch {
	case p.query.Source == query.Jobs:
		return itemJob
	case p.query.Whole():
		return itemTwin
	}
	return itemRaw
}

// continuation is what a token carries. It names a place, not a number of
// rows, so that every document that is there all the time comes exactly once,
// whatever else comes and goes between the pages.
type continuation struct {
	Query uint64 `json:"q"` // hash of the text
	From  place  `json:"f"`
	Shown int    `json:"n"`
}

func (p *page) hash() uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(strings.TrimSpace(p.text))) // never fails
	return hash.Sum64()
}

func (p *page) token() string {
	plain, _ := json.Marshal(continuation{p.hash(), p.next, p.shown + p.count}) // our own type
	return base64.StdEncoding.EncodeToString(plain)
}

// resume goes on where a token says; false if it is not one of this query.
func (p *page) resume(token string) bool {
	if token == "" {
		return true
	}
	var from continuation
	plain, err := base64.StdEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(plain, &from) != nil || from.Query != p.hash() || len(from.From) == 0 {
		return false
	}
	p.from, p.shown = from.From, max(from.Shown, 0)
	return true
}
