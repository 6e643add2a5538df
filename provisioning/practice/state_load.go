package practice

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// loadChunk is how many stored objects are decoded at a time.
const loadChunk = 128

// chunk is a run of stored objects on its way into the state.
type chunk struct {
	keys   []objectKey
	plains [][]byte
	takes  []func() error
	err    error
	ready  chan struct{} // closed when takes or err is there
}

// load reads everything stored into an empty state. A hundred thousand
// identities take seconds to decode, so all processors do it; the order of
// objects stays.
func (s *state) load(ctx context.Context, from *store) error {
	workers := runtime.GOMAXPROCS(0)
	toDecode, toTake := make(chan *chunk, workers), make(chan *chunk, 2*workers)
	var decoding sync.WaitGroup
	for range workers {
		decoding.Go(func() {
			for c := range toDecode {
				c.decode(s)
				close(c.ready)
			}
		})
	}
	taken := make(chan error, 1)
	go func() { taken <- takeChunks(toTake) }()

	next := &chunk{ready: make(chan struct{})}
	send := func() {
		toDecode <- next
		toTake <- next
		next = &chunk{ready: make(chan struct{})}
	}
	err := from.load(ctx, "", func(key objectKey, plain []byte) error {
		next.keys, next.plains = append(next.keys, key), append(next.plains, plain)
		if len(next.keys) == loadChunk {
			send()
		}
		return nil
	})
	send()
	close(toDecode)
	close(toTake)
	decoding.Wait()
	if failed := <-taken; err == nil {
		err = failed
	}
	return err
}

func (c *chunk) decode(s *state) {
	c.takes = make([]func() error, len(c.keys))
	for i, key := range c.keys {
		if c.takes[i], c.err = s.read(key, c.plains[i]); c.err != nil {
			c.err = readError(key, c.err)
			return
		}
	}
}

// takeChunks takes the chunks in their order. After an error it only waits for
// the rest.
func takeChunks(chunks <-chan *chunk) (err error) {
	for c := range chunks {
		<-c.ready
		if err == nil {
			err = c.err
		}
		for i := 0; err == nil && i < len(c.takes); i++ {
			if err = c.takes[i](); err != nil {
				err = readError(c.keys[i], err)
			}
		}
	}
	return err
}

func readError(key objectKey, err error) error {
	return fmt.Errorf("read %s of the practice state: %w", key.record(), err)
}
