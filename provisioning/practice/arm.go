package practice

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"edgewright/provisioning/wire"
)

// The routes of Azure Resource Manager that the practice cloud has: the CA
// certificates of hubs (api-version 2023-06-30) and of DPS (2022-02-05). Any
// subscription and resource group will do; the resource is the label of a hub,
// or dps.

const armCertificates = "subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Devices/{kind}/{resource}/certificates"

// armCertificate is what both resource providers call a certificate. Times are
// in the form of RFC 1123.
type armCertificate struct {
	ID         string                   `json:"id"`
	Name       string                   `json:"name"`
	Type       string                   `json:"type"`
	ETag       string                   `json:"etag"`
	Properties armCertificateProperties `json:"properties"`
}

type armCertificateProperties struct {
	Subject          string `json:"subject"`
	Expiry           string `json:"expiry"`
	Thumbprint       string `json:"thumbprint"` // SHA-1, capital hexadecimal
	IsVerified       bool   `json:"isVerified"`
	Created          string `json:"created"`
	Updated          string `json:"updated"`
	Certificate      string `json:"certificate"` // base64 of DER
	VerificationCode string `json:"verificationCode,omitempty"`
}

// armError answers in the shape of Azure Resource Manager.
func (x *exchange) armError(status int, text string) answer {
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message = strings.ReplaceAll(http.StatusText(status), " ", ""), text
	encoded, _ := json.Marshal(body)
	return answer{status: status, body: encoded, code: body.Error.Code, header: map[string]string{"x-ms-error-code": body.Error.Code}}
}

// allowManager lets the folder's management token pass, and finds the owner of
// the CA certificates.
func (x *exchange) allowManager() (owner string, refused *answer) {
	token, bearer := strings.CutPrefix(x.r.Header.Get("Authorization"), "Bearer ")
	if !bearer || subtle.ConstantTimeCompare([]byte(token), []byte(x.c.settings().ARMToken.Secret().RevealBase64())) != 1 {
		a := x.armError(http.StatusUnauthorized, "The access token is not the management token of this practice cloud.")
		return "", &a
	}
	name, isDPS := x.vars["resource"], strings.EqualFold(x.vars["kind"], "provisioningServices")
	owner, known := caOwner(x.c.settings(), name)
	if !known || isDPS != (owner == caOwnerDPS) || !isDPS && !strings.EqualFold(x.vars["kind"], "IotHubs") {
		a := x.armError(http.StatusNotFound, "The resource does not exist: give dps, or the name of a practice hub such as hub.")
		return "", &a
	}
	return owner, nil
}

// shownCA is a certificate in the path that was asked for. Only the answer to
// generateVerificationCode has the code.
func (x *exchange) shownCA(ca *caCertificate, withCode bool) armCertificate {
	const inPath = 9 // segments of the path before the certificate's name
	short, _ := thumbprints(ca.cert)
	shown := armCertificate{Name: ca.Name, ETag: ca.ETag, ID: "/" + strings.Join(x.segments[:inPath], "/") + "/" + ca.Name,
		Type: "Microsoft.Devices/" + x.vars["kind"] + "/Certificates",
		Properties: armCertificateProperties{Subject: ca.cert.Subject.CommonName, Expiry: ca.cert.NotAfter.UTC().Format(http.TimeFormat), Thumbprint: short,
			IsVerified: ca.Verified, Created: ca.Created.Format(http.TimeFormat), Updated: ca.Updated.Format(http.TimeFormat),
			Certificate: base64.StdEncoding.EncodeToString(ca.DER)}}
	if withCode {
		shown.Properties.VerificationCode = ca.Code
	}
	return shown
}

// certificateOp is an operation on one certificate: what it did, with which
// status, or why not.
func (x *exchange) certificateOp(withCode bool, act func(owner, name, match string) (*caCertificate, int, *CAError)) answer {
	owner, refused := x.allowManager()
	if refused != nil {
		return *refused
	}
	ca, status, bad := act(owner, x.vars["name"], x.r.Header.Get("If-Match"))
	switch {
	case bad != nil:
		return x.armError(bad.Status, bad.Text)
	case ca == nil:
		return answer{status: status}
	}
	return x.json(status, x.shownCA(ca, withCode))
}

func (x *exchange) listCertificates() answer {
	owner, refused := x.allowManager()
	if refused != nil {
		return *refused
	}
	list := struct {
		Value []armCertificate `json:"value"`
	}{[]armCertificate{}}
	for _, ca := range x.c.state.casOf(owner) {
		list.Value = append(list.Value, x.shownCA(ca, false))
	}
	return x.json(http.StatusOK, list)
}

func (x *exchange) getCertificate() answer {
	return x.certificateOp(false, func(owner, name, _ string) (*caCertificate, int, *CAError) {
		ca := x.c.state.ca(owner, name)
		if ca == nil {
			return nil, 0, caRefused(http.StatusNotFound, "There is no CA certificate %s.", wire.CleanMessage(name))
		}
		return ca, http.StatusOK, nil
	})
}

// putCertificate answers 201 for a new certificate of a hub and 200 otherwise.
func (x *exchange) putCertificate() answer {
	return x.certificateOp(false, func(owner, name, match string) (*caCertificate, int, *CAError) {
		var given struct {
			Properties struct {
				Certificate string `json:"certificate"`
				IsVerified  bool   `json:"isVerified"`
			} `json:"properties"`
		}
		if bad := x.readARM(&given); bad != nil {
			return nil, 0, bad
		}
		ca, made, bad := x.putCA(owner, name, given.Properties.Certificate, given.Properties.IsVerified, match)
		if made && owner != caOwnerDPS {
			return ca, http.StatusCreated, bad
		}
		return ca, http.StatusOK, bad
	})
}

func (x *exchange) deleteCertificate() answer {
	return x.certificateOp(false, func(owner, name, match string) (*caCertificate, int, *CAError) {
		if x.c.state.ca(owner, name) == nil {
			return nil, http.StatusNoContent, nil
		}
		return nil, http.StatusOK, x.removeCA(owner, name, match)
	})
}

func (x *exchange) generateVerificationCode() answer {
	return x.certificateOp(true, func(owner, name, match string) (*caCertificate, int, *CAError) {
		ca, bad := x.makeCode(owner, name, match)
		return ca, http.StatusOK, bad
	})
}

func (x *exchange) verifyCertificate() answer {
	return x.certificateOp(false, func(owner, name, match string) (*caCertificate, int, *CAError) {
		var given struct {
			Certificate string `json:"certificate"`
		}
		if bad := x.readARM(&given); bad != nil {
			return nil, 0, bad
		}
		ca, bad := x.transaction.verifyCA(owner, name, given.Certificate, match)
		return ca, http.StatusOK, bad
	})
}

func (x *exchange) readARM(into any) *CAError {
	if err := json.Unmarshal(x.body, into); err != nil {
		return caRefused(http.StatusBadRequest, "The request body is not valid: %s", fmt.Sprint(wire.CleanMessage(err.Error())))
	}
	return nil
}
