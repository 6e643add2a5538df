package practice

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"edgewright/provisioning/practice/mqtt"
	"edgewright/provisioning/wire"
)

// userName is the user name of a CONNECT:
//
//	{hub host}/{device}[/{module}]/?api-version=…&DeviceClientType=…&model-id=…
//	{ID scope}/registrations/{registration}/api-version=…&ClientVersion=…
//
// The question mark may be missing in both.
type userName struct {
	dps           bool
	host          string // hub: as written, with port
	scope         string // DPS
	first, second string // device and module, or the registration
	query         map[string]string
}

func parseUserName(text string) (u userName, ok bool) {
	segments := strings.Split(text, "/")
	if len(segments) < 3 || len(segments) > 4 {
		return u, false
	}
	if u.query, ok = parseParameters(strings.TrimPrefix(segments[len(segments)-1], "?")); !ok || u.query["api-version"] == "" {
		return u, false
	}
	u.first = segments[1]
	if strings.EqualFold(segments[1], "registrations") && len(segments) == 4 && !strings.Contains(segments[0], ".") {
		u.dps, u.scope, u.first = true, segments[0], segments[2]
		return u, u.first != ""
	}
	u.host = segments[0]
	if len(segments) == 4 {
		u.second = segments[2]
	}
	return u, u.host != "" && u.first != "" && (len(segments) == 3 || u.second != "")
}

// parseParameters reads name=value pairs. It is not url.ParseQuery, which takes
// no semicolon: a model ID has one, and azure-iot-device sends it as it is.
func parseParameters(text string) (map[string]string, bool) {
	found := map[string]string{}
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.PathUnescape(name)
		if err != nil {
			return nil, false
		}
		if found[name], err = url.PathUnescape(value); err != nil {
			return nil, false
		}
	}
	return found, true
}

// clientID is the one that goes with the user name.
func (u userName) clientID() string {
	if u.second != "" {
		return u.first + "/" + u.second
	}
	return u.first
}

// connect decides about a CONNECT and makes the session's peer. A device that
// proves itself by certificate sends no password.
func (s *session) connect(ctx context.Context, p mqtt.Packet) (code mqtt.Code, present bool) {
	begin, tracking := time.Now(), newTrackingID()
	code, host, path := s.admitted(ctx, p, &present, tracking)
	status := http.StatusOK
	if code != mqtt.Accepted {
		s.c.refused(s.over, *cmp.Or(p.Username, new(string)), code)
		status = http.StatusUnauthorized
		if code == mqtt.Unavailable {
			status = http.StatusServiceUnavailable
		}
	}
	s.c.logged(Request{Time: s.c.now(), Method: mqtt.Connect.String(), Host: host, Path: path, Status: status, CorrelationID: tracking, Duration: time.Since(begin)})
	return code, present
}

func (s *session) admitted(ctx context.Context, p mqtt.Packet, present *bool, tracking string) (code mqtt.Code, host, path string) {
	if p.Level != 4 {
		return mqtt.BadProtocol, "", ""
	}
	if p.Username == nil {
		return mqtt.NotAuthorized, "", ""
	}
	u, ok := parseUserName(*p.Username)
	if !ok {
		return mqtt.NotAuthorized, "", ""
	}
	path = wire.CleanID(u.clientID())
	if p.ClientID != u.clientID() && !(u.dps && strings.EqualFold(p.ClientID, u.first)) {
		return mqtt.IdentifierRefused, u.host, path
	}
	if p.KeepAlive > 0 {
		s.keepAlive = time.Duration(p.KeepAlive) * time.Second * 3 / 2
	}
	now := s.c.now()
	shown := newCredential(string(p.Password), s.chain, now)
	if shown.signed {
		s.expires = time.Now().Add(shown.token.Expiry.Sub(now))
	}
	if u.dps {
		code = s.connectDPS(ctx, u, shown)
		return code, globalName, path
	}
	code = s.connectHub(ctx, u, shown, p.Clean, present, tracking)
	return code, u.host, path
}
