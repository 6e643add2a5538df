package target

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// knownHostsName is our own list of host keys in Options.Dir. The user's files
// are only read.
const knownHostsName = "known_hosts"

// ownKnownHosts keeps appends of several connections apart.
var ownKnownHosts sync.Mutex

// hostKeys decides about the key of one host.
type hostKeys struct {
	address string // as looked up: host or alias, and port
	name    string // as shown
	dir     string
	pin     string
	trust   func(HostKey) bool
	db      *knownhosts.HostKeyDB
	origin  []string // file and line of each line that the db was made of
	failed  *HostKeyError
	shown   string // fingerprint of the key that was accepted
}

// readHostKeys reads all lists. A line that is not understood is passed over:
// the library would refuse the whole file.
func readHostKeys(files []string, dir string) (*hostKeys, error) {
	h := &hostKeys{dir: dir}
	if dir != "" {
		files = append([]string{filepath.Join(dir, knownHostsName)}, files...)
	}
	var good [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			if dir != "" && file == files[0] && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("read the known host keys: %w", err)
			}
			continue
		}
		number := 0
		for line := range bytes.Lines(text) {
			number++
			line = bytes.TrimSpace(line)
			if _, _, _, _, _, err := ssh.ParseKnownHosts(line); err == nil {
				good = append(good, line)
				h.origin = append(h.origin, fmt.Sprintf("%s:%d", file, number))
			}
		}
	}
	var err error
	if h.db, err = knownHostsDB(good); err == nil {
		return h, nil
	}
	// Some pattern or hashed name is bad: find the lines one by one.
	var best [][]byte
	var origin []string
	for i, line := range good {
		if _, err := knownHostsDB([][]byte{line}); err == nil {
			best, origin = append(best, line), append(origin, h.origin[i])
		}
	}
	h.origin = origin
	if h.db, err = knownHostsDB(best); err != nil {
		return nil, fmt.Errorf("read the known host keys: %w", err)
	}
	return h, nil
}

// knownHostsDB gives the library the file that it wants. The content is no
// secret.
func knownHostsDB(lines [][]byte) (*knownhosts.HostKeyDB, error) {
	file, err := os.CreateTemp("", "edgewright-known-hosts-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(append(bytes.Join(lines, []byte{'\n'}), '\n'))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return knownhosts.NewDB(file.Name())
}

// algorithms are those of the types that are known for the host, nil if none
// is. Without this limit a host that is known by one type would be asked for
// another, and a friend look like an attacker.
func (h *hostKeys) algorithms() []string { return h.db.HostKeyAlgorithms(h.address) }

// check is the ssh.HostKeyCallback.
func (h *hostKeys) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	seen := &HostKeyError{Host: h.name, Type: key.Type(), Fingerprint: ssh.FingerprintSHA256(key)}
	err := h.db.HostKeyCallback()(h.address, remote, key)
	var mismatch *xknownhosts.KeyError
	var revoked *xknownhosts.RevokedError
	switch {
	case err == nil:
		if h.pin != "" && h.pin != seen.Fingerprint {
			h.failed = seen
			return fmt.Errorf("the key is known, but it is not the one of --host-key: %w", seen)
		}
		h.shown = seen.Fingerprint
		return nil
	case errors.As(err, &revoked):
		h.failed = seen
		return fmt.Errorf("the host key is marked as revoked in %s: %w", h.place(revoked.Revoked.Line), seen)
	case !errors.As(err, &mismatch):
		h.failed = seen
		return fmt.Errorf("check the host key: %w: %w", err, seen)
	}
	for _, known := range mismatch.Want {
		if known.Key.Type() == key.Type() || len(h.algorithms()) > 0 {
			seen.Changed, seen.Known, seen.Source = true, ssh.FingerprintSHA256(known.Key), h.place(known.Line)
			if known.Key.Type() == key.Type() {
				break
			}
		}
	}
	if seen.Changed {
		h.failed = seen
		return seen
	}
	accepted := h.pin == seen.Fingerprint
	if h.pin == "" && h.trust != nil {
		accepted = h.trust(HostKey{Host: seen.Host, Type: seen.Type, Fingerprint: seen.Fingerprint})
	}
	if !accepted {
		h.failed = seen
		return seen
	}
	h.shown = seen.Fingerprint
	return h.remember(key)
}

func (h *hostKeys) place(line int) string {
	if line >= 1 && line <= len(h.origin) {
		return h.origin[line-1]
	}
	return "known_hosts"
}

// remember appends the key to our own list.
func (h *hostKeys) remember(key ssh.PublicKey) error {
	if h.dir == "" {
		return nil
	}
	ownKnownHosts.Lock()
	defer ownKnownHosts.Unlock()
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return fmt.Errorf("remember the host key: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(h.dir, knownHostsName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("remember the host key: %w", err)
	}
	_, err = file.WriteString(knownhosts.Line([]string{h.address}, key) + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("remember the host key: %w", err)
	}
	return nil
}

// ForgetHostKey drops what our own list in dir knows of an SSH target, after a
// person has said that the machine really has a new key.
func ForgetHostKey(dir string, spec Spec) error {
	ownKnownHosts.Lock()
	defer ownKnownHosts.Unlock()
	port := spec.SSH.Port
	if port == 0 {
		port = 22
	}
	name := knownhosts.Normalize(joinHostPort(spec.SSH.Host, port))
	path := filepath.Join(dir, knownHostsName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("forget the host key: %w", err)
	}
	var kept bytes.Buffer
	for line := range bytes.Lines(text) {
		if fields := strings.Fields(string(line)); len(fields) > 0 && fields[0] == name {
			continue
		}
		kept.Write(line)
	}
	temp, err := os.CreateTemp(dir, "known_hosts-*")
	if err != nil {
		return fmt.Errorf("forget the host key: %w", err)
	}
	_, err = temp.Write(kept.Bytes())
	if err = errors.Join(err, temp.Sync(), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return fmt.Errorf("forget the host key: %w", err)
	}
	return nil
}
