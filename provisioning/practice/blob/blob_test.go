package blob_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"edgewright/provisioning/practice/blob"
	"edgewright/provisioning/practice/blob/blobtest"
)

func open(t *testing.T, uri string) *blob.Container {
	t.Helper()
	c, err := blob.Open(uri, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBlobsComeBack(t *testing.T) {
	s := blobtest.New(t)
	c := open(t, s.URI("rwd"))
	for name, size := range map[string]int{"empty.txt": 0, "folder/small ä.txt": 100, "block.bin": 4 << 20, "large.bin": 9<<20 + 7} {
		content := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		w := c.Writer(t.Context(), name)
		for rest := content; len(rest) > 0; {
			n := min(1<<20+3, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		body, err := c.Get(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes of %d came back, %v", name, len(got), size, err)
		}
		_ = body.Close()
		if err := c.Delete(t.Context(), name); err != nil {
			t.Error(err)
		}
		if _, exists := s.Blob(name); exists {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestRefusalsHaveCodesAndNoSignature(t *testing.T) {
	s := blobtest.New(t)
	var refused *blob.Error
	if _, err := open(t, s.URI("rw")).Get(t.Context(), "none"); !errors.As(err, &refused) || refused.Status != 404 || refused.Code != "BlobNotFound" {
		t.Errorf("missing: %v", err)
	}
	if err := open(t, s.URI("rw")).Delete(t.Context(), "none"); !errors.As(err, &refused) || refused.Status != 403 {
		t.Errorf("not allowed: %v", err)
	}
	gone := strings.Replace(s.URI("rwd"), "http://127.0.0.1:", "http://127.0.0.1:1", 1)
	for _, uri := range []string{gone, "http://127.0.0.1:1/account/box?sig=geheim"} {
		c, err := blob.Open(uri, http.DefaultClient)
		if err == nil {
			err = c.Writer(t.Context(), "x").Close()
		}
		if err == nil || strings.Contains(err.Error(), "sig") || strings.Contains(err.Error(), "geheim") {
			t.Errorf("unreachable: %v", err)
		}
	}
	for _, uri := range []string{"", "ftp://127.0.0.1/box?sig=a", "http://127.0.0.1/?sig=a", "http://127.0.0.1/box", "http://u:p@127.0.0.1/box?sig=a", "http:///box?sig=a", "%"} {
		if _, err := blob.Open(uri, http.DefaultClient); err == nil {
			t.Errorf("%q is taken", uri)
		}
	}
}
