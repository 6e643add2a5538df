package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/est"
	"edgewright/provisioning/pki"
)

// resolveEST finds certificates and secrets that are named for an EST server.
func (a *App) resolveEST(ctx context.Context, server provisioning.ESTPlan) (provisioning.ESTAccess, error) {
	return provisioning.ResolveEST(ctx, provisioning.Ports{Certificates: certificates{app: a}, Secrets: secretsPort{a}, Now: a.now}, server)
}

// EnrollCertificate makes a key, which stays in the vault or in a token, and has
// an EST server certify it. The certificate comes into the catalog, and with it
// the CAs that the server names above it.
func (a *App) EnrollCertificate(ctx context.Context, n NewCertificate, server provisioning.ESTPlan) (CertificateView, error) {
	profile, err := a.profile(ctx, n.Profile)
	if err != nil {
		return CertificateView{}, err
	}
	if profile.SelfSigned {
		return CertificateView{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "A certificate of the profile " + profile.Name + " is signed by itself, so no server can issue it.",
			Hint: "Choose a profile with an issuer."}
	}
	access, err := a.resolveEST(ctx, server)
	if err != nil {
		return CertificateView{}, err
	}
	client, err := estServers{a}.client(access, provisioning.ESTOrder{})
	if err != nil {
		return CertificateView{}, err
	}
	defer client.Close()
	algorithm := n.Algorithm
	if algorithm == "" {
		algorithm = profile.Algorithm
	}
	key, err := a.makeKey(ctx, n.Key, algorithm, n.Algorithm != "", n.CommonName)
	if err != nil {
		return CertificateView{}, err
	}
	order := pki.Order{Profile: profile, Subject: n.subject(), Names: n.Names, Public: key.signer.Public()}
	return a.enrolled(ctx, client, client.SimpleEnroll, order, key, "")
}

// RenewByEST has an EST server renew a certificate: the client shows it in the
// handshake and asks for the same subject, with its key or a new one. The old
// one counts as superseded.
func (a *App) RenewByEST(ctx context.Context, id string, newKey bool, server provisioning.ESTPlan) (CertificateView, error) {
	row, err := a.toRenew(ctx, id, newKey)
	if err != nil {
		return CertificateView{}, err
	}
	chain, err := a.chainOf(ctx, row)
	if err != nil {
		return CertificateView{}, err
	}
	held, err := a.signerOf(ctx, row)
	if err != nil {
		return CertificateView{}, err
	}
	access, err := a.resolveEST(ctx, server)
	if err != nil {
		return CertificateView{}, err
	}
	shown := &tls.Certificate{PrivateKey: held.signer, Leaf: chain[0]}
	for _, cert := range pki.ForDevice(chain) {
		shown.Certificate = append(shown.Certificate, cert.Raw)
	}
	client, err := est.New(est.Params{URL: access.URL, Trust: access.Trust, Certificate: shown, Username: access.Username, Password: access.Password, Now: a.now})
	if err != nil {
		return CertificateView{}, translate(err)
	}
	defer client.Close()
	old := chain[0]
	profile, ok := pki.ProfileByName(row.Profile)
	if !ok {
		profile, ok = profileOf(pki.Role(row.Role))
	}
	if !ok {
		return CertificateView{}, &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "It is not known what that certificate is for.", Hint: "Enrol a new one."}
	}
	order := pki.Order{Profile: profile, Subject: old.Subject, Names: old.DNSNames, Public: old.PublicKey}
	for _, ip := range old.IPAddresses {
		order.Names = append(order.Names, ip.String())
	}
	key, err := a.renewalKey(ctx, row, newKey, &order)
	if err != nil {
		return CertificateView{}, err
	}
	return a.enrolled(ctx, client, client.SimpleReenroll, order, key, row.ID)
}

// profileOf is the profile that a certificate of a role is renewed by, where it
// came in from elsewhere.
func profileOf(role pki.Role) (pki.Profile, bool) {
	for _, profile := range pki.Profiles() {
		if profile.Role == role && !profile.SelfSigned {
			return profile, true
		}
	}
	return pki.Profile{}, false
}

// enrolled asks for an order's certificate and keeps it, as what took the place of
// another one if replaces names that.
func (a *App) enrolled(ctx context.Context, client *est.Client, ask func(context.Context, []byte) ([]*x509.Certificate, error), order pki.Order, key certificateKey, replaces string) (CertificateView, error) {
	request, err := pki.RequestFor(rand.Reader, order, key.signer)
	if err != nil {
		return CertificateView{}, translate(err)
	}
	certs, err := ask(ctx, request)
	if err != nil {
		return CertificateView{}, translate(err)
	}
	cert := certs[0]
	if role := pki.RoleOf(cert); cert.IsCA != order.Profile.CA {
		return CertificateView{}, &provisioning.Error{Kind: provisioning.ErrRefused, Message: fmt.Sprintf("The EST server made a certificate of the role %s, and one of the profile %s was asked for.", role, order.Profile.Name),
			Hint: "Ask the server's operator what it issues, and to whom."}
	}
	above, err := client.CACerts(ctx)
	if err != nil {
		return CertificateView{}, translate(err)
	}
	chain, _ := pki.Assemble(cert, append(certs[1:], above...))
	for i := len(chain) - 1; i > 0; i-- {
		if _, _, err := a.importOne(ctx, chain[i], nil); err != nil {
			return CertificateView{}, err
		}
	}
	row := catalog.Certificate{Profile: order.Profile.Name, Role: string(order.Profile.Role), KeyPlace: key.place}
	if row.IssuerID, err = a.issuerID(ctx, cert); err != nil {
		return CertificateView{}, err
	}
	if row, err = a.addCertificate(ctx, row, cert, key.text, vault.User, replaces); err != nil {
		return CertificateView{}, err
	}
	return a.certificateView(row)
}

// ImportESTCAs takes the CA certificates that an EST server names into the
// catalog.
func (a *App) ImportESTCAs(ctx context.Context, server provisioning.ESTPlan) (Imported, error) {
	result := Imported{Added: []CertificateView{}, Refused: []RefusedFile{}}
	access, err := a.resolveEST(ctx, server)
	if err != nil {
		return result, err
	}
	certs, err := estServers{a}.CAs(ctx, access)
	if err != nil {
		return result, err
	}
	for _, cert := range issuersFirst(certs) {
		view, known, err := a.importOne(ctx, cert, nil)
		if err != nil {
			return result, err
		}
		if known {
			result.Known++
		} else {
			result.Added = append(result.Added, view)
		}
	}
	return result, nil
}
