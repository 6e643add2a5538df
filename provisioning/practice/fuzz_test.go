package practice

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/wire"
)

// bodySeeds are requests whose bodies are worth changing; those of routes that
// have none here begin with generic ones.
var bodySeeds = []struct{ method, path, body string }{
	{"PUT", "devices/d", `{"deviceId":"d","status":"enabled","statusReason":"x","authentication":{"type":"sas","symmetricKey":{"primaryKey":"","secondaryKey":""}},"capabilities":{"iotEdge":true},"deviceScope":"","parentScopes":["ms-azure-iot-edge://d-1"]}`},
	{"PUT", "devices/d", `{"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"` + thumb + `","secondaryThumbprint":null}},"capabilities":null,"parentScopes":[null]}`},
	{"POST", "devices", `[{"id":"d","importMode":"createOrUpdate","eTag":"x","twinETag":"y","status":"enabled","tags":{"a":1},"properties":{"desired":{"b":[1,{"c":null}]},"reported":{}}},{"id":"d","moduleId":"m","importMode":"Delete"},null,7]`},
	{"POST", "devices/query", `{"query":"SELECT deviceId, COUNT() AS n FROM devices WHERE tags.a IN [1,'x'] AND NOT is_defined(properties.reported.b) GROUP BY deviceId"}`},
	{"PUT", "devices/d/modules/m", `{"moduleId":"m","deviceId":"d","managedBy":"iotEdge","authentication":{"type":"sas","symmetricKey":{"primaryKey":"AAAA"}}}`},
	{"POST", "devices/d/applyConfigurationContent", `{"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{"m":{}}}},"$edgeHub":{"properties.desired":{}},"m":{"properties.desired.a.b":1}}}`},
	{"PATCH", "twins/d", `{"tags":{"a":null,"b":{"c":[1,{"d":null}]}},"properties":{"desired":{"$version":3,"x":1e400}}}`},
	{"PUT", "twins/d", `{"tags":{"a":{}},"properties":{"desired":{"a":[[],{}]}}}`},
	{"PATCH", "twins/d/modules/m", `{"properties":{"desired":null}}`},
	{"POST", "twins/d/methods", `{"methodName":"ping","payload":[null],"responseTimeoutInSeconds":5,"connectTimeoutInSeconds":0}`},
	{"PUT", "configurations/c", `{"id":"c","schemaVersion":"1.0","labels":{"a":"b"},"content":{"modulesContent":{"$edgeAgent":{"properties.desired.modules.x":{}}}},"targetCondition":"tags.a='1' OR deviceId='d'","priority":10,"metrics":{"queries":{"q":"SELECT deviceId FROM devices"}}}`},
	{"POST", "configurations/testQueries", `{"targetCondition":"tags.a=1","customMetricQueries":{"q":"SELECT deviceId FROM devices.modules"}}`},
	{"POST", "jobs/create", `{"type":"export","outputBlobContainerUri":"http://127.0.0.1:1/c?sig=x","excludeKeysInExport":false}`},
	{"PUT", "jobs/v2/j", `{"jobId":"j","type":"scheduleUpdateTwin","queryCondition":"deviceId IN ['d']","updateTwin":{"etag":"*","tags":{"a":1}},"startTime":"2026-11-24T12:00:00Z","maxExecutionTimeInSeconds":60}`},
	{"PUT", "enrollments/r", `{"registrationId":"r","deviceId":"d","attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"` + groupText + `","secondaryKey":"` + groupText + `"}},"capabilities":{"iotEdge":true},"initialTwin":{"tags":{"a":1},"properties":{"desired":{"b":2}}},"reprovisionPolicy":{"updateHubAssignment":true,"migrateDeviceData":false},"allocationPolicy":"static","iotHubs":["hub.practice.test"]}`},
	{"PUT", "enrollments/r", `{"registrationId":"r","attestation":{"type":"tpm","tpm":{"endorsementKey":"AToAAQALAAMAsg==","storageRootKey":""}}}`},
	{"PUT", "enrollments/r", `{"registrationId":"r","attestation":{"type":"x509","x509":{"clientCertificates":{"primary":{"certificate":"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"}}}}}`},
	{"PUT", "enrollmentGroups/g", `{"enrollmentGroupId":"g","attestation":{"type":"x509","x509":{"caReferences":{"primary":"ca"}}},"customAllocationDefinition":{"webhookUrl":"https://127.0.0.1:1/","apiVersion":"2021-10-01"},"allocationPolicy":"custom"}`},
	{"POST", "enrollments", `{"mode":"create","enrollments":[{"registrationId":"r"},{},null]}`},
	{"POST", "enrollmentGroups", `{"mode":"updateIfMatchEtag","enrollmentGroups":[{"enrollmentGroupId":"g","etag":"x"}]}`},
	{"POST", "enrollments/query", `{"query":"SELECT * FROM enrollments WHERE registrationId = 'r'"}`},
	{"PUT", idScope + "/registrations/r/register", `{"registrationId":"r","payload":{"a":[1]},"tpm":{"endorsementKey":"AAAA","storageRootKey":"AAAA"},"csr":"AAAA"}`},
	{"POST", idScope + "/registrations/r", `{"registrationId":"r","tpm":null}`},
}

// fuzzTPM gives the public keys of a TPM.
func fuzzTPM() (endorsement, storageRoot string, err error) {
	soft, err := daemontest.NewSoftTPM()
	if err != nil {
		return "", "", err
	}
	return soft.PublicKeys()
}

// FuzzBodies gives every route bodies, in process, by a caller who may do
// everything there. No body makes the cloud fail, or answer in anything but JSON.
func FuzzBodies(f *testing.F) {
	b := open(f, Options{})
	b.makeDevice("d", true)
	b.want(b.hubDo("PUT", "/devices/d/modules/m", `{"moduleId":"m","deviceId":"d"}`), 200, "")
	b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r",`+symmetric+`}`), 200, "")
	registrant := b.token(idScope+"/registrations/r", b.keysOf("/enrollments/r").PrimaryKey.Secret(), "registration")
	tokens := map[plane]string{planeHub: b.owner(), planeDPSDevice: registrant, planeARM: "Bearer " + b.Info().ARMToken.RevealString(),
		planeDPSService: b.token(b.Info().DPSHost, b.settings().DPSKey.PrimaryKey.Secret(), policyDPSOwner)}

	type target struct {
		plane
		route
	}
	var targets []target
	for _, plane := range []plane{planeHub, planeDPSService, planeDPSDevice, planeARM} {
		for _, route := range routes[plane] {
			targets = append(targets, target{plane, route})
		}
	}
	for i, at := range targets {
		for _, body := range []string{``, `{}`, `[]`, `null`, `[null]`, `{"":0}`} {
			f.Add(uint(i), []byte(body), "")
		}
		for _, seed := range bodySeeds {
			segments := strings.Split(seed.path, "/")
			if _, same := match(at.pattern, segments); same && seed.method == at.method && planeOf(segments) == at.plane {
				f.Add(uint(i), []byte(seed.body), "*")
			}
		}
	}
	// Certificates and keys of a TPM that are right are worth changing, too.
	root := issue(f, "root", nil, true, nil)
	endorsement, storageRoot, err := fuzzTPM()
	if err != nil {
		f.Fatal(err)
	}
	for i, at := range targets {
		switch at.method + " " + at.pattern {
		case "PUT enrollments/{id}":
			f.Add(uint(i), []byte(`{"registrationId":"r",`+x509Body("clientCertificates", root)+`}`), "*")
			f.Add(uint(i), []byte(enrolledTPM("r", endorsement, storageRoot, "")), "*")
		case "PUT enrollmentGroups/{id}":
			f.Add(uint(i), []byte(`{"enrollmentGroupId":"r",`+x509Body("signingCertificates", root, root)+`}`), "")
		case "PUT " + armCertificates + "/{name}", "POST " + armCertificates + "/{name}/verify":
			text := fmt.Sprintf("%q", root.pem())
			f.Add(uint(i), []byte(`{"certificate":`+text+`,"properties":{"certificate":`+text+`,"isVerified":true}}`), "")
		}
	}
	vars := strings.NewReplacer("{subscription}", "s", "{group}", "g", "{kind}", "IotHubs", "{resource}", "hub", "{name}", "n", "{device}", "d", "{module}", "m", "{scope}", idScope, "{id}", "r", "{operation}", "o")
	handler := b.Handler()
	f.Fuzz(func(t *testing.T, i uint, body []byte, match string) {
		at := targets[i%uint(len(targets))]
		if strings.ContainsAny(match, "\r\n\x00") {
			return
		}
		// Calls that wait, for a device or a webhook, end with their caller.
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, at.method, "/"+vars.Replace(at.pattern)+"?api-version=x", bytes.NewReader(body))
		r.Host = b.Info().HubHost
		r.Header.Set("Authorization", tokens[at.plane])
		r.Header.Set("Content-Type", "application/json")
		if match != "" {
			r.Header.Set("If-Match", match)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if ctx.Err() == nil && (w.Code < 200 || w.Code >= 500) {
			t.Errorf("%s %s: %d %s", at.method, at.pattern, w.Code, w.Body)
		}
		if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: not JSON: %q", at.method, at.pattern, w.Body)
		}
		if w.Code == http.StatusNoContent && w.Body.Len() > 0 || w.Code >= 400 && w.Header().Get(wire.HeaderHubErrorCode)+w.Header().Get(wire.HeaderDPSErrorCode) == "" {
			t.Errorf("%s %s: %d with header %v and body %q", at.method, at.pattern, w.Code, w.Header(), w.Body)
		}
	})
}

func TestBodySeedsAreOfRoutes(t *testing.T) {
	for _, seed := range bodySeeds {
		segments := strings.Split(seed.path, "/")
		if !slices.ContainsFunc(routes[planeOf(segments)], func(r route) bool {
			_, same := match(r.pattern, segments)
			return same && r.method == seed.method
		}) {
			t.Errorf("%s %s is no route", seed.method, seed.path)
		}
	}
}
