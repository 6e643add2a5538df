package app

import (
	"context"
	"crypto/x509"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"edgewright/provisioning"
	"edgewright/provisioning/azure"
	"edgewright/provisioning/dps"
	"edgewright/provisioning/iothub"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// onboarder fits the CA certificates of a hub or a DPS in Azure Resource Manager
// to the port of the domain.
type onboarder struct {
	client *azure.Certificates
	title  string
	// user names something that may need the CA certificate of that name.
	user func(ctx context.Context, name string) (string, error)
}

func (o onboarder) Title() string { return o.title }

func (o onboarder) CAs(ctx context.Context) ([]provisioning.UploadedCA, error) {
	found, err := o.client.List(ctx)
	if err != nil {
		return nil, translate(err)
	}
	list := make([]provisioning.UploadedCA, 0, len(found))
	for _, ca := range found {
		list = append(list, uploadedOf(ca))
	}
	return list, nil
}

func uploadedOf(ca azure.Certificate) provisioning.UploadedCA {
	return provisioning.UploadedCA{Name: ca.Name, ETag: ca.ETag, Verified: ca.Verified, Code: ca.Code, Certificate: ca.Certificate, SHA1: ca.Thumbprint}
}

func (o onboarder) CA(ctx context.Context, name string) (provisioning.UploadedCA, error) {
	found, err := o.client.Get(ctx, name)
	return uploadedOf(found), translate(err)
}

func (o onboarder) UploadCA(ctx context.Context, name string, cert *x509.Certificate) (provisioning.UploadedCA, error) {
	made, err := o.client.Upload(ctx, name, cert)
	return uploadedOf(made.Value), translate(err)
}

func (o onboarder) CACode(ctx context.Context, name, etag string) (provisioning.UploadedCA, error) {
	coded, err := o.client.GenerateCode(ctx, name, etag)
	return uploadedOf(coded), translate(err)
}

func (o onboarder) VerifyCA(ctx context.Context, name, etag string, proof *x509.Certificate) (provisioning.UploadedCA, error) {
	verified, err := o.client.Verify(ctx, name, etag, proof)
	return uploadedOf(verified), translate(err)
}

func (o onboarder) DeleteCA(ctx context.Context, name, etag string) error {
	return translate(o.client.Delete(ctx, name, etag))
}

func (o onboarder) UserOfCA(ctx context.Context, name string) (string, error) {
	user, err := o.user(ctx, name)
	return user, translate(err)
}

// groupOfCA finds an enrollment group that refers to an uploaded CA.
func groupOfCA(client *dps.Client) func(ctx context.Context, name string) (string, error) {
	return func(ctx context.Context, name string) (string, error) {
		for group, err := range client.Groups(ctx, "") {
			if err != nil {
				return "", err
			}
			if a := group.Attestation; a != nil && a.X509 != nil && a.X509.CAReferences != nil &&
				(strings.EqualFold(a.X509.CAReferences.Primary, name) || strings.EqualFold(a.X509.CAReferences.Secondary, name)) {
				return "enrollment group " + group.EnrollmentGroupID, nil
			}
		}
		return "", nil
	}
}

// deviceByCA finds a device that the hub knows by a CA. By which one the hub
// does not say, so any may be the one. The index of queries lags: each find is
// confirmed, and a device of the last seconds may be missed.
func deviceByCA(client *iothub.Client) func(ctx context.Context, name string) (string, error) {
	return func(ctx context.Context, _ string) (string, error) {
		for twin, err := range client.Query(ctx, "SELECT * FROM devices WHERE authenticationType = '"+wire.AuthCertificateAuthority+"'") {
			if err != nil {
				return "", err
			}
			device, err := client.Device(ctx, twin.DeviceID)
			if wire.IsNotFound(err) {
				continue
			}
			if err != nil {
				return "", err
			}
			if device.Authentication != nil && device.Authentication.Type == wire.AuthCertificateAuthority {
				return "device " + device.DeviceID, nil
			}
		}
		return "", nil
	}
}

// practiceCredential signs in to the practice cloud with its one token.
type practiceCredential struct {
	token secret.Value
	now   func() time.Time
}

// GetToken implements azcore.TokenCredential.
func (c practiceCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: c.token.RevealString(), ExpiresOn: c.now().Add(24 * time.Hour)}, nil
}

// practiceOnboarder keeps the CA certificates of the practice DPS, or of the
// hub of that label. Any subscription and group will do there.
func practiceOnboarder(info PracticeInfo, kind azure.Kind, name string, options connectOptions) (onboarder, error) {
	client, err := azure.NewCertificates(azure.Params{Endpoint: "https://" + info.DPSHost, Audience: "https://management.practice.test",
		Resource:   azure.Resource{Subscription: Practice, Group: Practice, Kind: kind, Name: name},
		Credential: practiceCredential{info.ARMToken, options.now},
		Options:    azure.Options{RootCAs: options.roots, DialContext: options.dial, Now: options.now}})
	return onboarder{client: client}, translate(err)
}

// addPracticeOnboarders adds the CA certificates of both services to a practice
// cloud.
func addPracticeOnboarders(cloud *provisioning.Cloud, info PracticeInfo, options connectOptions) error {
	label, _, _ := strings.Cut(info.HubHost, ".")
	hubCAs, err := practiceOnboarder(info, azure.Hub, label, options)
	if err != nil {
		return err
	}
	dpsCAs, err := practiceOnboarder(info, azure.DPS, PracticeDPS, options)
	if err != nil {
		return err
	}
	hubCAs.title, dpsCAs.title = cloud.Hub.Host(), info.DPSHost
	if hub, ok := cloud.Hub.(registry); ok {
		hubCAs.user = deviceByCA(hub.client)
	}
	if service, ok := cloud.DPS.(enroller); ok {
		dpsCAs.user = groupOfCA(service.client)
	}
	cloud.HubCAs, cloud.DPSCAs = hubCAs, dpsCAs
	return nil
}
