package esttest

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"strings"
	"time"
)

// mostRequest is the longest request that is read, in bytes.
const mostRequest = 64 << 10

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+s.path("cacerts"), func(w http.ResponseWriter, r *http.Request) {
		// RFC 7030, 4.1.1: no authentication of the client is asked for.
		if !s.instead("cacerts", w) {
			s.certificates(w, s.Issuing, s.Root)
		}
	})
	mux.HandleFunc("POST "+s.path("simpleenroll"), func(w http.ResponseWriter, r *http.Request) {
		if !s.instead("simpleenroll", w) && s.knows(w, r) {
			s.enroll(w, r, nil)
		}
	})
	mux.HandleFunc("POST "+s.path("simplereenroll"), func(w http.ResponseWriter, r *http.Request) {
		if s.instead("simplereenroll", w) || !s.knows(w, r) {
			return
		}
		if len(r.TLS.PeerCertificates) == 0 {
			http.Error(w, "renewing takes the certificate that is renewed", http.StatusForbidden)
			return
		}
		s.enroll(w, r, r.TLS.PeerCertificates[0])
	})
	return mux
}

func (s *Server) instead(operation string, w http.ResponseWriter) bool {
	return s.rules.Answer != nil && s.rules.Answer(operation, w)
}

// knows tells whether the client may enrol, and answers if not (RFC 7030, 3.2.3
// and 3.3.2).
func (s *Server) knows(w http.ResponseWriter, r *http.Request) bool {
	basic, byCertificate := s.rules.Username != "", len(s.rules.Clients) > 0
	if !basic && !byCertificate {
		return true
	}
	if len(r.TLS.PeerCertificates) > 0 && byCertificate && s.accepts(r.TLS.PeerCertificates) {
		return true
	}
	if !basic {
		http.Error(w, "the client shows no certificate that may enrol", http.StatusForbidden)
		return false
	}
	name, password, given := r.BasicAuth()
	right := subtle.ConstantTimeCompare([]byte(name+"\x00"+password), []byte(s.rules.Username+"\x00"+s.rules.Password)) == 1
	if !given || !right {
		w.Header().Set("WWW-Authenticate", `Basic realm="est"`)
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}
	return true
}

func (s *Server) accepts(shown []*x509.Certificate) bool {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, ca := range s.rules.Clients {
		roots.AddCert(ca)
	}
	if !s.rules.NotItsOwn {
		roots.AddCert(s.Issuing)
	}
	for _, cert := range shown[1:] {
		between.AddCert(cert)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}

// enroll answers a request; renewed is the certificate that a reenroll renews.
func (s *Server) enroll(w http.ResponseWriter, r *http.Request, renewed *x509.Certificate) {
	request, err := readRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// RFC 7030, 4.2.2: the subject is that of the certificate that is renewed.
	if renewed != nil && !bytes.Equal(renewed.RawSubject, request.RawSubject) {
		http.Error(w, "the subject is not that of the certificate that is renewed", http.StatusBadRequest)
		return
	}
	if s.waits() {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	asCA, err := asksForCA(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	cert, err := s.sign(request.RawSubject, request.PublicKey, asCA && !s.rules.NoCA)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.mu.Lock()
	s.issued = append(s.issued, cert)
	s.mu.Unlock()
	if s.rules.WholeChain {
		s.certificates(w, cert, s.Issuing)
		return
	}
	s.certificates(w, cert)
}

func (s *Server) waits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == 0 {
		return false
	}
	s.pending--
	return true
}

func readRequest(r *http.Request) (*x509.CertificateRequest, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/pkcs10" {
		return nil, errors.New("the body is not said to be application/pkcs10")
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, mostRequest+1))
	if err != nil || len(text) > mostRequest {
		return nil, errors.New("the request is too long or was cut")
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		return nil, errors.New("the body is not base64")
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, errors.New("the body is no PKCS #10")
	}
	if request.CheckSignature() != nil {
		return nil, errors.New("the request is not signed by its key")
	}
	if request.Subject.CommonName == "" {
		return nil, errors.New("the request has no common name")
	}
	return request, nil
}

var basicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19} // RFC 5280, 4.2.1.9

// asksForCA reads the basic constraints that a request asks for.
func asksForCA(request *x509.CertificateRequest) (bool, error) {
	for _, extension := range request.Extensions {
		if !extension.Id.Equal(basicConstraints) {
			continue
		}
		var constraints struct {
			CA         bool `asn1:"optional"`
			PathLength int  `asn1:"optional,default:-1"`
		}
		if rest, err := asn1.Unmarshal(extension.Value, &constraints); err != nil || len(rest) > 0 {
			return false, errors.New("the basic constraints of the request do not read")
		}
		return constraints.CA, nil
	}
	return false, nil
}

// sign issues to a subject as it was written, DER: a client that renews compares
// the bytes.
func (s *Server) sign(subject []byte, public any, asCA bool) (*x509.Certificate, error) {
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: number, RawSubject: subject, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, max(s.rules.Days, 1)),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true}
	if asCA {
		template.IsCA, template.MaxPathLenZero, template.KeyUsage, template.ExtKeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature, nil
	}
	der, err := x509.CreateCertificate(rand.Reader, template, s.Issuing, public, s.issuingKey)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// certificates answers with a "certs-only" message (RFC 7030, 4.1.3).
func (s *Server) certificates(w http.ResponseWriter, certs ...*x509.Certificate) {
	bag, err := certsOnly(certs)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/pkcs7-mime; smime-type=certs-only")
	w.Header().Set("Content-Transfer-Encoding", "base64")
	text := base64.StdEncoding.EncodeToString(bag)
	for len(text) > 0 { // lines of 64, as the examples of RFC 7030, A have them
		line := text[:min(64, len(text))]
		text = text[len(line):]
		_, _ = fmt.Fprintf(w, "%s\r\n", line)
	}
}

var (
	signedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} // RFC 2315, 14
	plainData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
)

// certsOnly is a SignedData without content and signatures (RFC 2315, 9.1; RFC
// 2797, 3.1 calls it a simple PKI response).
func certsOnly(certs []*x509.Certificate) ([]byte, error) {
	var all []byte
	for _, cert := range certs {
		all = append(all, cert.Raw...)
	}
	set := asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true}
	inner, err := asn1.Marshal(struct {
		Version      int
		Digests      asn1.RawValue
		Content      struct{ Type asn1.ObjectIdentifier }
		Certificates asn1.RawValue
		Signers      asn1.RawValue
	}{1, set, struct{ Type asn1.ObjectIdentifier }{plainData}, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: all}, set})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{signedData, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner}})
}
