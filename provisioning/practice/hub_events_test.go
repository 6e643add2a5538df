package practice

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

func TestEventsOverHTTPS(t *testing.T) {
	b := open(t, Options{})
	d := b.makeDevice("d", true)
	half := base64.StdEncoding.EncodeToString(make([]byte, maxMessage/2))
	for name, c := range map[string]struct {
		body   string
		header []string
		status int
		code   string
	}{
		"empty":                {"", nil, 204, ""},
		"anything":             {"\x00 \xff", []string{"Content-Type", "nonsense;;"}, 204, ""},
		"properties":           {"x", []string{"iothub-app-a", "b", "IoTHub-MessageId", "1", "iothub-to", "/devices/d/messages/events"}, 204, ""},
		"nameless property":    {"x", []string{"iothub-app-", "b"}, 400, "ArgumentInvalid"},
		"largest":              {strings.Repeat("x", maxMessage), nil, 204, ""},
		"too large":            {strings.Repeat("x", maxMessage+1), nil, 413, "MessageTooLarge"},
		"too large with names": {strings.Repeat("x", maxMessage-1), []string{"iothub-app-a", "b"}, 413, "MessageTooLarge"},
		"batch of Node":        {`[{"body":"aGVsbG8=","properties":{"iothub-app-a":"b"}},{"body":""}]`, asBatch, 204, ""},
		"batch of C":           {`[{"body":"no base64!","base64Encoded":false},{"body":"aGVsbG8=","base64Encoded":true}]`, []string{"Content-Type", batchType + "; charset=utf-8"}, 204, ""},
		"batch, largest":       {`[{"body":"` + half + `"},{"body":"` + half + `"}]`, asBatch, 204, ""},
		"batch, too large":     {`[{"body":"` + half + `"},{"body":"` + half + `","properties":{"iothub-app-a":""}}]`, asBatch, 413, "MessageTooLarge"},
		"batch of nothing":     {`[]`, asBatch, 400, "DeserializationError"},
		"no batch":             {`{"body":"aGVsbG8="}`, asBatch, 400, "DeserializationError"},
		"no JSON":              {`[{"body":"aGVsbG8="`, asBatch, 400, "DeserializationError"},
		"no body":              {`[{"properties":{}}]`, asBatch, 400, "ArgumentInvalid"},
		"no base64":            {`[{"body":"???"}]`, asBatch, 400, "ArgumentInvalid"},
	} {
		for _, path := range []string{"/devices/d/messages/events", "/devices/d/modules/m/messages/events"} {
			auth := b.deviceToken(d)
			if strings.Contains(path, "modules") {
				auth = b.owner()
				b.hubDo("PUT", "/devices/d/modules/m", `{"moduleId":"m","deviceId":"d"}`) // or it is there
			}
			r := b.do(call{method: "POST", path: path, body: c.body, auth: auth, header: pairs(c.header)})
			if code := r.header.Get("iothub-errorcode"); r.status != c.status || code != c.code {
				t.Errorf("%s to %s: %d %s, want %d %s: %s", name, path, r.status, code, c.status, c.code, r.body)
			}
		}
	}
}

var asBatch = []string{"Content-Type", batchType}

func TestFilesNeedStorage(t *testing.T) {
	b := open(t, Options{})
	d := b.makeDevice("d", false)
	for _, path := range []string{"/devices/d/files", "/devices/d/files/notifications"} {
		b.want(b.do(call{method: "POST", path: path, body: `{"blobName":"log"}`, auth: b.deviceToken(d)}), 400, "DefaultStorageEndpointNotConfigured")
		b.want(b.do(call{method: "POST", path: path, body: `{"blobName":"log"}`}), 401, "IotHubUnauthorizedAccess")
	}
}

// FuzzEventBatch holds the size of a batch against that of its text, and what
// is refused has size 0.
func FuzzEventBatch(f *testing.F) {
	for _, seed := range []string{`[{"body":"aGVsbG8=","properties":{"iothub-app-a":"b"}}]`, `[{"body":"x","base64Encoded":false}]`, `[null]`, `[]`, `{}`, `[{"body":"\ud800"}]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		size, refused := batchSize(raw)
		switch {
		case refused != nil && size != 0:
			t.Errorf("%q is refused with size %d", raw, size)
		case refused == nil && (!json.Valid(raw) || size > 3*len(raw)): // a lone surrogate becomes three bytes
			t.Errorf("%q has size %d", raw, size)
		}
	})
}
