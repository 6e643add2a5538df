// Package frametest lets tests of pages stand in for the window: a queue that
// runs posted functions on the test's own goroutine, and a program on a data
// folder of the test. It belongs in no program.
package frametest

import (
	"context"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"edgewright/app"
	"edgewright/ui/frame"
)

// Queue takes functions from any goroutine and runs them, in their order, on
// the one that calls Until or Settle: the main goroutine of a test.
type Queue struct {
	mu    sync.Mutex
	posts []func()
}

// Post implements frame.Context.Post.
func (q *Queue) Post(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.posts = append(q.posts, f)
}

// run runs what was posted and tells whether there was anything.
func (q *Queue) run() bool {
	q.mu.Lock()
	posts := q.posts
	q.posts = nil
	q.mu.Unlock()
	for _, f := range posts {
		f()
	}
	return len(posts) > 0
}

// patience is how long Until waits; nothing in a test takes that long.
const patience = 60 * time.Second

// Until runs what is posted until done says so.
func (q *Queue) Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if q.run() {
			continue
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for: %s", patience, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Settle runs what was posted already, and what that posts.
func (q *Queue) Settle() {
	for q.run() {
	}
}

// Config is a data folder of the test whose practice cloud listens on ports
// that nobody else uses.
func Config(t testing.TB) app.Config {
	t.Helper()
	dir := t.TempDir()
	config := app.Config{DataDir: filepath.Join(dir, "data"), StateDir: filepath.Join(dir, "state"), Version: "test"}
	a, err := app.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	options := app.PracticeOptions{HTTPS: freePort(t, 20_000), MQTT: freePort(t, 26_000)}
	if err := a.ServePractice(ctx, options, func(app.PracticeInfo) { cancel() }); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return config
}

// freePort is an address of this computer on one of the 6,000 ports from first on
// that nobody listens on. Of ports that the system gives to clients (Linux: from
// 32,768 on) any could be taken before the test listens there.
func freePort(t testing.TB, first int) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(6000)))
		if listener, err := net.Listen("tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// Context is what a page of a test is given: a program on Config's folder that
// closes with the test. What pages would open is told to opened, if not nil.
func Context(t testing.TB, window fyne.Window, opened func(frame.Place)) (*frame.Context, *Queue) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	a, err := app.New(ctx, Config(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	if opened == nil {
		opened = func(frame.Place) {}
	}
	queue := &Queue{}
	return &frame.Context{Ctx: ctx, App: a, Window: window, Post: queue.Post, Open: opened, Changed: func() {},
		Access: func() app.Access { return app.Access{} }, Appearance: func() {}, Preferences: fyne.CurrentApp().Preferences()}, queue
}
