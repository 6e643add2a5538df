package ui

import (
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// front is the socket by which a second start on the same data folder brings
// the first one's window to the front. Where it cannot be made the two work
// side by side; the catalog allows that.
type front struct{ listener net.Listener }

// frontPatience is how long a second start waits for the first to answer.
const frontPatience = 500 * time.Millisecond

// beFirst gives nil if another window is open on the data folder; it has been
// asked to come to the front.
func beFirst(dataDir string) *front {
	path := frontPath(dataDir)
	if path == "" {
		return &front{}
	}
	connection, err := net.DialTimeout("unix", path, frontPatience)
	if err == nil {
		defer func() { _ = connection.Close() }()
		_ = connection.SetDeadline(time.Now().Add(frontPatience))
		answer := make([]byte, 1)
		if n, _ := connection.Read(answer); n == 1 {
			return nil
		}
		return &front{} // it hangs; work beside it
	}
	_ = os.Remove(path) // of a window that was killed
	listener, err := net.Listen("unix", path)
	if err != nil {
		return &front{}
	}
	return &front{listener}
}

// frontPath is in a folder that only this user may enter, and short: the path
// of a socket has at most 107 bytes.
func frontPath(dataDir string) string {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(cache, "edgewright")
		if os.MkdirAll(dir, 0o700) != nil {
			return ""
		}
	}
	whole, err := filepath.Abs(dataDir)
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(whole); err == nil {
		whole = real
	}
	sum := sha256.Sum256([]byte(whole))
	return filepath.Join(dir, fmt.Sprintf("edgewright-%x.sock", sum[:8]))
}

// serve calls show, on a goroutine of its own, for each further start.
func (f *front) serve(show func()) {
	if f.listener == nil {
		return
	}
	go func() {
		for {
			connection, err := f.listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte{1})
			_ = connection.Close()
			show()
		}
	}()
}

func (f *front) close() {
	if f.listener != nil {
		_ = f.listener.Close() // removes the socket, too
	}
}
