//go:build clients

package conformance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"edgewright/provisioning/dps"
	"edgewright/provisioning/practice/tpmchallenge"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
	"edgewright/provisioning/tpm/softtpm"
	"edgewright/provisioning/wire"
)

// npmClients is where .ci/clients installs Azure's npm packages.
const npmClients = "../practice/clients"

// registerCall is what of a register call is compared.
type registerCall struct {
	Method string
	Path   string // with the ID scope and the registration ID
	// Resource and Policy are those of the token, empty without one.
	Resource, Policy string
	Body             map[string]any
}

func newCall(t *testing.T, method, target, token, body string) registerCall {
	t.Helper()
	address, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	call := registerCall{Method: method, Path: address.Path}
	if err := json.Unmarshal([]byte(body), &call.Body); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	if token != "" {
		fields, err := url.ParseQuery(strings.TrimPrefix(token, "SharedAccessSignature "))
		if err != nil {
			t.Fatal(err)
		}
		call.Resource, call.Policy = fields.Get("sr"), fields.Get("skn")
	}
	return call
}

// TestAgreesWithAzuresTPMClient has Azure's npm client and Edgewright register
// with one TPM that has both its keys persisted: they read the same keys, take
// the same default registration ID, send the same members, and what DPS sealed
// signs the same.
func TestAgreesWithAzuresTPMClient(t *testing.T) {
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	if _, err := os.Stat(npmClients + "/node_modules/azure-iot-security-tpm"); err != nil {
		t.Skip("needs Azure's npm packages: make test-clients installs them")
	}
	process, err := softtpm.Start(t.Context(), t.TempDir(), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	persistKeys(t, process.Address)

	const scope, sign = "0ne00PRACTICE", "0ne00PRACTICE%2Fregistrations%2Fline-7-0042\n1893456000"
	key := bytes.Repeat([]byte{7}, tpmchallenge.KeySize)
	keys, sealed := sealFor(t, process.Address, key)
	theirs := askNPM(t, map[string]any{"socket": strings.TrimPrefix(process.Address, "unix:"), "port": freePair(t), "idScope": scope,
		"sealed": base64.StdEncoding.EncodeToString(sealed), "sign": sign})
	if theirs.EndorsementKey != keys.EK.Base64() || theirs.StorageRootKey != keys.SRK.Base64() {
		t.Error("they read other keys")
	}
	if theirs.RegistrationID != keys.EK.Base32() {
		t.Errorf("their registration ID is %s, ours %s", theirs.RegistrationID, keys.EK.Base32())
	}

	transport, err := tpm.Open(t.Context(), process.Address)
	if err != nil {
		t.Fatal(err)
	}
	ours := chip{TPM: tpm.New(transport, tpm.Auth{}), keys: keys}
	defer ours.Close()
	calls := ourCalls(t, ours, scope, keys.EK.Base32(), sealed)
	if len(theirs.Requests) != 2 || len(calls) != 2 {
		t.Fatalf("they call %d times, we %d times, want 2 each", len(theirs.Requests), len(calls))
	}
	for i, r := range theirs.Requests {
		if their := newCall(t, r.Method, r.Path, r.Authorization, r.Body); !reflect.DeepEqual(their, calls[i]) {
			t.Errorf("call %d\ntheirs %+v\nours   %+v", i+1, their, calls[i])
		}
	}

	identity, err := ours.Activate(t.Context(), sealed)
	if err != nil {
		t.Fatal(err)
	}
	defer identity.Close()
	signature, err := identity.Sign(t.Context(), []byte(sign))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(sign))
	if want := mac.Sum(nil); !bytes.Equal(signature, want) || theirs.Signature != base64.StdEncoding.EncodeToString(want) {
		t.Errorf("the signatures differ: theirs %s, ours %x, want %x", theirs.Signature, signature, want)
	}
}

// persistKeys keeps both keys of the TCG's templates at their places, as a
// maker or the runtime's daemons do.
func persistKeys(t *testing.T, address string) {
	t.Helper()
	transport, err := tpm.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer transport.Close()
	for handle, from := range map[tpm2.TPMHandle]struct {
		hierarchy tpm2.TPMHandle
		template  tpm2.TPMTPublic
	}{0x81010001: {tpm2.TPMRHEndorsement, tpm2.RSAEKTemplate}, 0x81000001: {tpm2.TPMRHOwner, tpm2.RSASRKTemplate}} {
		made, err := tpm2.CreatePrimary{PrimaryHandle: from.hierarchy, InPublic: tpm2.New2B(from.template)}.Execute(transport)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tpm2.EvictControl{Auth: tpm2.TPMRHOwner, ObjectHandle: &tpm2.NamedHandle{Handle: made.ObjectHandle, Name: made.Name}, PersistentHandle: handle}.Execute(transport)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (tpm2.FlushContext{FlushHandle: made.ObjectHandle}).Execute(transport); err != nil {
			t.Fatal(err)
		}
	}
}

// sealFor reads the keys and seals a key for them, as DPS does.
func sealFor(t *testing.T, address string, key []byte) (tpm.Keys, []byte) {
	t.Helper()
	transport, err := tpm.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	chip := tpm.New(transport, tpm.Auth{})
	defer chip.Close()
	keys, err := chip.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if keys.EK.Handle == 0 || keys.SRK.Handle == 0 {
		t.Fatalf("the keys are not persisted: %+v", keys)
	}
	endorsement, err := tpmchallenge.ParsePublic(keys.EK.Public)
	if err != nil {
		t.Fatal(err)
	}
	storageRoot, err := tpmchallenge.ParsePublic(keys.SRK.Public)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := tpmchallenge.Seal(rand.Reader, endorsement, storageRoot, key)
	if err != nil {
		t.Fatal(err)
	}
	return keys, sealed
}

// npmAnswer is what agreement.js writes.
type npmAnswer struct {
	EndorsementKey, StorageRootKey, RegistrationID, Signature string
	Requests                                                  []struct{ Method, Path, Authorization, Body string }
}

func askNPM(t *testing.T, question map[string]any) (answer npmAnswer) {
	t.Helper()
	text, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "agreement.js")
	cmd.Dir, cmd.Stdin = npmClients, bytes.NewReader(text)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errOut.String())
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	return answer
}

// freePair is a port of loopback whose next one is free, too.
func freePair(t *testing.T) int {
	t.Helper()
	for range 100 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := first.Addr().(*net.TCPAddr).Port
		second, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		_ = first.Close()
		if err == nil {
			_ = second.Close()
			return port
		}
	}
	t.Fatal("no two ports are free")
	return 0
}

// ourCalls registers with a TPM at a server that answers as the one of
// agreement.js, and gives the calls.
func ourCalls(t *testing.T, with chip, scope, id string, sealed []byte) (calls []registerCall) {
	t.Helper()
	blob := base64.StdEncoding.EncodeToString(sealed)
	answers := []struct {
		status int
		body   any
	}{{http.StatusUnauthorized, wire.TPMChallenge{AuthenticationKey: blob, KeyName: "registration"}},
		{http.StatusOK, map[string]any{"operationId": "o", "status": "assigned", "registrationState": map[string]any{"registrationId": id,
			"assignedHub": "hub.practice.test", "deviceId": id, "status": "assigned", "tpm": map[string]any{"authenticationKey": blob}}}}}
	network := answering(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		answer := answers[min(len(calls), len(answers)-1)]
		calls = append(calls, newCall(t, r.Method, r.URL.String(), r.Header.Get("Authorization"), string(body)))
		text, err := json.Marshal(answer.body)
		return &http.Response{StatusCode: answer.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)), Request: r}, err
	})
	_, err := dps.Register(context.WithoutCancel(t.Context()), dps.Registration{GlobalEndpoint: "https://global.practice.test", IDScope: scope, RegistrationID: id,
		Options: dps.Options{Transport: network},
		TPM:     &dps.TPM{EndorsementKey: with.keys.EK.Public, StorageRootKey: with.keys.SRK.Public, Activate: with.activate}})
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// answering is a network that answers by itself.
type answering func(*http.Request) (*http.Response, error)

func (a answering) Do(r *http.Request) (*http.Response, error) { return a(r) }
