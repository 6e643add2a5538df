package practice

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzImportLines imports lines of devices and of configurations. No line makes
// the cloud fail, and what came of them shows as JSON.
func FuzzImportLines(f *testing.F) {
	for _, seed := range []string{
		`{"id":"new","importMode":"create","tags":{"a":1},"properties":{"desired":{"b":[1,{"c":null}]},"reported":{"d":1}},"capabilities":{"iotEdge":true}}`,
		`{"id":"d","importMode":"updateIfMatchETag","eTag":"x","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"` + thumb + `"}}}`,
		`{"id":"d","moduleId":"m","importMode":"updateTwin","properties":{"desired":{"$version":3}}}`,
		`{"id":"d","moduleId":"$edgeAgent"}` + "\n" + `{"id":"d","importMode":"delete"}`,
		`{"id":"c","content":{"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{"m":{},"$x":{},"a b":1}}},"m":{"properties.desired.a.b":[1]}}},"targetCondition":"*","metrics":{"queries":{"q":"SELECT COUNT() FROM devices"}}}`,
		`{"id":"c","importMode":"deleteIfMatchETag","etag":"MQ=="}` + "\n" + `{"id":"c","content":{"deviceContent":{"properties.desired":{"a":null}}},"targetCondition":"deviceId = 'd'","priority":7}`,
		`null`, `[]`, `{"id":null}`, `{"content":{"moduleContent":null}}`,
	} {
		f.Add([]byte(seed))
	}
	opened := open(f, Options{})
	f.Fuzz(func(t *testing.T, data []byte) {
		b := &bench{TB: t, Cloud: opened.Cloud, clock: opened.clock}
		r := &jobRun{}
		b.act(func(x *transaction) {
			r.importLine(x, 0, []byte(`{"id":"d","capabilities":{"iotEdge":true}}`))
			for i, line := range bytes.Split(data, []byte("\n")) {
				for _, refused := range append(r.importLine(x, i, line), r.importConfiguration(x, i, line)...) {
					if refused.ErrorCode == "" || refused.ErrorStatus == "" || refused.Line != i {
						t.Errorf("refusal %+v", refused)
					}
				}
			}
		})
		b.walked()
		b.act(func(x *transaction) {
			var lines bytes.Buffer
			for _, d := range x.hub.ordered {
				r.exportDevice(&lines, d)
			}
			for _, c := range x.hub.ranked {
				writeLine(&lines, x.hub.shownConfiguration(c))
			}
			for line := range bytes.Lines(lines.Bytes()) {
				if !json.Valid(line) {
					t.Errorf("not JSON: %s", line)
				}
			}
			for len(x.hub.ranked) > 0 {
				x.removeConfiguration(x.hub.ranked[0])
			}
			for len(x.hub.ordered) > 0 {
				x.removeDevice(x.hub.ordered[0])
			}
			if len(x.hub.stacks) > 0 {
				t.Errorf("%d stacks are left", len(x.hub.stacks))
			}
		})
	})
}
