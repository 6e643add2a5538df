package rest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// attempts is the record of one call's attempts, kept in its context.
type attempts struct {
	count int
	// body is what each attempt sends, through a reader of its own: the transport
	// may still read for an attempt that was answered early.
	body []byte
	// unconfirmed says that an attempt may have reached the service without an
	// answer that tells what became of it.
	unconfirmed bool
	// imposed is the sum of waits that the service asked for, ended the last
	// attempt that asked.
	imposed time.Duration
	asked   time.Time
}

type attemptsKey struct{}

// attemptPolicy keeps the record and gives a 429 without Retry-After a wait of
// its own, which azcore's retry policy then follows as if the service had
// asked for it.
type attemptPolicy struct{ retry Retry }

// ownDelay carries that wait, in milliseconds; azcore reads it before
// Retry-After.
const ownDelay = "Retry-After-Ms"

func (p attemptPolicy) Do(req *policy.Request) (*http.Response, error) {
	record, _ := req.Raw().Context().Value(attemptsKey{}).(*attempts)
	if record == nil {
		record = &attempts{}
	}
	record.count++
	if !record.asked.IsZero() {
		record.imposed += time.Since(record.asked)
		record.asked = time.Time{}
	}
	if record.body != nil {
		req.Raw().Body = io.NopCloser(bytes.NewReader(record.body))
	}
	resp, err := req.Next()
	if err != nil {
		record.unconfirmed = record.unconfirmed || !neverSent(err)
		return resp, err
	}
	if vague(resp.StatusCode) {
		record.unconfirmed = true
	}
	if asksToWait(resp.Header) {
		record.asked = time.Now()
	} else if resp.StatusCode == http.StatusTooManyRequests {
		delay := p.retry.ThrottleDelay << min(record.count-1, 10)
		delay += time.Duration(rand.Float64() / 2 * float64(delay))
		delay = max(time.Millisecond, min(delay, p.retry.MaxDelay))
		resp.Header.Set(ownDelay, strconv.FormatInt(delay.Milliseconds(), 10))
	}
	return resp, nil
}

// asksToWait tells whether an answer has one of the headers that azcore follows.
func asksToWait(header http.Header) bool {
	return retryAfter(header, time.Now()) > 0 || header.Get(ownDelay) != "" || header.Get("X-Ms-Retry-After-Ms") != ""
}

// options makes azcore's retry options of a call. A write that must happen once
// is repeated only when it surely did not happen; where any answer will do, only a
// broken connection is.
func (r Retry) options(once, anyAnswer bool) policy.RetryOptions {
	return policy.RetryOptions{
		MaxRetries:    int32(r.Max),
		TryTimeout:    r.TryTimeout,
		RetryDelay:    r.Delay,
		MaxRetryDelay: r.MaxDelay,
		ShouldRetry: func(resp *http.Response, err error) bool {
			if err != nil {
				return mayPass(err) && (!once || neverSent(err))
			}
			if anyAnswer {
				return false
			}
			return resp.StatusCode == http.StatusTooManyRequests || !once && vague(resp.StatusCode)
		},
	}
}

// vague tells whether an answer leaves open what became of the call and may be
// different the next time.
func vague(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// neverSent tells whether err happened before a request left this computer.
func neverSent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns) || untrusted(err)
}

// mayPass tells whether a later attempt may do better.
func mayPass(err error) bool {
	var dns *net.DNSError
	return !untrusted(err) && !(errors.As(err, &dns) && dns.IsNotFound)
}

func untrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &name)
}

// retryAfter reads the standard header, in seconds or as a date.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
