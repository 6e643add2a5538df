package practice

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"testing"
	"time"

	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/openapitest"
)

// enrollments drives the operations on individual enrollments.
func (a *audit) enrollments() {
	a.Helper()
	whole := `{"registrationId":"r1","deviceId":"dev-1",` + symmetric + `,"capabilities":{"iotEdge":true},"iotHubHostName":"hub.practice.test",
"initialTwin":{"tags":{"line":7},"properties":{"desired":{"rate":{"value":5}}}},"provisioningStatus":"enabled",
"reprovisionPolicy":{"updateHubAssignment":true,"migrateDeviceData":false},"allocationPolicy":"static","iotHubs":["hub.practice.test"]}`
	a.onDPS("PUT", "/enrollments/r1", whole, 200, "")
	a.onDPS("PUT", "/enrollments/r1", whole, 412, "", "If-Match", `"AAAA"`)
	a.onDPS("PUT", "/enrollments/r1", whole, 200, "", "If-Match", "*")
	a.onDPS("PUT", "/enrollments/none", `{"registrationId":"none",`+symmetric+`}`, 404, "404201", "If-Match", "*")
	a.onDPS("PUT", "/enrollments/bad", `{"registrationId":"other",`+symmetric+`}`, 400, "")
	a.onDPS("GET", "/enrollments/r1", "", 200, "")
	a.onDPS("GET", "/enrollments/none", "", 404, "404201")
	a.onDPS("POST", "/enrollments/r1/attestationmechanism", "", 200, "")
	a.onDPS("POST", "/enrollments/none/attestationmechanism", "", 404, "404201")
	for _, mode := range []string{"create", "update", "updateIfMatchETag", "delete"} {
		a.onDPS("POST", "/enrollments", `{"mode":"`+mode+`","enrollments":[{"registrationId":"bulk",`+symmetric+`,"etag":"x"},{"registrationId":"none",`+symmetric+`}]}`, 200, "")
	}
	a.onDPS("POST", "/enrollments", `{"mode":"create","enrollments":[]}`, 400, "")
	a.onDPS("POST", "/enrollments/query", `{"query":"*"}`, 200, "", wire.HeaderMaxItemCount, "1")
	a.onDPS("POST", "/enrollments/query", `{"query":"DROP TABLE"}`, 400, "")
	a.onDPS("DELETE", "/enrollments/none", "", 404, "404201")
	a.onDPS("PUT", "/enrollments/gone", `{"registrationId":"gone",`+symmetric+`}`, 200, "")
	a.onDPS("DELETE", "/enrollments/gone", "", 412, "", "If-Match", `"AAAA"`)
	a.onDPS("DELETE", "/enrollments/gone", "", 204, "", "If-Match", "*")
}

// groups drives those on enrollment groups.
func (a *audit) groups() {
	a.Helper()
	whole := `{"enrollmentGroupId":"g1",` + symmetric + `,"capabilities":{"iotEdge":false},"provisioningStatus":"enabled",
"reprovisionPolicy":{"updateHubAssignment":false,"migrateDeviceData":false},"allocationPolicy":"hashed","iotHubs":["hub.practice.test"]}`
	a.onDPS("PUT", "/enrollmentGroups/g1", whole, 200, "")
	a.onDPS("PUT", "/enrollmentGroups/g1", whole, 412, "", "If-Match", `"AAAA"`)
	a.onDPS("PUT", "/enrollmentGroups/g1", whole, 200, "", "If-Match", "*")
	a.onDPS("GET", "/enrollmentGroups/g1", "", 200, "")
	a.onDPS("GET", "/enrollmentGroups/none", "", 404, "404201")
	a.onDPS("POST", "/enrollmentGroups/g1/attestationmechanism", "", 200, "")
	a.onDPS("POST", "/enrollmentGroups/none/attestationmechanism", "", 404, "404201")
	for _, mode := range []string{"create", "update", "updateIfMatchETag", "delete"} {
		a.onDPS("POST", "/enrollmentGroups", `{"mode":"`+mode+`","enrollmentGroups":[{"enrollmentGroupId":"bulk",`+symmetric+`,"etag":"x"}]}`, 200, "")
	}
	a.onDPS("POST", "/enrollmentGroups/query", `{"query":"*"}`, 200, "")
	a.onDPS("PUT", "/enrollmentGroups/gone", `{"enrollmentGroupId":"gone",`+symmetric+`}`, 200, "")
	a.onDPS("DELETE", "/enrollmentGroups/gone", "", 204, "")
	a.onDPS("DELETE", "/enrollmentGroups/gone", "", 404, "404201")
}

// onDevicePlane calls DPS as the device r.
func (a *audit) onDevicePlane(method, id, rest, body string, key secret.Value, status int, code string) reply {
	a.Helper()
	path := "/" + idScope + "/registrations/" + id
	return a.try(tried{a.device, method, path + rest, body, a.Info().GlobalHost, a.token(path[1:], key, "registration"), nil}, status, code)
}

// registrations drives the device plane and the records that it leaves.
func (a *audit) registrations() {
	a.Helper()
	keys := into[wire.AttestationMechanism](a, a.onDPS("POST", "/enrollments/r1/attestationmechanism", "", 200, "")).SymmetricKey
	group := into[wire.AttestationMechanism](a, a.onDPS("POST", "/enrollmentGroups/g1/attestationmechanism", "", 200, "")).SymmetricKey
	for _, device := range []struct {
		id  string
		key secret.Value
	}{{"r1", keys.PrimaryKey.Secret()}, {"member-1", wire.DeriveDeviceKey(group.SecondaryKey.Secret(), "member-1")}} {
		id, key := device.id, device.key
		operation := into[wire.RegistrationOperationStatus](a, a.onDevicePlane("PUT", id, "/register", `{"registrationId":"`+id+`","payload":{"model":"x"}}`, key, 202, "")).OperationID
		a.onDevicePlane("GET", id, "/operations/"+operation, "", key, 202, "")
		a.onDevicePlane("GET", id, "/operations/"+operation, "", key, 200, "")
		a.onDevicePlane("GET", id, "/operations/none", "", key, 404, "")
		a.onDevicePlane("POST", id, "", `{"registrationId":"`+id+`"}`, key, 200, "")
		a.onDevicePlane("PUT", id, "/register", `{"registrationId":"other"}`, key, 400, "")
		a.onDevicePlane("PUT", id, "/register", `{"registrationId":"`+id+`"}`, a.settings().DPSKey.PrimaryKey.Secret(), 401, "401000")
		a.onDPS("GET", "/registrations/"+id, "", 200, "")
	}
	a.onDPS("GET", "/enrollments/r1", "", 200, "") // now with a registration
	a.onDPS("GET", "/registrations/none", "", 404, "")
	a.onDPS("POST", "/registrations/g1/query", "", 200, "", wire.HeaderMaxItemCount, "1")
	a.onDPS("POST", "/registrations/none/query", "", 404, "")
	a.onDPS("DELETE", "/registrations/member-1", "", 412, "", "If-Match", `"AAAA"`)
	a.onDPS("DELETE", "/registrations/member-1", "", 204, "")
	a.onDPS("DELETE", "/registrations/member-1", "", 404, "")
}

// TestOpenAPIOfAttestations holds what certificates, TPMs and webhooks bring
// into requests and answers against the files.
func TestOpenAPIOfAttestations(t *testing.T) {
	b := open(t, Options{Now: time.Now})
	b.clock.now = time.Now()
	serve(t, b.Cloud)
	root := issue(t, "root", nil, true, nil)
	leaf, own := issue(t, "dev-1", &root, false, nil), issue(t, "dev-2", nil, false, nil)
	a := &audit{bench: b, refused: map[string]bool{}, service: openapitest.Load(t, openapitest.DPSService).Check(t, client(t, b.Cloud))}
	a.service.Strict, a.service.Failure = true, dpsFailure
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.Info().CAPEM)
	byCertificate := func(chain *tls.Certificate) *openapitest.Checker {
		made := openapitest.Load(t, openapitest.DPSDevice).Check(t, daemontest.Network{Roots: roots, Chain: chain}.Client())
		made.Strict, made.Failure = true, dpsFailure
		return made
	}
	if _, err := b.UploadCA(t.Context(), "dps", "plant", root.pem(), true, ""); err != nil {
		t.Fatal(err)
	}
	soft, err := daemontest.NewSoftTPM()
	if err != nil {
		t.Fatal(err)
	}
	ek, srk, err := soft.PublicKeys()
	if err != nil {
		t.Fatal(err)
	}
	url := webhook(t, func(w http.ResponseWriter, _ map[string]any) {
		_, _ = io.WriteString(w, `{"iotHubHostName":"hub.practice.test","payload":{"a":1}}`)
	})
	a.onDPS("PUT", "/enrollments/dev-2", `{"registrationId":"dev-2",`+x509Body("clientCertificates", own, leaf)+`,"optionalDeviceInformation":{"room":{"floor":1}}}`, 200, "")
	a.onDPS("PUT", "/enrollments/dev-3", enrolledTPM("dev-3", ek, srk, ""), 200, "")
	a.onDPS("PUT", "/enrollments/dev-4", customBody(`registrationId":"dev-4`, url, ""), 200, "")
	a.onDPS("PUT", "/enrollments/dev-5", `{"registrationId":"dev-5","attestation":{"type":"none"}}`, 400, "")
	a.onDPS("PUT", "/enrollmentGroups/g1", `{"enrollmentGroupId":"g1",`+x509Body("signingCertificates", root)+`}`, 200, "")
	a.onDPS("PUT", "/enrollmentGroups/g2", `{"enrollmentGroupId":"g2","attestation":{"type":"x509","x509":{"caReferences":{"primary":"plant"}}}}`, 200, "")
	for _, id := range []string{"dev-2", "dev-3", "dev-4"} {
		a.onDPS("GET", "/enrollments/"+id, "", 200, "")
		a.onDPS("POST", "/enrollments/"+id+"/attestationmechanism", "", 200, "")
	}
	for _, id := range []string{"g1", "g2"} {
		a.onDPS("GET", "/enrollmentGroups/"+id, "", 200, "")
		a.onDPS("POST", "/enrollmentGroups/"+id+"/attestationmechanism", "", 200, "")
	}
	a.onDPS("POST", "/enrollments/query", `{"query":"SELECT * FROM enrollments"}`, 200, "")
	a.onDPS("POST", "/enrollmentGroups/query", `{"query":"*"}`, 200, "")

	// follow registers and polls to the end.
	follow := func(c tried, id string) wire.DeviceRegistrationState {
		t.Helper()
		base := "/" + idScope + "/registrations/" + id
		c.host, c.method, c.path, c.body = b.Info().GlobalHost, "PUT", base+"/register", `{"registrationId":"`+id+`","payload":{"model":"x"}}`
		r, _ := a.send(c)
		c.method, c.path, c.body = "GET", base+"/operations/"+into[wire.RegistrationOperationStatus](t, r).OperationID, ""
		for r.status == 202 {
			time.Sleep(2 * time.Millisecond)
			r, _ = a.send(c)
		}
		done := into[wire.RegistrationOperationStatus](t, r)
		if r.status != 200 || done.Status != wire.RegistrationAssigned {
			t.Fatalf("%s: %d %s", id, r.status, r.body)
		}
		c.method, c.path, c.body = "POST", base, `{"registrationId":"`+id+`"}`
		if r, _ := a.send(c); r.status != 200 {
			t.Errorf("%s: look-up %d %s", id, r.status, r.body)
		}
		a.onDPS("GET", "/registrations/"+id, "", 200, "")
		return *done.RegistrationState
	}
	byGroup, single := byCertificate(leaf.shows()), byCertificate(own.shows())
	if s := follow(tried{checker: byGroup}, "dev-1"); s.X509 == nil || s.X509.SigningCertificateInfo == nil {
		t.Errorf("group %+v", s)
	}
	if s := follow(tried{checker: single}, "dev-2"); s.X509 == nil {
		t.Errorf("individual %+v", s)
	}
	key := b.keysOf("/enrollments/dev-4").PrimaryKey.Secret()
	if s := follow(tried{checker: byCertificate(nil), auth: b.token(idScope+"/registrations/dev-4", key, "registration")}, "dev-4"); string(s.Payload) != `{"a":1}` {
		t.Errorf("custom %+v", s)
	}
	a.onDPS("POST", "/registrations/g1/query", "", 200, "")
	stranger := tried{checker: byGroup, method: "PUT", path: "/" + idScope + "/registrations/dev-9/register", body: "{}", host: b.Info().GlobalHost}
	if r, _ := a.send(stranger); r.status != 401 {
		t.Errorf("stranger %d %s", r.status, r.body)
	}

	// The daemon's reading of the challenge, with a TPM that shares no code.
	daemon := daemontest.Identityd{Network: daemontest.Network{Roots: roots}, Global: "https://" + b.Info().GlobalHost, IDScope: idScope, Registration: "dev-3",
		TPM: soft, Pause: time.Millisecond}
	if device, err := daemon.Register(t.Context()); err != nil || device.ID != "dev-3" {
		t.Errorf("%+v, %v", device, err)
	}
}
