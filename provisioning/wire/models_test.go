package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/secret"
)

// sameJSON compares two JSON texts without regard to the order of members.
func sameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

const deviceJSON = `{"deviceId":"d1","generationId":"638","etag":"ODAxMjMyNDI2","connectionState":"Disconnected",
"status":"enabled","connectionStateUpdatedTime":"0001-01-01T00:00:00Z","statusUpdatedTime":"0001-01-01T00:00:00Z",
"lastActivityTime":"2026-11-24T11:58:10.1234567Z","cloudToDeviceMessageCount":0,
"authentication":{"symmetricKey":{"primaryKey":"QUFBQUFBQUFBQUFBQUFBQQ==","secondaryKey":"QkJCQkJCQkJCQkJCQkJCQg=="},"type":"sas","policy":{"x":[1,2]}},
"capabilities":{"iotEdge":true,"flying":true},"deviceScope":"ms-azure-iot-edge://d1-638","parentScopes":["ms-azure-iot-edge://p-1"],
"attributes":{"line":"7"},"big":12345678901234567890123}`

func TestReadModifyWriteKeepsUnknownMembers(t *testing.T) {
	cases := []struct {
		name, text string
		value      any
	}{
		{"device", deviceJSON, &Device{}},
		{"module", `{"moduleId":"m","deviceId":"d","cloudToDeviceMessageCount":0,"attributes":{"a":1},"authentication":{"type":"none","new":true}}`, &Module{}},
		{"enrollment", `{"registrationId":"r","attestation":{"type":"tpm","tpm":{"endorsementKey":"AA=="},"more":null},
			"credentialPolicyName":"p","capabilities":{"iotEdge":true},"initialTwin":{"tags":{"line":7},"properties":{"desired":{"a":{"b":1}}}},
			"reprovisionPolicy":{"updateHubAssignment":true,"migrateDeviceData":false},"iotHubs":["h"],"optionalDeviceInformation":{"x":1}}`, &IndividualEnrollment{}},
		{"group", `{"enrollmentGroupId":"g","attestation":{"type":"x509","x509":{"caReferences":{"primary":"root"}}},"credentialPolicyName":"p"}`, &EnrollmentGroup{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := json.Unmarshal([]byte(c.text), c.value); err != nil {
				t.Fatal(err)
			}
			written, err := json.Marshal(c.value)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, written, []byte(c.text))
		})
	}
	var d Device
	if err := json.Unmarshal([]byte(deviceJSON), &d); err != nil {
		t.Fatal(err)
	}
	if written, _ := json.Marshal(d); !bytes.Contains(written, []byte(`12345678901234567890123`)) {
		t.Error("a large number lost its digits")
	}
	if d.Rest.String() != "[attributes big]" || fmt.Sprintf("%+v %#v", d.Rest, d.Rest) != "[attributes big] [attributes big]" {
		t.Errorf("members print as %v", d.Rest)
	}
}

func TestMembersNeverRepeatAField(t *testing.T) {
	written, err := json.Marshal(Device{DeviceID: "d", Rest: Members{"DEVICEID": json.RawMessage(`"e"`), "extra": nil}})
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, written, []byte(`{"deviceId":"d","cloudToDeviceMessageCount":0,"extra":null}`))
	written, err = json.Marshal(Authentication{Rest: Members{"only": json.RawMessage(`1`)}})
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, written, []byte(`{"only":1}`))
}

func TestTwinThumbprintsInEitherSpelling(t *testing.T) {
	for _, text := range []string{
		`{"deviceId":"d","x509Thumbprint":{"PrimaryThumbprint":"AB","SecondaryThumbprint":"CD"}}`,
		`{"deviceId":"d","x509Thumbprint":{"primaryThumbprint":"AB","secondaryThumbprint":"CD"}}`,
	} {
		var twin Twin
		if err := json.Unmarshal([]byte(text), &twin); err != nil {
			t.Fatal(err)
		}
		if twin.X509Thumbprint.PrimaryThumbprint != "AB" || twin.X509Thumbprint.SecondaryThumbprint != "CD" {
			t.Errorf("%s: read as %+v", text, twin.X509Thumbprint)
		}
	}
}

func TestTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		`"0001-01-01T00:00:00"`:               {},
		`"0001-01-01T00:00:00Z"`:              {},
		`""`:                                  {},
		`null`:                                {},
		`"2026-11-24T11:58:10.1234567Z"`:      time.Date(2026, 11, 24, 11, 58, 10, 123456700, time.UTC),
		`"2026-11-24T11:58:10.1234567"`:       time.Date(2026, 11, 24, 11, 58, 10, 123456700, time.UTC),
		`"2026-11-24T12:58:10+01:00"`:         time.Date(2026, 11, 24, 11, 58, 10, 0, time.UTC),
		`"2026-11-24T11:58:10.1234567+00:00"`: time.Date(2026, 11, 24, 11, 58, 10, 123456700, time.UTC),
	} {
		var got Time
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want) || got.IsZero() != want.IsZero() {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	var got Time
	if json.Unmarshal([]byte(`"soon"`), &got) == nil || json.Unmarshal([]byte(`5`), &got) == nil {
		t.Error("no time is accepted")
	}
	if text, _ := json.Marshal(At(time.Time{})); string(text) != `"0001-01-01T00:00:00Z"` {
		t.Errorf("never is written as %s", text)
	}
	var absent *Time
	if !absent.Moment().IsZero() {
		t.Error("an absent time is not zero")
	}
}

func TestKeysTravelButDoNotPrint(t *testing.T) {
	key := NewKey(secret.FromString("sixteen byte key"))
	const inBase64 = "c2l4dGVlbiBieXRlIGtleQ=="
	auth := &Authentication{Type: AuthSAS, SymmetricKey: &SymmetricKey{PrimaryKey: key, SecondaryKey: key}}
	attestation := &AttestationMechanism{Type: AttestationSymmetricKey, SymmetricKey: auth.SymmetricKey}
	values := []any{key, &key, *auth.SymmetricKey, *auth, auth, *attestation,
		Device{DeviceID: "d", Authentication: auth}, Module{DeviceID: "d", Authentication: auth},
		IndividualEnrollment{RegistrationID: "r", Attestation: attestation}, EnrollmentGroup{EnrollmentGroupID: "g", Attestation: attestation}}
	for _, value := range values {
		written, err := json.Marshal(value)
		if err != nil || !strings.Contains(string(written), inBase64) {
			t.Errorf("%T is written as %s, %v", value, written, err)
		}
		var shown bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&shown, verb+"\n", value)
		}
		slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "value", value)
		for _, leak := range []string{inBase64, "sixteen", "7369787465656e", "115 105 120"} {
			if strings.Contains(shown.String(), leak) {
				t.Errorf("%T shows its key: %s", value, shown.String())
			}
		}
	}
	var read Key
	if err := json.Unmarshal([]byte(`"`+inBase64+`"`), &read); err != nil || !read.Equal(key) {
		t.Errorf("key is not read back: %v", err)
	}
	for _, text := range []string{`"se cret!"`, `7`} {
		if err := json.Unmarshal([]byte(text), &read); err == nil || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if empty, _ := json.Marshal(SymmetricKey{}); string(empty) != `{"primaryKey":"","secondaryKey":""}` {
		t.Errorf("empty keys are written as %s", empty)
	}
}
