package est

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	typeRequest = "application/pkcs10"     // RFC 7030, 4.2.1
	typeAnswer  = "application/pkcs7-mime" // RFC 7030, 4.1.3
	// maxBody is the most that is read of an answer, in bytes; chains are a few
	// kilobytes.
	maxBody = 256 << 10
	// shortestPause keeps a server that says "at once" from being hammered,
	// longestPause one that names next year from being believed.
	shortestPause = time.Second
	longestPause  = 10 * time.Minute
)

// call makes one request and gives the body of a 200. request is DER of a
// PKCS #10, nil for a GET. A 202 is repeated after the time it names.
func (c *Client) call(ctx context.Context, operation string, request []byte) ([]byte, error) {
	var waited time.Duration
	for {
		answer, err := c.send(ctx, operation, request)
		if err != nil {
			return nil, err
		}
		if answer.status != http.StatusAccepted || request == nil {
			return answer.body, c.judge(operation, answer)
		}
		pause := retryAfter(answer.header, c.now())
		if waited += pause; waited > c.params.Patience {
			return nil, c.failed(operation, answer, ErrPending, "it wants a person to decide and has not answered in "+c.params.Patience.String())
		}
		if c.params.Wait != nil {
			c.params.Wait(pause)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (c *Client) send(ctx context.Context, operation string, request []byte) (answer, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if request != nil {
		// RFC 8951, 3.1: base64 of the DER, in one line or in many.
		method, body = http.MethodPost, strings.NewReader(base64.StdEncoding.EncodeToString(request))
	}
	call, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(operation).String(), body)
	if err != nil {
		return answer{}, &Error{Operation: operation, Host: c.base.Host, Kind: ErrURL, Problem: "the address cannot be called"}
	}
	if request != nil {
		call.Header.Set("Content-Type", typeRequest)
		call.Header.Set("Content-Transfer-Encoding", "base64") // servers from before RFC 8951 ask for it
		if c.params.Username != "" {
			call.SetBasicAuth(c.params.Username, c.params.Password.RevealString())
		}
	}
	response, err := c.http.Do(call)
	if err != nil {
		return answer{}, c.unanswered(ctx, operation, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return answer{}, c.unanswered(ctx, operation, err)
	}
	got := answer{response.StatusCode, response.Header, text}
	if len(text) > maxBody {
		return answer{}, c.failed(operation, got, ErrAnswer, fmt.Sprintf("the answer is longer than %d bytes", maxBody))
	}
	return got, nil
}

func (c *Client) failed(operation string, a answer, kind error, problem string) *Error {
	return &Error{Operation: operation, Host: c.base.Host, Status: a.status, Kind: kind, Problem: problem}
}

// judge makes an error of any answer but a 200 with certificates.
func (c *Client) judge(operation string, a answer) error {
	switch {
	case a.status == http.StatusUnauthorized:
		problem := "it asks for a name and password"
		if c.params.Username != "" {
			problem = "it does not take the name and password"
		}
		return c.failed(operation, a, ErrUnauthorized, problem)
	case a.status == http.StatusForbidden:
		return c.failed(operation, a, ErrUnauthorized, "it does not let this client enrol"+a.reason())
	case a.status >= 300 && a.status < 400:
		return c.failed(operation, a, ErrRefused, "it names another address, which is not followed; give that one if it is right")
	case a.status == http.StatusNotFound, a.status == http.StatusNoContent:
		return c.failed(operation, a, ErrRefused, fmt.Sprintf("it does not offer this operation under that address (status %d)", a.status))
	case a.status >= 500:
		return c.failed(operation, a, ErrUnreachable, fmt.Sprintf("it has trouble of its own (status %d)%s", a.status, a.reason()))
	case a.status != http.StatusOK:
		return c.failed(operation, a, ErrRefused, fmt.Sprintf("it refuses (status %d)%s", a.status, a.reason()))
	}
	kind, parameters, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || kind != typeAnswer {
		return c.failed(operation, a, ErrAnswer, "it answers with the type "+printable(a.header.Get("Content-Type"))+", not "+typeAnswer)
	}
	if smime, named := parameters["smime-type"]; named && !strings.EqualFold(smime, "certs-only") {
		return c.failed(operation, a, ErrAnswer, "it answers with "+printable(smime)+", not certs-only")
	}
	return nil
}

// reason is the text that a server may give with an error (RFC 7030, 4.2.3), one
// short line of it, "" for none.
func (a answer) reason() string {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	line, _, _ := bytes.Cut(bytes.TrimSpace(a.body), []byte("\n"))
	if err != nil || kind != "text/plain" || len(line) == 0 {
		return ""
	}
	return ": " + printable(string(line))
}

// printable keeps what a server wrote fit for a message.
func printable(text string) string {
	const most = 120
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "?") {
		if b.Len() >= most {
			return b.String() + "…"
		}
		if r < ' ' || r == 0x7f {
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " .")
}

// retryAfter is how long a 202 asks to wait: seconds or a date (RFC 9110,
// 10.2.3), within bounds.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	pause := shortestPause
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		pause = time.Duration(seconds) * time.Second
	} else if errors.Is(err, strconv.ErrRange) {
		pause = longestPause
	} else if at, err := http.ParseTime(text); err == nil {
		pause = at.Sub(now)
	}
	return min(max(pause, shortestPause), longestPause)
}

func (c *Client) now() time.Time {
	if c.params.Now != nil {
		return c.params.Now()
	}
	return time.Now()
}
