package practice

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errClosed = errors.New("practice state is closed")

// submit queues urgent writes, which are committed together, and lazy ones,
// which go with the next commit or after lazyDelay. It gives the batch to wait
// for before anything may be told: that of the urgent writes, else the newest
// one under way. Order of calls is order of effect.
func (s *store) submit(urgent, lazy []write) *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil || s.closed {
		refused := newBatch()
		refused.err = errors.Join(s.failed)
		if s.closed {
			refused.err = errClosed
		}
		close(refused.done)
		return refused
	}
	for _, w := range lazy {
		s.next.writes[w.objectKey] = w.plain
	}
	for _, w := range urgent {
		s.next.writes[w.objectKey] = w.plain
	}
	if len(urgent) > 0 {
		s.next.urgent = true
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	if s.next.urgent {
		return s.next
	}
	return s.flying
}

// run commits batches until close.
func (s *store) run() {
	defer close(s.ended)
	ticker := time.NewTicker(lazyDelay)
	defer ticker.Stop()
	for {
		select {
		case <-s.wake:
		case <-ticker.C:
		case <-s.quit:
			s.flush()
			return
		}
		s.flush()
	}
}

// flush commits what is queued.
func (s *store) flush() {
	s.mu.Lock()
	if len(s.next.writes) == 0 || s.failed != nil {
		s.mu.Unlock()
		return
	}
	current := s.next
	s.flying, s.next = current, newBatch()
	s.mu.Unlock()

	current.err = s.commit(current.writes)

	s.mu.Lock()
	s.flying = nil
	if current.err != nil {
		// What follows was decided on a state that never became durable.
		s.failed = current.err
		s.next.err = current.err
		close(s.next.done)
		s.next = newBatch()
	}
	s.mu.Unlock()
	close(current.done)
}

func (s *store) commit(writes map[objectKey][]byte) error {
	// Not the context of a request: others share the transaction.
	ctx := context.Background()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write practice state: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	for key, plain := range writes {
		if plain == nil {
			if _, err := tx.ExecContext(ctx, "DELETE FROM object WHERE kind = ? AND id = ?", key.kind, key.id); err != nil {
				return fmt.Errorf("remove %s from the practice state: %w", key.record(), err)
			}
			continue
		}
		sealed, err := s.sealer.Seal(key.record(), plain)
		if err != nil {
			return fmt.Errorf("seal %s: %w", key.record(), err)
		}
		s.seq++
		if _, err := tx.ExecContext(ctx, `INSERT INTO object (kind, id, seq, sealed) VALUES (?, ?, ?, ?)
			ON CONFLICT (kind, id) DO UPDATE SET seq = excluded.seq, sealed = excluded.sealed`,
			key.kind, key.id, s.seq, sealed); err != nil {
			return fmt.Errorf("write %s to the practice state: %w", key.record(), err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write practice state: %w", err)
	}
	return nil
}

// sync commits everything queued and returns when it is on disk.
func (s *store) sync() error {
	s.mu.Lock()
	if s.failed != nil || s.closed {
		defer s.mu.Unlock()
		return errors.Join(s.failed)
	}
	waiting := s.flying
	if len(s.next.writes) > 0 {
		waiting = s.next
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	s.mu.Unlock()
	return waiting.wait()
}

// hasFailed tells whether a commit failed since the last reset.
func (s *store) hasFailed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed != nil
}

// reset ends the failed state, after the caller has gone back to what is on
// disk.
func (s *store) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = nil
}

// close commits what is queued and closes the file. It may be called again.
func (s *store) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.quit)
	<-s.ended
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	return errors.Join(failed, s.db.Close())
}
