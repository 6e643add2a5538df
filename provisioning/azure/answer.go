package azure

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// described is a CA certificate as both resource providers describe it.
type described struct {
	Name       string `json:"name"`
	ETag       string `json:"etag"`
	Properties struct {
		Thumbprint       string `json:"thumbprint"`
		IsVerified       bool   `json:"isVerified"`
		Certificate      string `json:"certificate"`
		VerificationCode string `json:"verificationCode"`
	} `json:"properties"`
}

func (d described) certificate() (Certificate, error) {
	p := d.Properties
	made := Certificate{Name: d.Name, ETag: d.ETag, Verified: p.IsVerified, Code: p.VerificationCode, Thumbprint: p.Thumbprint}
	if p.Certificate == "" {
		return made, nil
	}
	var err error
	made.Certificate, err = readCertificate(p.Certificate)
	return made, err
}

// readCertificate reads base64 of DER, or of PEM text: a hub gives back what it
// was given.
func readCertificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("the certificate in the answer is not base64")
	}
	if block, _ := pem.Decode(bytes.TrimSpace(der)); block != nil {
		der = block.Bytes
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("the certificate in the answer does not read: %w", err)
	}
	return cert, nil
}

// failure reads {"error":{"code","message"}}, or the form without the outer
// object, which armiothub describes as ErrorDetails.
func failure(header http.Header, body []byte) rest.Failure {
	var answer struct {
		Error *struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
		Code    any    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return rest.Failure{Name: wire.CleanMessage(header.Get("x-ms-error-code"))}
	}
	if answer.Error != nil {
		return rest.Failure{Name: wire.CleanMessage(answer.Error.Code), Message: wire.CleanMessage(answer.Error.Message)}
	}
	name, _ := answer.Code.(string)
	return rest.Failure{Name: wire.CleanMessage(name), Message: wire.CleanMessage(answer.Message)}
}
