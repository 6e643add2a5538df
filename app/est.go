package app

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/est"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// estServers fits the EST client to the port of the domain.
type estServers struct{ app *App }

func (e estServers) client(server provisioning.ESTAccess, order provisioning.ESTOrder) (*est.Client, error) {
	p := est.Params{URL: server.URL, Trust: server.Trust, Username: server.Username, Password: server.Password, Wait: order.Wait, Now: e.app.now}
	var err error
	if p.Certificate, err = tlsCertificate(server.Bootstrap); err != nil {
		return nil, err
	}
	client, err := est.New(p)
	return client, translate(err)
}

func (e estServers) CAs(ctx context.Context, server provisioning.ESTAccess) ([]*x509.Certificate, error) {
	client, err := e.client(server, provisioning.ESTOrder{})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	certs, err := client.CACerts(ctx)
	return certs, translate(err)
}

func (e estServers) Enroll(ctx context.Context, server provisioning.ESTAccess, order provisioning.ESTOrder) (provisioning.Pair, error) {
	client, err := e.client(server, order)
	if err != nil {
		return provisioning.Pair{}, err
	}
	defer client.Close()
	name := roleProfiles[provisioning.RoleIdentity]
	if order.CA {
		name = roleProfiles[provisioning.RoleEdgeCA]
	}
	profile, _ := pki.ProfileByName(name)
	key, err := pki.GenerateKey(rand.Reader, profile.Algorithm)
	if err != nil {
		return provisioning.Pair{}, err
	}
	request, err := pki.RequestFor(rand.Reader, pki.Order{Profile: profile, Subject: pkix.Name{CommonName: order.CommonName}}, key)
	if err != nil {
		return provisioning.Pair{}, err
	}
	certs, err := client.SimpleEnroll(ctx, request)
	if err != nil {
		return provisioning.Pair{}, translate(err)
	}
	// The runtime asks for the CAs each time, and keeps both answers as one chain.
	above, err := client.CACerts(ctx)
	if err != nil {
		return provisioning.Pair{}, translate(err)
	}
	text, err := pki.DeviceKeyPEM(key)
	if err != nil {
		return provisioning.Pair{}, err
	}
	chain, _ := pki.Assemble(certs[0], append(certs[1:], above...))
	return provisioning.Pair{Chain: pki.ForDevice(chain), Key: text}, nil
}

// bootstrapRoles are the roles of certificates that a client shows.
var bootstrapRoles = []string{string(pki.RoleESTBootstrap), string(pki.RoleIdentity)}

// findBootstrap finds a certificate that a device can show to an EST server, by
// common name, ID or thumbprint. Of several with one name the one that holds
// longest is meant.
func (a *App) findBootstrap(ctx context.Context, name string) (catalog.Certificate, error) {
	named, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Subject: name, Roles: bootstrapRoles, State: catalog.CertificateValid})
	if err != nil {
		return catalog.Certificate{}, translate(err)
	}
	named = slices.DeleteFunc(named, func(row catalog.Certificate) bool { return row.KeyPlace != keyInVault })
	if len(named) > 0 {
		return slices.MaxFunc(named, func(x, y catalog.Certificate) int { return x.NotAfter.Compare(y.NotAfter) }), nil
	}
	row, err := a.catalog.Certificate(ctx, name)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && (!slices.Contains(bootstrapRoles, row.Role) || row.State != catalog.CertificateValid || row.KeyPlace != keyInVault) {
		return row, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: fmt.Sprintf("The catalog has no bootstrap certificate %q with its key.", name),
			Hint: `Make one with the profile "EST bootstrap", or import one with its key.`}
	}
	return row, translate(err)
}

// BootstrapCertificates lists the names of the certificates that devices can
// bootstrap with: those of that profile whose keys lie in the vault.
func (a *App) BootstrapCertificates(ctx context.Context) ([]string, error) {
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Roles: bootstrapRoles[:1], State: catalog.CertificateValid, Limit: maxListed})
	if err != nil {
		return nil, translate(err)
	}
	var names []string
	for _, row := range rows {
		if row.KeyPlace == keyInVault && !slices.Contains(names, row.Subject) {
			names = append(names, row.Subject)
		}
	}
	return names, nil
}

// CANames lists the names of the CAs of the catalog, roots among them.
func (a *App) CANames(ctx context.Context) ([]string, error) {
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Roles: caRoles, State: catalog.CertificateValid, Limit: maxListed})
	if err != nil {
		return nil, translate(err)
	}
	var names []string
	for _, row := range rows {
		if !slices.Contains(names, row.Subject) {
			names = append(names, row.Subject)
		}
	}
	return names, nil
}

// Bootstrap opens a certificate of the catalog with its key.
func (c certificates) Bootstrap(ctx context.Context, name string) (provisioning.Pair, error) {
	row, err := c.app.findBootstrap(ctx, name)
	if err != nil {
		return provisioning.Pair{}, err
	}
	return c.app.pairOf(ctx, row)
}

// pairOf is a certificate of the catalog with its chain, and with its key where
// that is in the vault.
func (a *App) pairOf(ctx context.Context, row catalog.Certificate) (provisioning.Pair, error) {
	chain, err := a.chainOf(ctx, row)
	if err != nil {
		return provisioning.Pair{}, err
	}
	pair := provisioning.Pair{Chain: pki.ForDevice(chain)}
	if row.KeyPlace == keyInVault {
		pair.Key, err = a.keyOf(ctx, row)
	}
	return pair, err
}

// tlsCertificate is a pair as it is shown in a TLS handshake, nil for none.
func tlsCertificate(pair provisioning.Pair) (*tls.Certificate, error) {
	if pair.Leaf() == nil {
		return nil, nil
	}
	var key crypto.PrivateKey = pair.Signer // on the device, or read from it
	if pair.Signer == nil {
		var err error
		if key, err = pki.ParseKey(pair.Key.Reveal(), secret.Value{}); err != nil {
			return nil, translate(err)
		}
	}
	certificate := &tls.Certificate{PrivateKey: key, Leaf: pair.Leaf()}
	for _, cert := range pair.Chain {
		certificate.Certificate = append(certificate.Certificate, cert.Raw)
	}
	return certificate, nil
}

// estKinds are the kinds of errors of an EST server, with what to do.
var estKinds = []struct {
	from, to error
	hint     string
}{
	{est.ErrURL, provisioning.ErrInvalid, "Write https://host/.well-known/est."},
	{est.ErrUnreachable, provisioning.ErrUnreachable, "Look whether the server runs and whether a proxy or firewall is in between."},
	{est.ErrUntrusted, provisioning.ErrUnauthorized, "Import the CA of the server's certificate into the catalog and name it as trust (x509.est.trust in a plan)."},
	{est.ErrUnauthorized, provisioning.ErrUnauthorized, "Name the bootstrap certificate or the login that the server's operator gave out (x509.est.bootstrap in a plan), and look whether it has ended."},
	{est.ErrPending, provisioning.ErrUnreachable, "Have the request approved at the server, and try again."},
	{est.ErrRefused, provisioning.ErrRefused, "Ask the server's operator what it issues, and to whom."},
	{est.ErrAnswer, provisioning.ErrRefused, "A device would not take that answer either. Ask the server's operator."},
}

func fromEST(err error) *provisioning.Error {
	var failed *est.Error
	if !errors.As(err, &failed) {
		return nil
	}
	for _, kind := range estKinds {
		if !errors.Is(failed, kind.from) {
			continue
		}
		message := "EST: " + failed.Problem + "."
		if failed.Operation != "" {
			message = fmt.Sprintf("The EST server %s, asked for %s: %s.", failed.Host, failed.Operation, failed.Problem)
		}
		return &provisioning.Error{Kind: kind.to, Message: message, Hint: kind.hint}
	}
	return nil
}
