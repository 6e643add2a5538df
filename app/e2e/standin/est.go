package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"
)

func newKey(word string) (crypto.Signer, error) {
	if word == estID {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

// enrolAs runs as aziotcs: it enrols a request at the EST server of the
// configuration. A bootstrap certificate is exchanged first, for an EST identity
// with the subject of what is asked for; that one shows the daemon from then on.
func enrolAs(c config, word string, how *issued, csr *x509.CertificateRequest) ([]byte, error) {
	est := c.CertIssuance.EST
	address := how.URL
	for _, key := range []string{ids[word], "default"} {
		if address == "" {
			address = est.URLs[key]
		}
	}
	if address == "" {
		return nil, fmt.Errorf("cert %q is configured to be issued by EST, but EST URL is not configured", ids[word])
	}
	config, err := estTrust(est.TrustedCerts)
	if err != nil {
		return nil, err
	}
	if est.Auth.BootstrapCert != "" && est.Auth.BootstrapPK != "" {
		id, err := certificate(estID)
		if err != nil {
			if id, err = exchange(c, word, address, config, csr.Subject.CommonName); err != nil {
				return nil, err
			}
		}
		config.Certificates = []tls.Certificate{*id}
	}
	return enrol(c, address, config, csr.Raw)
}

// exchange gets the EST identity for the bootstrap certificate.
func exchange(c config, word, address string, trust *tls.Config, subject string) (*tls.Certificate, error) {
	first, err := certificate(bootstrap)
	if err != nil {
		return nil, fmt.Errorf("could not get EST bootstrap identity cert: %w", err)
	}
	csr, err := newRequest(estID, subject, true)
	if err != nil {
		return nil, err
	}
	config := trust.Clone()
	config.Certificates = []tls.Certificate{*first}
	chain, err := enrol(c, address, config, csr)
	if err != nil {
		return nil, fmt.Errorf("cert %q is configured to be issued by EST, but neither EST identity nor EST bootstrap identity could be obtained: %w", ids[word], err)
	}
	if err := keepCertificate(estID, chain); err != nil {
		return nil, err
	}
	return certificate(estID)
}

// estTrust are the certificates of the system and those of the configuration.
func estTrust(uris []string) (*tls.Config, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	for _, uri := range uris {
		text, err := readOwn(uri, 0o644)
		if err != nil || !roots.AppendCertsFromPEM(text) {
			return nil, errors.Join(fmt.Errorf("cert_issuance.est.trusted_certs contains unreadable cert %q", uri), err)
		}
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// enrol makes one enrollment (RFC 7030, 4.2) and asks for the CAs (4.1), both of
// which have to answer; what comes is one file, PEM.
func enrol(c config, address string, config *tls.Config, csr []byte) ([]byte, error) {
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: config}}
	address = strings.TrimSuffix(address, "/")
	enroll, err := http.NewRequest(http.MethodPost, address+"/simpleenroll", strings.NewReader(base64.StdEncoding.EncodeToString(csr)))
	if err != nil {
		return nil, err
	}
	enroll.Header.Set("Content-Type", "application/pkcs10")
	enroll.Header.Set("Content-Transfer-Encoding", "base64")
	cas, err := http.NewRequest(http.MethodGet, address+"/cacerts", nil)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, request := range []*http.Request{enroll, cas} {
		if auth := c.CertIssuance.EST.Auth; auth.Username != "" && auth.Password != "" {
			request.SetBasicAuth(auth.Username, auth.Password)
		}
		certs, err := answered(client, request)
		if err != nil {
			return nil, err
		}
		for _, cert := range certs {
			if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: cert}); err != nil {
				return nil, err
			}
		}
	}
	return text.Bytes(), nil
}

// answered reads the certificates of a certs-only answer, DER each.
func answered(client http.Client, request *http.Request) (certs [][]byte, err error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, inItsWords(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("EST endpoint did not return successful response: %s b%q", response.Status, body)
	}
	if kind := response.Header.Get("Content-Type"); kind != "application/pkcs7-mime" && !strings.HasPrefix(kind, "application/pkcs7-mime;") {
		return nil, fmt.Errorf("EST response has unexpected content-type header: %s", kind)
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(body)), ""))
	if err != nil {
		return nil, err
	}
	// RFC 5652, 3 and 5.1: a SignedData in a ContentInfo.
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, err
	}
	var signed struct {
		Version      int
		Digests      asn1.RawValue
		Content      asn1.RawValue
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &signed); err != nil {
		return nil, err
	}
	found, err := x509.ParseCertificates(signed.Certificates.Bytes)
	if err != nil {
		return nil, err
	}
	for _, cert := range found {
		certs = append(certs, cert.Raw)
	}
	return certs, nil
}

// inItsWords says what the daemon's HTTP client and OpenSSL say where Go has
// other words.
func inItsWords(err error) error {
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		return errors.New("error trying to connect: error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (unable to get local issuer certificate)")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("error trying to connect: tcp connect error: Connection refused (os error 111)")
	}
	return err
}
