// Package blobtest is a container of blobs for tests, over HTTP. It checks what
// Azure's storage checks: version, blob type, signature and permissions.
package blobtest

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// signature has characters that must arrive encoded.
const signature = "a+b/c=&d"

// Server is a container.
type Server struct {
	// Hold, if not nil, is called before each request is answered.
	Hold func(r *http.Request)

	t      testing.TB
	base   string
	mu     sync.Mutex
	blobs  map[string][]byte
	blocks map[string][]byte // by blob and ID
}

// New serves an empty container until the test ends.
func New(t testing.TB) *Server {
	s := &Server{t: t, blobs: map[string][]byte{}, blocks: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.base = server.URL + "/account/box"
	return s
}

// URI gives the container URI with a signature for permissions such as rwd.
func (s *Server) URI(permissions string) string {
	return s.base + "?sv=2021-12-02&sr=c&sp=" + permissions + "&sig=" + url.QueryEscape(signature)
}

// Blob gives a blob's content; false if there is none.
func (s *Server) Blob(name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, exists := s.blobs[name]
	return string(content), exists
}

// Set makes a blob.
func (s *Server) Set(name, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[name] = []byte(content)
}

// Names lists the blobs.
func (s *Server) Names() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.blobs {
		names = append(names, name)
	}
	return names
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Hold != nil {
		s.Hold(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	status, code, content := s.answer(r, body)
	if code != "" {
		w.Header().Set("x-ms-error-code", code)
	}
	w.WriteHeader(status)
	_, _ = w.Write(content)
}

func (s *Server) answer(r *http.Request, body []byte) (status int, code string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	name, inside := strings.CutPrefix(r.URL.Path, "/account/box/")
	needed := map[string]string{http.MethodGet: "r", http.MethodPut: "w", http.MethodDelete: "d"}[r.Method]
	switch {
	case !inside || name == "" || needed == "":
		return http.StatusBadRequest, "InvalidUri", nil
	case r.Header.Get("x-ms-version") == "":
		return http.StatusBadRequest, "MissingRequiredHeader", nil
	case q.Get("sig") != signature || q.Get("sr") != "c":
		return http.StatusForbidden, "AuthenticationFailed", nil
	case !strings.Contains(q.Get("sp"), needed):
		return http.StatusForbidden, "AuthorizationPermissionMismatch", nil
	}
	_, exists := s.blobs[name]
	switch {
	case r.Method == http.MethodPut:
		return s.put(r, name, q, body)
	case !exists:
		return http.StatusNotFound, "BlobNotFound", nil
	case r.Method == http.MethodDelete:
		delete(s.blobs, name)
		return http.StatusAccepted, "", nil
	}
	return http.StatusOK, "", s.blobs[name]
}

func (s *Server) put(r *http.Request, name string, q url.Values, body []byte) (status int, code string, content []byte) {
	switch q.Get("comp") {
	case "block":
		s.blocks[name+"\n"+q.Get("blockid")] = body
	case "blocklist":
		var list struct{ Latest []string }
		if err := xml.Unmarshal(body, &list); err != nil {
			return http.StatusBadRequest, "InvalidXmlDocument", nil
		}
		var whole []byte
		for _, id := range list.Latest {
			block, staged := s.blocks[name+"\n"+id]
			if !staged {
				return http.StatusBadRequest, "InvalidBlockList", nil
			}
			whole = append(whole, block...)
		}
		s.blobs[name] = whole
	case "":
		if r.Header.Get("x-ms-blob-type") != "BlockBlob" {
			return http.StatusBadRequest, "InvalidHeaderValue", nil
		}
		s.blobs[name] = body
	}
	return http.StatusCreated, "", nil
}
