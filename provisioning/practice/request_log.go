package practice

import (
	"slices"
	"sync"
	"time"
)

// keptRequests is how many requests the log remembers.
const keptRequests = 1000

// Request is one answered request. It holds no secret: no header, no body, of
// the query only the api-version.
type Request struct {
	Time          time.Time // when it came, UTC, by the cloud's clock
	Method        string
	Host          string
	Path          string // as sent, without query
	APIVersion    string
	Status        int
	Code          string // name or number of the error, empty on success
	CorrelationID string
	Duration      time.Duration
}

// requestLog is a ring of the newest requests.
type requestLog struct {
	mu   sync.Mutex
	ring []Request
	at   int // where the next one goes once the ring is full
	all  uint64
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all++
	if len(l.ring) < keptRequests {
		l.ring = append(l.ring, r)
		return
	}
	l.ring[l.at] = r
	l.at = (l.at + 1) % keptRequests
}

// Requests gives the newest requests, oldest first.
func (c *Cloud) Requests() []Request {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return append(append([]Request{}, c.log.ring[c.log.at:]...), c.log.ring[:c.log.at]...)
}

func (l *requestLog) count() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all
}

// RequestRow is a request in the log; Number counts them from 1.
type RequestRow struct {
	Number        uint64    `json:"number"`
	Time          time.Time `json:"time"`
	Method        string    `json:"method"`
	Host          string    `json:"host"`
	Path          string    `json:"path"`
	APIVersion    string    `json:"api_version"`
	Status        int       `json:"status"` // 0 where nothing was answered
	Code          string    `json:"code"`
	CorrelationID string    `json:"correlation_id"`
	Duration      Span      `json:"duration"`
}

// Row is the request as the log shows it.
func (r Request) Row(number uint64) RequestRow {
	return RequestRow{number, r.Time, r.Method, r.Host, r.Path, r.APIVersion, r.Status, r.Code, r.CorrelationID, Span(r.Duration)}
}

// Failed tells a request that was not answered as it would like.
func (r RequestRow) Failed() bool { return r.Status == 0 || r.Status >= 400 }

// RequestQuery asks for a part of the log.
type RequestQuery struct {
	After  uint64 // only requests with greater numbers
	Failed bool   // only those that failed
	Limit  int    // the newest so many; 0 means all that are kept
}

// RequestLog gives requests, oldest first.
func (c *Cloud) RequestLog(q RequestQuery) []RequestRow {
	l := &c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := []RequestRow{}
	kept := len(l.ring)
	for back := range kept {
		number := l.all - uint64(back)
		if number <= q.After || q.Limit > 0 && len(rows) == q.Limit {
			break
		}
		r := l.ring[(l.at-1-back+2*kept)%kept]
		row := r.Row(number)
		if !q.Failed || row.Failed() {
			rows = append(rows, row)
		}
	}
	slices.Reverse(rows)
	return rows
}
