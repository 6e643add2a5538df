package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// Onboarding brings a CA of the catalog to the CA certificates of a cloud.
type Onboarding struct {
	CA    string     // name, ID or thumbprint in the catalog
	To    Connection // HubConnection or DPSConnection
	Cloud string
	Name  string // in the cloud
}

// OnboardStage is a part of onboarding, in the order of OnboardStages.
type OnboardStage string

// The stages: upload the CA, have a code made, sign it, show the proof.
const (
	OnboardUpload OnboardStage = "upload"
	OnboardCode   OnboardStage = "code"
	OnboardProof  OnboardStage = "proof"
	OnboardVerify OnboardStage = "verify"
)

// OnboardStages lists all in their order.
var OnboardStages = []OnboardStage{OnboardUpload, OnboardCode, OnboardProof, OnboardVerify}

// OnboardedCA is a CA in a cloud. Where the cloud cannot be managed, ETag and
// Code are empty, File is what was written for it, and Left is what a person has
// to do with it.
type OnboardedCA struct {
	Name     string `json:"name"`
	ETag     string `json:"etag"`
	Verified bool   `json:"verified"`
	Code     string `json:"code"`
	File     string `json:"file,omitempty"`
	Left     string `json:"left,omitempty"`
}

func onboardedOf(ca provisioning.UploadedCA) OnboardedCA {
	return OnboardedCA{Name: ca.Name, ETag: ca.ETag, Verified: ca.Verified, Code: ca.Code}
}

// check refuses what could not be meant, before anything is touched.
func (o Onboarding) check() error {
	switch {
	case o.To != HubConnection && o.To != DPSConnection:
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("There is no service %q with CA certificates.", o.To), Hint: "Say hub or dps."}
	case o.Cloud == "":
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "No cloud is named.", Hint: "Say practice, or the name of a cloud that was added."}
	}
	if err := provisioning.CheckUploadedName(o.Name); err != nil {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err), Hint: "Change the name."}
	}
	return nil
}

// Managed tells whether the CA certificates of a cloud can be written from here.
// Others are known by a connection string only, which does not reach them.
func (a *App) Managed(cloud string) bool { return strings.EqualFold(cloud, Practice) }

// caOf finds the CA that is onboarded, with its certificate.
func (a *App) caOf(ctx context.Context, name string) (catalog.Certificate, *x509.Certificate, error) {
	row, err := a.findCA(ctx, name)
	if err != nil {
		return row, nil, err
	}
	cert, err := x509.ParseCertificate(row.DER)
	if err != nil {
		return row, nil, fmt.Errorf("read certificate %s of the catalog: %w", row.ID, err)
	}
	return row, cert, nil
}

// onboarderOf opens the CA certificates that an onboarding is for. release ends
// their use.
func (a *App) onboarderOf(ctx context.Context, o Onboarding) (at provisioning.Onboarder, release func(), err error) {
	cloud, release, err := a.cloudOf(ctx, provisioning.Plan{Cloud: provisioning.CloudPlan{Name: o.Cloud}}, nil)
	if err != nil {
		return nil, nil, err
	}
	at = cloud.DPSCAs
	if o.To == HubConnection {
		at = cloud.HubCAs
	}
	if at == nil {
		release()
		return nil, nil, notManaged(o)
	}
	return at, release, nil
}

func notManaged(o Onboarding) error {
	return &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: fmt.Sprintf("The CA certificates of the cloud %s cannot be written from here: it is known by a connection string only.", o.Cloud),
		Hint: "Write the file with --out and upload it by hand."}
}

// UploadCA uploads a CA and has a verification code made. One that is there and
// the same is no error.
func (a *App) UploadCA(ctx context.Context, o Onboarding) (OnboardedCA, error) {
	return a.onboard(ctx, o, func(at provisioning.Onboarder, _ catalog.Certificate, cert *x509.Certificate) (provisioning.UploadedCA, error) {
		return provisioning.UploadCA(ctx, at, o.Name, cert)
	})
}

// VerifyCA proves the possession of an uploaded CA. code is the one that was
// made last, or "" to have a new one made.
func (a *App) VerifyCA(ctx context.Context, o Onboarding, code string) (OnboardedCA, error) {
	return a.onboard(ctx, o, func(at provisioning.Onboarder, ca catalog.Certificate, cert *x509.Certificate) (provisioning.UploadedCA, error) {
		there, err := at.CA(ctx, o.Name)
		if err != nil {
			return there, err
		}
		if !there.Is(cert) {
			return there, &provisioning.Error{Kind: provisioning.ErrConflict, Message: fmt.Sprintf("The CA certificate %s of %s is not %s.", o.Name, at.Title(), ca.Subject),
				Hint: "Name the CA that was uploaded under that name."}
		}
		there.Code = code
		return provisioning.VerifyCA(ctx, at, there, func(code string) (*x509.Certificate, error) { return a.proveCA(ctx, ca, code, "") })
	})
}

// OnboardCA does all of it. say hears of each stage as it begins, on the calling
// goroutine; those that are not needed are left out.
func (a *App) OnboardCA(ctx context.Context, o Onboarding, say func(OnboardStage)) (OnboardedCA, error) {
	return a.onboard(ctx, o, func(at provisioning.Onboarder, ca catalog.Certificate, cert *x509.Certificate) (provisioning.UploadedCA, error) {
		at = announced{at, say}
		uploaded, err := provisioning.UploadCA(ctx, at, o.Name, cert)
		if err != nil {
			return uploaded, err
		}
		return provisioning.VerifyCA(ctx, at, uploaded, func(code string) (*x509.Certificate, error) {
			say(OnboardProof)
			return a.proveCA(ctx, ca, code, "")
		})
	})
}

func (a *App) onboard(ctx context.Context, o Onboarding, do func(provisioning.Onboarder, catalog.Certificate, *x509.Certificate) (provisioning.UploadedCA, error)) (OnboardedCA, error) {
	if err := o.check(); err != nil {
		return OnboardedCA{}, err
	}
	ca, cert, err := a.caOf(ctx, o.CA)
	if err != nil {
		return OnboardedCA{}, err
	}
	at, release, err := a.onboarderOf(ctx, o)
	if err != nil {
		return OnboardedCA{}, err
	}
	defer release()
	done, err := do(at, ca, cert)
	if err != nil {
		return OnboardedCA{}, translate(err)
	}
	return onboardedOf(done), nil
}

// announced tells of each write before it is sent.
type announced struct {
	provisioning.Onboarder
	say func(OnboardStage)
}

func (n announced) UploadCA(ctx context.Context, name string, cert *x509.Certificate) (provisioning.UploadedCA, error) {
	n.say(OnboardUpload)
	return n.Onboarder.UploadCA(ctx, name, cert)
}

func (n announced) CACode(ctx context.Context, name, etag string) (provisioning.UploadedCA, error) {
	n.say(OnboardCode)
	return n.Onboarder.CACode(ctx, name, etag)
}

func (n announced) VerifyCA(ctx context.Context, name, etag string, proof *x509.Certificate) (provisioning.UploadedCA, error) {
	n.say(OnboardVerify)
	return n.Onboarder.VerifyCA(ctx, name, etag, proof)
}

// OnboardByHand writes, as PEM, what a person uploads to a cloud that cannot be
// written from here: the CA, or with the code that the cloud shows for it the
// verification certificate. Left names the step that remains.
func (a *App) OnboardByHand(ctx context.Context, o Onboarding, code, file string) (OnboardedCA, error) {
	if err := o.check(); err != nil {
		return OnboardedCA{}, err
	}
	if _, err := a.catalog.Cloud(ctx, o.Cloud); err != nil {
		return OnboardedCA{}, translate(err)
	}
	ca, cert, err := a.caOf(ctx, o.CA)
	if err != nil {
		return OnboardedCA{}, err
	}
	service := map[Connection]string{HubConnection: "IoT Hub", DPSConnection: "Device Provisioning Service"}[o.To]
	done := OnboardedCA{Name: o.Name, Code: strings.TrimSpace(code), File: file,
		Left: fmt.Sprintf("In the portal, open Certificates of the %s, add this file as %s, open it and generate a verification code; then: edgewright cert ca verify %s --to %s --cloud %q --name %s --code CODE --out FILE",
			service, o.Name, ca.ID, o.To, o.Cloud, o.Name)}
	out, err := CreateNew(file) // before a certificate is made that it would not hold
	if err != nil {
		return OnboardedCA{}, err
	}
	if code != "" {
		if cert, err = a.proveCA(ctx, ca, code, ""); err != nil {
			out.Drop()
			return OnboardedCA{}, err
		}
		done.Left = fmt.Sprintf("In the portal, open the certificate %s of the %s, give it this file as the verification certificate and press Verify, within 7 days.", o.Name, service)
	}
	return done, out.Write(pki.PEM(cert))
}

// proveCA issues a verification certificate; its key is thrown away at once. A
// run that asks for it takes it back with its others.
func (a *App) proveCA(ctx context.Context, ca catalog.Certificate, code, runID string) (*x509.Certificate, error) {
	if strings.TrimSpace(code) == "" || len([]rune(code)) > 64 {
		return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The verification code has 1 to 64 characters.", Hint: "Copy it whole from the cloud."}
	}
	if !canSign(ca) {
		return nil, noKeyHere(ca)
	}
	issuer, err := a.issuerOf(ctx, ca)
	if err != nil {
		return nil, err
	}
	profile, ok := pki.ProfileByName("verification")
	if !ok {
		return nil, errors.New("the profile of verification certificates is missing")
	}
	key, err := pki.GenerateKey(rand.Reader, profile.Algorithm)
	if err != nil {
		return nil, err
	}
	proof, err := pki.Issue(rand.Reader, a.now(), issuer, pki.Order{Profile: profile, Subject: pkix.Name{CommonName: strings.TrimSpace(code)}, Public: key.Public(), Key: key})
	if err != nil {
		return nil, translate(err)
	}
	row := catalog.Certificate{Profile: profile.Name, Role: string(profile.Role), IssuerID: ca.ID, KeyPlace: keyNowhere, Run: runID}
	if runID != "" {
		row.RunRole = string(profile.Role) + " " + code // a run that was killed proves again, by another code
	}
	_, err = a.addCertificate(ctx, row, proof, secret.Value{}, vault.User, "")
	return proof, err
}
