package practice

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/practice/tpmchallenge/swtpmtest"
	"edgewright/provisioning/wire"
)

// tpmToken is a token that a TPM signs.
func (b *bench) tpmToken(resource, policy string, sign func([]byte) ([]byte, error)) string {
	b.Helper()
	sr, se := url.QueryEscape(resource), fmt.Sprint(b.clock.Now().Add(time.Hour).Unix())
	signature, err := sign([]byte(sr + "\n" + se))
	if err != nil {
		b.Fatal(err)
	}
	text := "SharedAccessSignature sr=" + sr + "&sig=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)) + "&se=" + se
	if policy != "" {
		text += "&skn=" + policy
	}
	return text
}

func keysBody(id, ek, srk string) string {
	return `{"registrationId":"` + id + `","tpm":{"endorsementKey":"` + ek + `","storageRootKey":"` + srk + `"}}`
}

// tpmCall is a call of the device plane.
func (b *bench) tpmCall(method, id, rest, body, auth string) reply {
	b.Helper()
	return b.do(call{method: method, path: "/" + idScope + "/registrations/" + id + rest, body: body, host: b.Info().GlobalHost, auth: auth})
}

func enrolledTPM(id, ek, srk, more string) string {
	return `{"registrationId":"` + id + `","attestation":{"type":"tpm","tpm":{"endorsementKey":"` + ek + `","storageRootKey":"` + srk + `"}}` + more + `}`
}

func TestTPMAttestation(t *testing.T) {
	b := open(t, Options{})
	chip, other := swtpmtest.Start(t), swtpmtest.Start(t)
	text := func(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }
	ek, srk := text(chip.EndorsementKey()), text(chip.StorageRootKey())
	otherEK, otherSRK := text(other.EndorsementKey()), text(other.StorageRootKey())
	b.want(b.dpsDo("PUT", "/enrollments/tpm-1", enrolledTPM("tpm-1", ek, "", `,"capabilities":{"iotEdge":true}`)), 200, "")

	nonce := func(auth func([]byte) ([]byte, error)) string {
		return b.tpmToken(idScope+"/registrations/tpm-1", "registration", auth)
	}
	challenge := func() func([]byte) ([]byte, error) {
		t.Helper()
		r := b.tpmCall("PUT", "tpm-1", "/register", keysBody("tpm-1", ek, srk), "")
		asked := into[wire.TPMChallenge](t, r)
		blob, err := base64.StdEncoding.DecodeString(asked.AuthenticationKey)
		if r.status != 401 || err != nil || len(blob) != 766 || asked.KeyName == "" {
			t.Fatalf("challenge %d %s", r.status, r.body)
		}
		sign, err := chip.Activate(blob)
		if err != nil {
			t.Fatal(err)
		}
		return sign
	}
	sign := challenge()
	r := b.want(b.tpmCall("PUT", "TPM-1", "/register", keysBody("tpm-1", ek, srk), nonce(sign)), 202, "")
	operation := into[wire.RegistrationOperationStatus](t, r).OperationID
	b.want(b.tpmCall("GET", "tpm-1", "/operations/"+operation, "{}", nonce(sign)), 202, "")
	done := into[wire.RegistrationOperationStatus](t, b.want(b.tpmCall("GET", "tpm-1", "/operations/"+operation, "{}", nonce(sign)), 200, ""))
	state := done.RegistrationState
	if done.Status != "assigned" || state.TPM == nil || state.SymmetricKey != nil {
		t.Fatalf("done %+v", done)
	}
	b.want(b.tpmCall("POST", "tpm-1", "", keysBody("tpm-1", ek, srk), nonce(sign)), 200, "")
	if record := b.want(b.dpsDo("GET", "/registrations/tpm-1", ""), 200, ""); strings.Contains(record.body, "authenticationKey") {
		t.Errorf("record %s", record.body)
	}
	blob, _ := base64.StdEncoding.DecodeString(state.TPM.AuthenticationKey)
	atHub, err := chip.Activate(blob)
	if err != nil {
		t.Fatal(err)
	}
	events := call{method: "POST", path: "/devices/tpm-1/messages/events", body: "{}", auth: b.tpmToken(b.Info().HubHost+"/devices/tpm-1", "", atHub)}
	b.want(b.do(events), 204, "")
	if _, err := other.Activate(blob); err == nil {
		t.Error("another TPM takes the hub key")
	}
	if d := into[wire.Device](t, b.hubDo("GET", "/devices/tpm-1", "")); d.Authentication.Type != wire.AuthSAS || !d.IsEdge() {
		t.Errorf("identity %+v", d)
	}

	// The nonce is not the hub's key, and the daemon may leave tpm out of the second call.
	sign = challenge()
	b.want(b.do(call{method: "POST", path: events.path, body: "{}", auth: b.tpmToken(b.Info().HubHost+"/devices/tpm-1", "", sign)}), 401, "IotHubUnauthorizedAccess")
	b.want(b.tpmCall("PUT", "tpm-1", "/register", `{"registrationId":"tpm-1"}`, nonce(sign)), 202, "")
	b.want(b.tpmCall("PUT", "tpm-1", "/register", keysBody("tpm-1", ek, otherSRK), nonce(sign)), 401, "401000")

	// Not over MQTT, where nobody can be challenged.
	shown := newCredential(nonce(sign), nil, b.clock.Now())
	overMQTT := &transaction{c: b.Cloud, now: b.clock.Now()}
	if _, _, refused := overMQTT.registrant(applicant{scope: idScope, id: "tpm-1", shown: shown}); refused == nil {
		t.Error("a TPM registers over MQTT")
	}

	b.clock.advance(challengeLife)
	b.want(b.tpmCall("PUT", "tpm-1", "/register", keysBody("tpm-1", ek, srk), nonce(sign)), 401, "401000") // expired
	b.want(b.tpmCall("PUT", "tpm-1", "/register", keysBody("tpm-1", otherEK, srk), ""), 401, "401000")     // not enrolled
	b.want(b.tpmCall("PUT", "none", "/register", keysBody("none", ek, srk), ""), 401, "401000")
	b.want(b.tpmCall("PUT", "tpm-1", "/register", `{"registrationId":"tpm-1"}`, ""), 401, "401000")
	b.want(b.tpmCall("PUT", "tpm-1", "/register", keysBody("tpm-1", ek, ""), ""), 400, "400004") // nothing to seal for

	// A challenge for keys that are enrolled no longer is worth nothing.
	sign = challenge()
	b.want(b.dpsDo("PUT", "/enrollments/tpm-1", enrolledTPM("tpm-1", ek, otherSRK, ""), "If-Match", "*"), 200, "")
	b.want(b.tpmCall("PUT", "tpm-1", "/register", "{}", nonce(sign)), 401, "401000")
	b.want(b.tpmCall("PUT", "tpm-1", "/register", keysBody("tpm-1", ek, srk), ""), 401, "401000")
	b.want(b.dpsDo("PUT", "/enrollments/tpm-1", enrolledTPM("tpm-1", ek, srk, `,"provisioningStatus":"disabled"`), "If-Match", "*"), 200, "")
	b.want(b.tpmCall("PUT", "tpm-1", "/register", keysBody("tpm-1", ek, srk), ""), 401, "401000")
	b.want(b.tpmCall("PUT", "tpm-1", "/register", "{}", nonce(sign)), 401, "401000")

	// A restart forgets the nonce, never the enrollment.
	b.want(b.dpsDo("PUT", "/enrollments/tpm-1", enrolledTPM("tpm-1", ek, srk, ""), "If-Match", "*"), 200, "")
	sign = challenge()
	b = b.reopened()
	b.want(b.tpmCall("PUT", "tpm-1", "/register", "{}", nonce(sign)), 401, "401000")
	sign = challenge()
	b.want(b.tpmCall("PUT", "tpm-1", "/register", "{}", nonce(sign)), 202, "")

	read := into[wire.IndividualEnrollment](t, b.dpsDo("GET", "/enrollments/tpm-1", ""))
	if read.Attestation.TPM == nil || read.Attestation.TPM.EndorsementKey != ek {
		t.Errorf("read %+v", read.Attestation)
	}
	for name, body := range map[string]string{
		"no keys":    `{"registrationId":"q","attestation":{"type":"tpm"}}`,
		"not base64": enrolledTPM("q", "%", "", ""),
		"not a key":  enrolledTPM("q", "AAAA", "", ""),
		"bad SRK":    enrolledTPM("q", ek, "AAAA", ""),
	} {
		t.Log(name)
		b.want(b.dpsDo("PUT", "/enrollments/q", body), 400, "400004")
	}
	b.want(b.dpsDo("PUT", "/enrollmentGroups/g", `{"enrollmentGroupId":"g","attestation":{"type":"tpm","tpm":{"endorsementKey":"`+ek+`"}}}`), 400, "400004")
}
