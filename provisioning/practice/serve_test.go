package practice

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// client trusts only the practice CA and dials the one listener for each name.
func client(t *testing.T, c *Cloud) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.Info().CAPEM) {
		t.Fatal("the CA does not read")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, c.Info().HTTPS)
		}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestServeByEveryName(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2"}, Now: time.Now})
	stop := serve(t, b.Cloud)
	_, port, _ := net.SplitHostPort(b.Info().HTTPS)
	for _, host := range []string{"hub.practice.test", "line2.practice.test", "dps.practice.test", "global.practice.test", "127.0.0.1", "[::1]"} {
		r, err := client(t, b.Cloud).Get("https://" + host + ":" + port + "/devices?api-version=2021-04-12")
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = r.Body.Close()
		if r.StatusCode != 401 || r.ProtoMajor != 1 {
			t.Errorf("%s: %s over %s", host, r.Status, r.Proto)
		}
	}
	if _, err := client(t, b.Cloud).Get("https://other.practice.test:" + port + "/"); err == nil {
		t.Error("a name outside the certificate is trusted")
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if served, _, err := Served(b.dir); served || err != nil {
		t.Errorf("served after the end: %v", err)
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	b := open(t, Options{Now: time.Now})
	stop := serve(t, b.Cloud)
	if served, pid, err := Served(b.dir); !served || pid != os.Getpid() || err != nil {
		t.Errorf("Served: %v %d %v", served, pid, err)
	}
	second := open(t, Options{Dir: b.dir, Now: time.Now})
	var other *ServedError
	if err := second.Serve(t.Context()); !errors.As(err, &other) || !errors.Is(err, ErrServed) || other.PID != os.Getpid() {
		t.Errorf("second server: %v", err)
	}
	second.want(second.hubDo("GET", "/devices", ""), 503, "ServiceUnavailable")
	if err := Reset(t.Context(), b.dir); !errors.Is(err, ErrServed) {
		t.Errorf("reset while served: %v", err)
	}
	if _, err := Open(t.Context(), Options{Dir: b.dir, Sealer: newSealer(), Hubs: []string{"more"}}); !errors.Is(err, ErrServed) {
		t.Errorf("another hub while served: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	serve(t, second.Cloud)
}

func TestServeSeesWhatTheOtherWrote(t *testing.T) {
	first := open(t, Options{})
	second := open(t, Options{Dir: first.dir})
	first.makeDevice("d", false)
	if err := first.disown(); err != nil {
		t.Fatal(err)
	}
	second.want(second.hubDo("DELETE", "/devices/d", "", "If-Match", "*"), 204, "")
	if err := second.disown(); err != nil {
		t.Fatal(err)
	}
	first.want(first.hubDo("GET", "/devices/d", ""), 404, "DeviceNotFound")
}

func TestTakenPortIsNamed(t *testing.T) {
	b := open(t, Options{})
	listener, err := net.Listen("tcp", b.Info().HTTPS)
	if err != nil {
		t.Fatal(err)
	}
	var port *PortError
	if err := b.Serve(t.Context()); !errors.As(err, &port) || port.Address != b.Info().HTTPS || !strings.Contains(err.Error(), b.Info().HTTPS) {
		t.Errorf("taken port: %v", err)
	}
	if served, _, _ := Served(b.dir); served {
		t.Error("the lock was kept")
	}
	_ = listener.Close()
	serve(t, b.Cloud)
}

func TestReset(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	old := b.Info().HubConnectionString
	if err := b.disown(); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" { // open files cannot be removed there
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := Reset(t.Context(), b.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(b.dir, caFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("CA file: %v", err)
	}
	fresh := open(t, Options{Dir: b.dir})
	if fresh.Info().HubConnectionString.Equal(old) {
		t.Error("keys are as before")
	}
	if r := b.hubDo("GET", "/devices/d", ""); r.status != 503 {
		t.Errorf("who had it open before still answers: %d", r.status)
	}
	fresh.want(fresh.hubDo("GET", "/devices/d", ""), 404, "DeviceNotFound")
	if err := Reset(t.Context(), filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("reset of nothing: %v", err)
	}
}

func TestListenAnywhereOnlyIfAsked(t *testing.T) {
	b := open(t, Options{Now: time.Now})
	listener, err := b.listen(t.Context(), b.settings().HTTPS)
	if err != nil {
		t.Fatal(err)
	}
	if ip := listener.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		t.Errorf("listens on %s", ip)
	}
	_ = listener.Close()
	b.anywhere = true
	if listener, err = b.listen(t.Context(), b.settings().HTTPS); err != nil {
		t.Fatal(err)
	}
	if ip := listener.Addr().(*net.TCPAddr).IP; !ip.IsUnspecified() {
		t.Errorf("listens on %s", ip)
	}
	_ = listener.Close()
}

func TestAuthorityIsConstrained(t *testing.T) {
	b := open(t, Options{})
	block, _ := pem.Decode(b.Info().CAPEM)
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if years := ca.NotAfter.Sub(ca.NotBefore).Hours() / 8766; years < 9.9 || years > 10.1 || !ca.PermittedDNSDomainsCritical || !ca.MaxPathLenZero {
		t.Errorf("CA for %f years, critical %v", years, ca.PermittedDNSDomainsCritical)
	}
	for _, s := range []*settings{
		{HTTPS: "127.0.0.1:1", Hubs: []string{"hub"}, CACert: b.settings().CACert, CAKey: b.settings().CAKey},
	} {
		cert, err := s.serverCertificate(b.rand, b.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(ca)
		options := x509.VerifyOptions{Roots: roots, CurrentTime: b.clock.Now(), DNSName: "hub.practice.test"}
		if _, err := cert.Leaf.Verify(options); err != nil {
			t.Errorf("own name: %v", err)
		}
	}
	// What the CA signs for another name or address is not trusted.
	key, err := x509.ParsePKCS8PrivateKey(b.settings().CAKey)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	for _, template := range []x509.Certificate{
		{DNSNames: []string{"hub.azure-devices.net"}},
		{DNSNames: []string{"hub.practice.test"}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}},
		{DNSNames: []string{"xpractice.test"}},
	} {
		template.SerialNumber, template.NotBefore, template.NotAfter = ca.SerialNumber, ca.NotBefore, ca.NotAfter
		der, err := x509.CreateCertificate(b.rand, &template, ca, ca.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: b.clock.Now()}); err == nil {
			t.Errorf("trusted: %v %v", template.DNSNames, template.IPAddresses)
		}
	}
}

func TestServerCertificateIsRenewed(t *testing.T) {
	b := open(t, Options{})
	made := 0
	identity := &serverIdentity{now: b.clock.Now, make: func(now time.Time) (*tls.Certificate, error) {
		made++
		return b.settings().serverCertificate(b.rand, now)
	}}
	for _, step := range []struct {
		wait time.Duration
		made int
	}{{0, 1}, {time.Hour, 1}, {serverLife - serverRenew, 2}, {0, 2}} {
		b.clock.advance(step.wait)
		cert, err := identity.certificate(nil)
		if err != nil || made != step.made || b.clock.Now().After(cert.Leaf.NotAfter) {
			t.Errorf("after %v: made %d, %v", step.wait, made, err)
		}
	}
	b.clock.advance(11 * 366 * 24 * time.Hour)
	if _, err := identity.certificate(nil); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after the CA's end: %v", err)
	}
}

func TestOpenSSLAccepts(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("needs openssl")
	}
	b := open(t, Options{Now: time.Now})
	cert, err := b.settings().serverCertificate(b.rand, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf := filepath.Join(t.TempDir(), "leaf.pem")
	if err := os.WriteFile(leaf, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-verify_hostname", "hub.practice.test"}, {"-verify_hostname", "global.practice.test"}, {"-verify_ip", "127.0.0.1"}, {"-verify_ip", "::1"}} {
		out, err := exec.CommandContext(t.Context(), openssl, append(append([]string{"verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", b.Info().CAFile}, args...), leaf)...).CombinedOutput()
		if err != nil {
			t.Errorf("openssl verify %v: %s", args, out)
		}
	}
	if out, err := exec.CommandContext(t.Context(), openssl, "verify", "-CAfile", b.Info().CAFile, "-verify_hostname", "other.test", leaf).CombinedOutput(); err == nil {
		t.Errorf("openssl takes another name: %s", out)
	}
	mode, err := os.Stat(b.Info().CAFile)
	if err != nil || runtime.GOOS != "windows" && mode.Mode().Perm() != 0o644 {
		t.Errorf("CA file: %v %v", mode.Mode(), err)
	}

	// and a handshake with the served cloud
	serve(t, b.Cloud)
	s := exec.CommandContext(t.Context(), openssl, "s_client", "-connect", b.Info().HTTPS, "-servername", "dps.practice.test", "-verify_return_error",
		"-verify_hostname", "dps.practice.test", "-CAfile", b.Info().CAFile, "-quiet", "-no_ign_eof")
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(in, "GET /enrollments/x?api-version=1 HTTP/1.1\r\nHost: dps.practice.test\r\nConnection: close\r\n\r\n")
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 401") {
		t.Errorf("answer %q, %v", line, err)
	}
	_ = in.Close()
	_ = s.Wait()
}
