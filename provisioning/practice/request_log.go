package practice

import (
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
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
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
