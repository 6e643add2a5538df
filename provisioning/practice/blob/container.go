package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// version of the REST interface.
const version = "2021-12-02"

// Container is a container of blobs.
type Container struct {
	uri    *url.URL
	client *http.Client
}

// Open takes a container URI with its signature; nothing is called yet.
func Open(uri string, client *http.Client) (*Container, error) {
	parsed, err := url.Parse(uri)
	switch {
	case err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" || parsed.User != nil:
		return nil, errors.New("the container URI is not a URL")
	case strings.Trim(parsed.Path, "/") == "":
		return nil, errors.New("the container URI names no container")
	case !parsed.Query().Has("sig"):
		return nil, errors.New("the container URI has no shared access signature")
	}
	return &Container{parsed, client}, nil
}

// Error is a refusal of the storage service.
type Error struct {
	Status int    // HTTP
	Code   string // such as BlobNotFound, perhaps empty
}

func (e *Error) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the storage answers %d %s", e.Status, e.Code))
}

// Get gives the content of a blob. The caller closes it.
func (c *Container) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	answer, err := c.do(ctx, http.MethodGet, name, "", nil, nil)
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}

// Delete removes a blob.
func (c *Container) Delete(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, name, "", nil, nil)
}

// call makes a request whose answer has nothing to read.
func (c *Container) call(ctx context.Context, method, name, query string, header map[string]string, body []byte) error {
	answer, err := c.do(ctx, method, name, query, header, body)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// do makes a request for a blob; query follows the signature.
func (c *Container) do(ctx context.Context, method, name, query string, header map[string]string, body []byte) (*http.Response, error) {
	target := *c.uri
	target.Path = strings.TrimSuffix(target.Path, "/") + "/" + name
	target.RawPath = ""
	if query != "" {
		target.RawQuery += "&" + query
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the blob has no URL")
	}
	request.Header.Set("x-ms-version", version)
	for key, value := range header {
		request.Header.Set(key, value)
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("call the storage: %w", withoutURI(err))
	}
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return answer, nil
	}
	_ = answer.Body.Close() // the header says enough
	return nil, &Error{answer.StatusCode, cleanCode(answer.Header.Get("x-ms-error-code"))}
}

// withoutURI takes the error out of the one that names the URI.
func withoutURI(err error) error {
	var named *url.Error
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}

// cleanCode keeps a code that looks like one.
func cleanCode(code string) string {
	if len(code) > 64 || strings.ContainsFunc(code, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) {
		return ""
	}
	return code
}
