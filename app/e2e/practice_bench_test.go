//go:build e2e && bench

package e2e

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRegistrations registers devices of one group with the served
// practice cloud over HTTPS, sixteen at a time, each over a connection that is
// kept: PUT register, then GET the operation until it says assigned. The
// devices do not wait for Retry-After, so that the practice cloud alone sets
// the pace; that it and its clients share the processors is part of the figure.
func BenchmarkRegistrations(b *testing.B) {
	const devices, atOnce = 2000, 16
	cloud := servePractice(b)
	group := bytes.Repeat([]byte{7, 21, 63, 189}, 8)
	cloud.enrollGroup(b, "line-7", group)
	registered := 0
	for n := range b.N {
		var wait sync.WaitGroup
		next := make(chan int)
		for range atOnce {
			wait.Go(func() {
				for i := range next {
					if err := cloud.register(fmt.Sprintf("line-7-%d-%04d", n, i), group); err != nil {
						b.Error(err)
					}
				}
			})
		}
		for i := range devices {
			next <- i
		}
		close(next)
		wait.Wait()
		registered += devices
	}
	b.ReportMetric(float64(registered)/b.Elapsed().Seconds(), "registrations/s")
	b.ReportMetric(0, "ns/op")
}

// practiceCloud is a served practice cloud as its clients see it.
type practiceCloud struct {
	client *http.Client
	// As `practice show` names them.
	Scope      string `json:"id_scope"`
	DPS        string `json:"dps_host"`
	Global     string `json:"global_host"`
	HTTPS      string `json:"https"`
	CAFile     string `json:"ca_file"`
	Connection string `json:"dps_connection_string"`
}

func servePractice(b *testing.B) *practiceCloud {
	b.Helper()
	s := newStation(b)
	serve := exec.Command(program, "practice", "serve", "--json")
	serve.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.home, "LANG=C.UTF-8"}
	serve.Stderr = os.Stderr
	out, err := serve.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		_ = serve.Wait()
	})
	if err := json.NewDecoder(out).Decode(&practiceCloud{}); err != nil { // printed once it serves
		b.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // a line for each request may follow
	cloud := &practiceCloud{}
	r := s.run("", "practice", "show", "--show-secrets", "--json")
	if err := json.Unmarshal([]byte(r.out), cloud); err != nil {
		b.Fatalf("%v\n%s%s", err, r.out, r.errOut)
	}
	ca, err := os.ReadFile(cloud.CAFile)
	if err != nil {
		b.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	cloud.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, cloud.HTTPS)
		}}}
	return cloud
}

// enrollGroup makes an enrollment group of the service (api-version 2021-10-01).
func (c *practiceCloud) enrollGroup(b *testing.B, id string, key []byte) {
	b.Helper()
	members := map[string]string{}
	for member := range strings.SplitSeq(c.Connection, ";") {
		name, value, _ := strings.Cut(member, "=")
		members[name] = value
	}
	policyKey, err := base64.StdEncoding.DecodeString(members["SharedAccessKey"])
	if err != nil {
		b.Fatal(err)
	}
	keys := base64.StdEncoding.EncodeToString(key)
	body := fmt.Sprintf(`{"enrollmentGroupId":%q,"attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":%q,"secondaryKey":%q}},"capabilities":{"iotEdge":true}}`, id, keys, keys)
	if _, err := c.call(http.MethodPut, c.DPS, "/enrollmentGroups/"+id+"?api-version=2021-10-01", body, sas(c.DPS, policyKey, members["SharedAccessKeyName"])); err != nil {
		b.Fatal(err)
	}
}

// register is what a device does (api-version 2021-06-01).
func (c *practiceCloud) register(id string, group []byte) error {
	mac := hmac.New(sha256.New, group)
	mac.Write([]byte(id))
	path := "/" + c.Scope + "/registrations/" + id
	token := sas(c.Scope+"/registrations/"+id, mac.Sum(nil), "registration")
	answer, err := c.call(http.MethodPut, c.Global, path+"/register?api-version=2021-06-01", `{"registrationId":"`+id+`"}`, token)
	for range 10 {
		if err != nil || answer.Status == "assigned" {
			return err
		}
		answer, err = c.call(http.MethodGet, c.Global, path+"/operations/"+answer.OperationID+"?api-version=2021-06-01", "", token)
	}
	return fmt.Errorf("register %s: %w, still %q", id, err, answer.Status)
}

type operation struct{ OperationID, Status string }

func (c *practiceCloud) call(method, host, path, body, token string) (answer operation, err error) {
	request, err := http.NewRequest(method, "https://"+host+path, strings.NewReader(body))
	if err != nil {
		return answer, err
	}
	request.Header.Set("Authorization", token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return answer, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s\n%s", method, path, response.Status, text)
	}
	if err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(text, &answer)
}

// sas signs for one hour. https://learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation
func sas(resource string, key []byte, policy string) string {
	resource = url.QueryEscape(resource)
	expiry := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(resource + "\n" + expiry))
	return "SharedAccessSignature sr=" + resource + "&sig=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))) + "&se=" + expiry + "&skn=" + policy
}
