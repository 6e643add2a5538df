package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseHubError(t *testing.T) {
	cases := []struct {
		name, header, body string
		want               HubError
	}{
		{"usual", "DeviceNotFound", `{"Message":"ErrorCode:DeviceNotFound;E2001: no such device","ExceptionMessage":"Tracking ID:c5a0-TimeStamp:11/24/2026 11:58:10"}`,
			HubError{404001, "DeviceNotFound", "E2001: no such device", "c5a0"}},
		{"prefix only", "", `{"Message":"ErrorCode:ArgumentInvalid;BadRequest","ExceptionMessage":"Tracking ID:aa-bb-G:0-TimeStamp:x"}`,
			HubError{400004, "ArgumentInvalid", "BadRequest", "aa-bb"}},
		{"numbered", "", `{"errorCode":404103,"message":"Timed out","trackingId":"T-1","timestampUtc":"x"}`,
			HubError{404103, "DeviceNotOnline", "Timed out", "T-1"}},
		{"numbered inside", "DeviceNotOnline", `{"Message":"{\"errorCode\":404103,\"message\":\"Timed out\",\"trackingId\":\"T-2\"}","ExceptionMessage":""}`,
			HubError{404103, "DeviceNotOnline", "Timed out", "T-2"}},
		{"unknown name", "NewTrouble", `{"Message":"ErrorCode:NewTrouble;x"}`, HubError{0, "NewTrouble", "x", ""}},
		{"header only", "ThrottlingException", ``, HubError{429001, "ThrottlingException", "", ""}},
		{"a proxy's page", "", `<html>`, HubError{}},
		{"echoed token", "", `{"Message":"bad SharedAccessSignature sr=h&sig=abcdef&se=1 given"}`, HubError{0, "", "bad *** given", ""}},
	}
	for _, c := range cases {
		header := http.Header{}
		if c.header != "" {
			header.Set(HeaderHubErrorCode, c.header)
		}
		if got := ParseHubError(header, []byte(c.body)); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestParseDPSError(t *testing.T) {
	header := http.Header{}
	header.Set(HeaderDPSErrorCode, "409000")
	for body, want := range map[string]DPSError{
		`{"errorCode":401002,"trackingId":"t","message":"Invalid certificate","timestampUtc":"x"}`: {401002, "Invalid certificate", "t"},
		`{"code":404201,"errorMessage":"gone"}`:                                                    {404201, "gone", ""},
		`no json`:                                                                                  {409000, "", ""},
	} {
		if got := ParseDPSError(header, []byte(body)); got != want {
			t.Errorf("%s: got %+v, want %+v", body, got, want)
		}
	}
}

func TestHubErrorCodesAgree(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range HubErrorCodes {
		if row.Code != 0 && row.Code/1000 != row.Status {
			t.Errorf("%+v: number and status differ", row)
		}
		if seen[row.Name] || seen[fmt.Sprint(row.Code)] {
			t.Errorf("%+v is listed twice", row)
		}
		seen[row.Name] = true
		if row.Code != 0 {
			seen[fmt.Sprint(row.Code)] = true
		}
	}
}

func TestErrorSaysAllItsParts(t *testing.T) {
	err := error(&Error{Service: ServiceHub, Operation: "create device", Subject: "d1", Status: 409, Code: 409001,
		Name: "DeviceAlreadyExists", Message: "it is there", CorrelationID: "abc"})
	if want := "IoT Hub: create device d1: HTTP 409 DeviceAlreadyExists (409001): it is there [abc]"; err.Error() != want {
		t.Errorf("got %s", err)
	}
	err = fmt.Errorf("more: %w", err)
	if !IsConflict(err) || IsNotFound(err) || IsUnconfirmed(err) || !HasStatus(err, 409) {
		t.Error("kinds are wrong")
	}
	lost := &Error{Unconfirmed: true, Err: context.Canceled}
	if !IsUnconfirmed(lost) || !errors.Is(lost, context.Canceled) || IsConflict(lost) {
		t.Error("kinds of a lost answer are wrong")
	}
	if !IsConflict(&Error{Err: ErrExists}) {
		t.Error("what exists is no conflict")
	}
}

func TestCorrelationID(t *testing.T) {
	header := http.Header{}
	if CorrelationID(header) != "" {
		t.Error("an ID out of nothing")
	}
	header.Set(HeaderClientID, "client")
	header.Set(HeaderRequestID, "bad id with spaces")
	if got := CorrelationID(header); got != "client" {
		t.Errorf("got %q", got)
	}
	header.Set(HeaderRequestID, "0f8c-11")
	if got := CorrelationID(header); got != "0f8c-11" {
		t.Errorf("got %q", got)
	}
}

func FuzzParseErrors(f *testing.F) {
	f.Add("DeviceNotFound", []byte(`{"Message":"ErrorCode:DeviceNotFound;x","ExceptionMessage":"Tracking ID:c5-TimeStamp:1"}`))
	f.Add("", []byte(`{"Message":"{\"errorCode\":404103}"}`))
	f.Add("401002", []byte(`{"errorCode":"401002","message":"SharedAccessKey=c2VjcmV0"}`))
	f.Fuzz(func(t *testing.T, code string, body []byte) {
		header := http.Header{http.CanonicalHeaderKey(HeaderHubErrorCode): {code}, http.CanonicalHeaderKey(HeaderDPSErrorCode): {code}}
		hub, dps := ParseHubError(header, body), ParseDPSError(header, body)
		for _, text := range []string{hub.Message, hub.Name, hub.TrackingID, dps.Message, dps.TrackingID} {
			if !utf8.ValidString(text) || len(text) > maxMessageLength+3 || strings.ContainsAny(text, "\r\n\x00") {
				t.Errorf("not fit for a log: %q", text)
			}
		}
	})
}
