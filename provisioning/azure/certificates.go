package azure

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// Kind is a kind of resource that holds CA certificates, as its resource
// provider spells it.
type Kind string

// The two kinds.
const (
	Hub Kind = "IotHubs"
	DPS Kind = "provisioningServices"
)

// apiVersions are those of Azure's own clients armiothub 1.3.0 and
// armdeviceprovisioningservices 1.2.0.
var apiVersions = map[Kind]string{Hub: "2023-06-30", DPS: "2022-02-05"}

// Resource is a hub or a DPS in Azure Resource Manager. Name is not its host.
type Resource struct {
	Subscription, Group string
	Kind                Kind
	Name                string
}

// Options are transport, trust, clock and retries.
type Options = rest.Options

// Params make Certificates; all but Options are required.
type Params struct {
	// Endpoint is that of Resource Manager, "https://host[:port]"; Audience is
	// what tokens are asked for, as "https://management.azure.com".
	Endpoint, Audience string
	Resource           Resource
	Credential         azcore.TokenCredential
	Options            Options
}

// Certificates are the CA certificates of one hub or DPS. They may be used from
// many goroutines.
type Certificates struct {
	rest *rest.Client
	path string
}

// Certificate is a CA certificate as the service shows it.
type Certificate struct {
	Name string
	// ETag changes with each write; a change has to name the last one.
	ETag     string
	Verified bool
	// Code is to be the common name of the proof. Only the answer that made it
	// has it.
	Code string
	// Thumbprint is SHA-1, hexadecimal.
	Thumbprint string
	// Certificate is nil where the service does not show it.
	Certificate *x509.Certificate
}

// NewCertificates makes a client; nothing is sent.
func NewCertificates(p Params) (*Certificates, error) {
	version, known := apiVersions[p.Resource.Kind]
	switch {
	case !known:
		return nil, fmt.Errorf("%s: the kind of resource %q has no CA certificates", wire.ServiceARM, p.Resource.Kind)
	case p.Resource.Subscription == "" || p.Resource.Group == "" || p.Resource.Name == "":
		return nil, fmt.Errorf("%s: subscription, resource group or name of the resource is missing", wire.ServiceARM)
	case p.Credential == nil || p.Audience == "":
		return nil, fmt.Errorf("%s: no credential", wire.ServiceARM)
	}
	client, err := rest.New(rest.Params{Service: wire.ServiceARM, Endpoint: p.Endpoint, APIVersion: version, Failure: failure, Options: p.Options,
		Authorize: runtime.NewBearerTokenPolicy(p.Credential, []string{p.Audience + "/.default"}, &policy.BearerTokenOptions{})})
	if err != nil {
		return nil, err
	}
	r := p.Resource
	path := "/subscriptions/" + wire.EscapeSegment(r.Subscription) + "/resourceGroups/" + wire.EscapeSegment(r.Group) +
		"/providers/Microsoft.Devices/" + string(r.Kind) + "/" + wire.EscapeSegment(r.Name) + "/certificates"
	return &Certificates{rest: client, path: path}, nil
}

// Close closes idle connections.
func (c *Certificates) Close() error { return c.rest.Close() }

// namePattern is what both services take as the name of a CA certificate.
//
// https://learn.microsoft.com/azure/iot-dps/how-to-verify-certificates
var namePattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,256}$`)

var (
	errName   = errors.New("a name has 1 to 256 letters, digits, dashes, dots and underscores")
	errNoETag = errors.New("no etag; give the one of the last answer")
)

// List gives all CA certificates; there are 25 at most.
//
// https://learn.microsoft.com/azure/iot-dps/about-iot-dps#quotas-and-limits
func (c *Certificates) List(ctx context.Context) ([]Certificate, error) {
	var answer struct {
		Value []described `json:"value"`
	}
	const operation = "list CA certificates"
	if _, err := c.rest.Do(ctx, rest.Call{Operation: operation, Method: http.MethodGet, Path: c.path, Expect: []int{http.StatusOK}}, &answer); err != nil {
		return nil, err
	}
	list := make([]Certificate, 0, len(answer.Value))
	for _, one := range answer.Value {
		cert, err := one.certificate()
		if err != nil {
			return nil, c.rest.Invalid(operation, one.Name, err)
		}
		list = append(list, cert)
	}
	return list, nil
}

// Get reads one CA certificate.
func (c *Certificates) Get(ctx context.Context, name string) (Certificate, error) {
	return c.call(ctx, name, rest.Call{Operation: "read CA certificate", Method: http.MethodGet, Expect: []int{http.StatusOK}})
}

// Upload makes a CA certificate, which nobody may use before it is verified.
// One of that name is a conflict.
func (c *Certificates) Upload(ctx context.Context, name string, cert *x509.Certificate) (wire.Written[Certificate], error) {
	call := rest.Call{Operation: "upload CA certificate", Method: http.MethodPut, Expect: []int{http.StatusOK, http.StatusCreated}, Once: true,
		Body: map[string]any{"properties": map[string]any{"certificate": base64.StdEncoding.EncodeToString(cert.Raw)}}}
	// What a PUT without an etag does to one that exists is not stated: look first.
	switch there, err := c.Get(ctx, name); {
	case err == nil:
		return wire.Written[Certificate]{}, &wire.Error{Service: wire.ServiceARM, Operation: call.Operation, Subject: there.Name, Err: wire.ErrExists}
	case !wire.IsNotFound(err):
		return wire.Written[Certificate]{}, err
	}
	return rest.WriteOnce(ctx,
		func(ctx context.Context) (Certificate, error) { return c.call(ctx, name, call) },
		func(ctx context.Context) (Certificate, error) { return c.Get(ctx, name) },
		func(_ Certificate, found bool) bool { return !found })
}

// GenerateCode gives a CA certificate a new verification code; an earlier one
// is void then.
func (c *Certificates) GenerateCode(ctx context.Context, name, etag string) (Certificate, error) {
	if etag == "" {
		return Certificate{}, c.rest.Invalid("make verification code", name, errNoETag)
	}
	return c.call(ctx, name, rest.Call{Operation: "make verification code", Method: http.MethodPost, IfMatch: etag, Expect: []int{http.StatusOK}, Once: true}, "generateVerificationCode")
}

// Verify shows the proof of possession: a certificate that the CA issued, with
// the code as its common name.
func (c *Certificates) Verify(ctx context.Context, name, etag string, proof *x509.Certificate) (Certificate, error) {
	if etag == "" {
		return Certificate{}, c.rest.Invalid("verify CA certificate", name, errNoETag)
	}
	return c.call(ctx, name, rest.Call{Operation: "verify CA certificate", Method: http.MethodPost, IfMatch: etag, Expect: []int{http.StatusOK}, Once: true,
		Body: map[string]any{"certificate": base64.StdEncoding.EncodeToString(proof.Raw)}}, "verify")
}

// Delete removes a CA certificate. One that is not there is no error.
func (c *Certificates) Delete(ctx context.Context, name, etag string) error {
	const operation = "delete CA certificate"
	switch {
	case !namePattern.MatchString(name):
		return c.rest.Invalid(operation, name, errName)
	case etag == "":
		return c.rest.Invalid(operation, name, errNoETag)
	}
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: name, Method: http.MethodDelete, Path: c.path + "/" + wire.EscapeSegment(name),
		IfMatch: etag, Expect: []int{http.StatusOK, http.StatusNoContent}}, nil)
	if wire.IsNotFound(err) {
		return nil
	}
	return err
}

// call does an operation on one certificate and reads it from the answer.
func (c *Certificates) call(ctx context.Context, name string, call rest.Call, verb ...string) (Certificate, error) {
	if !namePattern.MatchString(name) {
		return Certificate{}, c.rest.Invalid(call.Operation, name, errName)
	}
	call.Subject, call.Path = name, c.path+"/"+wire.EscapeSegment(name)
	for _, v := range verb {
		call.Path += "/" + v
	}
	var answer described
	if _, err := c.rest.Do(ctx, call, &answer); err != nil {
		return Certificate{}, err
	}
	cert, err := answer.certificate()
	if err != nil {
		return cert, c.rest.Invalid(call.Operation, name, err)
	}
	return cert, nil
}
