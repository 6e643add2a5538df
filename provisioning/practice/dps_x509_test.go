package practice

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/wire"
)

// x509Body is an attestation with a PEM certificate in a slot of a kind.
func x509Body(kind string, primary party, secondary ...party) string {
	slots := map[string]any{"primary": map[string]string{"certificate": primary.pem()}}
	for _, p := range secondary {
		slots["secondary"] = map[string]string{"certificate": p.pem()}
	}
	text, _ := json.Marshal(map[string]any{"type": "x509", "x509": map[string]any{kind: slots}})
	return `"attestation":` + string(text)
}

// registerBy registers with a chain and gives the state, whatever it is.
func (b *bench) registerBy(id, body string, chain []*x509.Certificate) reply {
	b.Helper()
	path := "/" + idScope + "/registrations/" + id
	r := b.do(call{method: "PUT", path: path + "/register", body: body, host: b.Info().GlobalHost, chain: chain})
	for r.status == 202 {
		r = b.do(call{method: "GET", path: path + "/operations/" + into[wire.RegistrationOperationStatus](b, r).OperationID, host: b.Info().GlobalHost, chain: chain})
	}
	return r
}

// assignedBy registers with a chain and wants it assigned.
func (b *bench) assignedBy(id string, chain []*x509.Certificate) wire.DeviceRegistrationState {
	b.Helper()
	s := into[wire.RegistrationOperationStatus](b, b.want(b.registerBy(id, "{}", chain), 200, ""))
	if s.Status != wire.RegistrationAssigned || s.RegistrationState == nil {
		b.Fatalf("%+v", s)
	}
	return *s.RegistrationState
}

func TestX509Individual(t *testing.T) {
	b := open(t, Options{})
	leaf, spare, other := issue(t, "dev-1", nil, false, nil), issue(t, "Dev-1", nil, false, nil), issue(t, "dev-1", nil, false, nil)
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", `{"registrationId":"dev-1","deviceId":"Machine.1",`+x509Body("clientCertificates", leaf, spare)+`}`), 200, "")
	state := b.assignedBy("dev-1", leaf.chain())
	if state.DeviceID != "Machine.1" || state.X509 == nil || state.X509.EnrollmentGroupID != "" || state.X509.SigningCertificateInfo != nil ||
		state.X509.CertificateInfo.SubjectName != "CN=dev-1" || state.SymmetricKey != nil {
		t.Errorf("state %+v", state)
	}
	_, long := thumbprints(leaf.cert)
	d := into[wire.Device](t, b.want(b.hubDo("GET", "/devices/Machine.1", ""), 200, ""))
	if by := d.Authentication; by.Type != wire.AuthSelfSigned || by.X509Thumbprint.PrimaryThumbprint != long || by.X509Thumbprint.SecondaryThumbprint != long {
		t.Errorf("identity %+v", d.Authentication)
	}
	send := func(p party) reply {
		return b.do(call{method: "POST", path: "/devices/Machine.1/messages/events", body: "{}", chain: p.chain()})
	}
	b.want(send(leaf), 204, "")
	// The spare is enrolled, but the hub knows the leaf that registered only.
	r := b.want(send(spare), 401, "IotHubUnauthorized")
	short, long := thumbprints(spare.cert)
	if !strings.Contains(r.body, short) || !strings.Contains(r.body, long) {
		t.Errorf("refusal %s", r.body)
	}
	if s := b.assignedBy("DEV-1", spare.chain()); s.Substatus != wire.SubstatusReprovisionedToInitialAssignment {
		t.Errorf("again %+v", s)
	}
	b.want(send(spare), 204, "")
	b.want(send(leaf), 401, "IotHubUnauthorized")

	for name, chain := range map[string][]*x509.Certificate{
		"another of that name": other.chain(), "name of another device": issue(t, "dev-2", nil, false, nil).chain(),
	} {
		if r := b.registerBy("dev-1", "{}", chain); r.status != 401 || r.header.Get(wire.HeaderDPSErrorCode) != "401002" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	b.want(b.registerBy("dev-1", "{}", nil), 401, "401000")
	b.clock.advance(6 * 365 * 24 * time.Hour)
	b.want(b.registerBy("dev-1", "{}", leaf.chain()), 401, "401002")
}

func TestX509EnrollmentReadsAndWrites(t *testing.T) {
	b := open(t, Options{})
	leaf, next := issue(t, "dev-1", nil, false, nil), issue(t, "dev-1", nil, false, nil)
	ca := issue(t, "ca", nil, true, nil)
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", `{"registrationId":"dev-1",`+x509Body("clientCertificates", leaf)+`}`), 200, "")
	read := b.want(b.dpsDo("GET", "/enrollments/dev-1", ""), 200, "")
	info := into[wire.IndividualEnrollment](t, read).Attestation.X509.ClientCertificates.Primary
	short, long := thumbprints(leaf.cert)
	if info.Certificate != "" || info.Info.SHA1Thumbprint != short || info.Info.SHA256Thumbprint != long || info.Info.IssuerName != "CN=dev-1" ||
		info.Info.Version != 3 || !info.Info.NotAfterUTC.Equal(leaf.cert.NotAfter) || info.Info.SerialNumber != fmt.Sprintf("%X", leaf.cert.SerialNumber) {
		t.Errorf("info %+v", info)
	}
	if m := b.want(b.dpsDo("POST", "/enrollments/dev-1/attestationmechanism", ""), 200, ""); strings.Contains(m.body, "BEGIN") || !strings.Contains(m.body, long) {
		t.Errorf("mechanism %s", m.body)
	}
	// What was read and written back changes nothing, and survives.
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", read.body, "If-Match", "*"), 200, "")
	c := b.reopened()
	c.assignedBy("dev-1", leaf.chain())
	// A roll-over: the old one becomes the spare by what is known of it.
	both := strings.Replace(read.body, `"primary":{`, `"primary":{"certificate":`+fmt.Sprintf("%q", next.pem())+`},"secondary":{`, 1)
	c.want(c.dpsDo("PUT", "/enrollments/dev-1", both, "If-Match", "*"), 200, "")
	c.assignedBy("dev-1", next.chain())
	c.assignedBy("dev-1", leaf.chain())

	for name, body := range map[string]string{
		"no certificates":    `"attestation":{"type":"x509"}`,
		"empty":              `"attestation":{"type":"x509","x509":{"clientCertificates":{}}}`,
		"spare only":         strings.Replace(x509Body("clientCertificates", leaf), "primary", "secondary", 1),
		"not a certificate":  `"attestation":{"type":"x509","x509":{"clientCertificates":{"primary":{"certificate":"x"}}}}`,
		"unknown thumbprint": `"attestation":{"type":"x509","x509":{"clientCertificates":{"primary":{"info":{"sha256Thumbprint":"AA"}}}}}`,
		"group's kind":       x509Body("signingCertificates", ca),
		"references":         `"attestation":{"type":"x509","x509":{"caReferences":{"primary":"ca"}}}`,
		"two certificates":   `"attestation":{"type":"x509","x509":{"clientCertificates":{"primary":{"certificate":` + fmt.Sprintf("%q", leaf.pem()+next.pem()) + `}}}}`,
		"two kinds":          strings.Replace(x509Body("clientCertificates", leaf), `"x509":{`, `"x509":{"caReferences":{"primary":"ca"},`, 1),
	} {
		c.want(c.dpsDo("PUT", "/enrollments/dev-2", `{"registrationId":"dev-2",`+body+`}`), 400, "400004")
		t.Log(name)
	}
	for _, body := range []string{x509Body("clientCertificates", leaf), x509Body("signingCertificates", leaf),
		`"attestation":{"type":"x509","x509":{"caReferences":{"primary":"none"}}}`, `"attestation":{"type":"x509","x509":{"caReferences":{}}}`} {
		c.want(c.dpsDo("PUT", "/enrollmentGroups/g", `{"enrollmentGroupId":"g",`+body+`}`), 400, "400004")
	}
}

func TestX509Groups(t *testing.T) {
	b := open(t, Options{})
	root := issue(t, "root", nil, true, nil)
	line := issue(t, "line", &root, true, nil)
	cell := issue(t, "cell", &line, true, nil)
	put := func(group, rest string, match ...string) {
		t.Helper()
		b.want(b.dpsDo("PUT", "/enrollmentGroups/"+group, `{"enrollmentGroupId":"`+group+`",`+rest+`}`, match...), 200, "")
	}
	leaf := issue(t, "dev-1", &cell, false, nil)
	b.want(b.registerBy("dev-1", "{}", leaf.chain(cell, line)), 401, "401002")
	put("A-root", x509Body("signingCertificates", root))
	state := b.assignedBy("dev-1", leaf.chain(line, cell))
	if state.X509.EnrollmentGroupID != "A-root" || state.DeviceID != "dev-1" || state.X509.SigningCertificateInfo.SubjectName != "CN=root" {
		t.Errorf("state %+v %+v", state, state.X509)
	}
	if d := into[wire.Device](t, b.hubDo("GET", "/devices/dev-1", "")); d.Authentication.Type != wire.AuthSelfSigned {
		t.Errorf("identity %+v", d.Authentication)
	}
	// A missing intermediate is no chain, although the hub's clock and all else are right.
	b.want(b.registerBy("dev-1", "{}", leaf.chain(line)), 401, "401002")
	// The nearest counts, by whatever slot.
	put("B-line", x509Body("signingCertificates", issue(t, "unused", nil, true, nil), line))
	if s := b.assignedBy("dev-1", leaf.chain(cell, line)); s.X509.EnrollmentGroupID != "B-line" {
		t.Errorf("nearest %+v", s.X509)
	}
	put("C-cell", x509Body("signingCertificates", cell)+`,"provisioningStatus":"disabled"`)
	b.want(b.registerBy("dev-1", "{}", leaf.chain(cell, line)), 401, "401000")
	// An individual enrollment beats it, also when it is disabled.
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", `{"registrationId":"dev-1",`+x509Body("clientCertificates", leaf)+`}`), 200, "")
	if s := b.assignedBy("dev-1", leaf.chain()); s.X509.EnrollmentGroupID != "" {
		t.Errorf("individual %+v", s.X509)
	}
	b.want(b.dpsDo("DELETE", "/enrollmentGroups/C-cell", ""), 204, "")
	b.want(b.dpsDo("PUT", "/enrollments/dev-1", `{"registrationId":"dev-1","provisioningStatus":"disabled",`+x509Body("clientCertificates", leaf)+`}`, "If-Match", "*"), 200, "")
	b.want(b.registerBy("dev-1", "{}", leaf.chain(cell, line)), 401, "401000")
	// The name is the registration ID.
	b.want(b.registerBy("dev-9", "{}", leaf.chain(cell, line)), 401, "401002")
}

func TestX509GroupByUploadedCA(t *testing.T) {
	b := open(t, Options{})
	root := issue(t, "root", nil, true, nil)
	leaf := issue(t, "dev-1", &root, false, nil)
	reference := `{"enrollmentGroupId":"g","attestation":{"type":"x509","x509":{"caReferences":{"primary":"Plant","secondary":"plant"}}}}`
	ca, err := b.UploadCA(t.Context(), "dps", "plant", root.pem(), false, "")
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.dpsDo("PUT", "/enrollmentGroups/g", reference), 400, "400004") // not verified
	if ca, err = b.VerificationCode(t.Context(), "dps", "plant", ca.ETag); err != nil {
		t.Fatal(err)
	}
	proof := issue(t, ca.Code, &root, false, nil)
	if ca, err = b.VerifyCA(t.Context(), "dps", "plant", proof.pem(), ca.ETag); err != nil || !ca.Verified {
		t.Fatal(err)
	}
	b.want(b.dpsDo("PUT", "/enrollmentGroups/g", reference), 200, "")
	c := b.reopened()
	if s := c.assignedBy("dev-1", leaf.chain()); s.X509.EnrollmentGroupID != "g" {
		t.Errorf("state %+v", s.X509)
	}
	// Another certificate under the name has to be verified anew.
	if _, err := c.UploadCA(t.Context(), "dps", "plant", issue(t, "root", nil, true, nil).pem(), false, "*"); err != nil {
		t.Fatal(err)
	}
	c.want(c.registerBy("dev-1", "{}", leaf.chain()), 401, "401002")
	if err := c.RemoveCA(t.Context(), "dps", "plant", "*"); err == nil || err.(*CAError).Status != 409 {
		t.Errorf("removal of what a group refers to: %v", err)
	}
	c.want(c.dpsDo("DELETE", "/enrollmentGroups/g", ""), 204, "")
	if err := c.RemoveCA(t.Context(), "dps", "plant", "*"); err != nil {
		t.Error(err)
	}
}

// TestX509OverTLS goes the whole way of the identity daemon, handshakes included.
func TestX509OverTLS(t *testing.T) {
	b := open(t, Options{Now: time.Now})
	b.clock.now = time.Now()
	serve(t, b.Cloud)
	root := issue(t, "root", nil, true, nil)
	line := issue(t, "line", &root, true, nil)
	leaf := issue(t, "edge-1", &line, false, nil)
	b.want(b.dpsDo("PUT", "/enrollmentGroups/g", `{"enrollmentGroupId":"g","capabilities":{"iotEdge":true},`+x509Body("signingCertificates", root)+`}`), 200, "")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.Info().CAPEM)
	network := daemontest.Network{Roots: roots, Chain: leaf.shows(line)}
	daemon := daemontest.Identityd{Network: network, Global: "https://" + b.Info().GlobalHost, IDScope: idScope, Registration: "edge-1", Pause: time.Millisecond}
	device, err := daemon.Register(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	modules, err := daemontest.Registry{Network: network, Device: device}.Modules(t.Context())
	if err != nil || len(modules) != 2 {
		t.Errorf("modules %+v, %v", modules, err)
	}
	daemon.Chain = leaf.shows() // without the intermediate
	if _, err := daemon.Register(t.Context()); err == nil {
		t.Error("half a chain is taken")
	}
	// Whoever has the certificate but not its key gets no further than the handshake.
	thief := leaf.shows(line)
	thief.PrivateKey = issue(t, "x", nil, false, nil).key
	daemon.Chain = thief
	if _, err := daemon.Register(t.Context()); err == nil {
		t.Error("a certificate without its key is taken")
	}
}
