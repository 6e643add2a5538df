package practice

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/deviceprovisioningservices/armdeviceprovisioningservices"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/iothub/armiothub"
)

// fixedToken signs in with one token.
type fixedToken string

func (f fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func (b *bench) armOptions(t *testing.T) *arm.ClientOptions {
	_, port, _ := net.SplitHostPort(b.Info().HTTPS)
	return &arm.ClientOptions{DisableRPRegistration: true, ClientOptions: policy.ClientOptions{Transport: client(t, b.Cloud), Retry: policy.RetryOptions{MaxRetries: -1},
		Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: "https://" + dpsName + ":" + port, Audience: "https://management.practice.test"}}}}}
}

func httpStatus(err error) int {
	var failed *azcore.ResponseError
	if errors.As(err, &failed) && failed.ErrorCode != "" {
		return failed.StatusCode
	}
	return 0
}

// TestHubCertificatesByAzureSDK proves possession with Azure's own client.
func TestHubCertificatesByAzureSDK(t *testing.T) {
	b, ctx := open(t, Options{Now: time.Now}), t.Context()
	serve(t, b.Cloud)
	sdk, err := armiothub.NewCertificatesClient("any", fixedToken(b.Info().ARMToken.RevealString()), b.armOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	root := issue(t, "root", nil, true, func(c *x509.Certificate) { c.NotAfter = time.Now().AddDate(1, 0, 0) })
	text, yes := base64.StdEncoding.EncodeToString(root.cert.Raw), true
	made, err := sdk.CreateOrUpdate(ctx, "rg", "hub", "plant", armiothub.CertificateDescription{Properties: &armiothub.CertificateProperties{Certificate: &text}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	short, _ := thumbprints(root.cert)
	if p := made.Properties; *p.Subject != "root" || *p.Thumbprint != short || *p.IsVerified || !p.Expiry.Equal(root.cert.NotAfter) || *p.Certificate != text ||
		*made.Name != "plant" || !strings.HasSuffix(*made.ID, "/providers/Microsoft.Devices/IotHubs/hub/certificates/plant") {
		t.Errorf("made %+v", made)
	}
	if _, err := sdk.GenerateVerificationCode(ctx, "rg", "hub", "plant", "x", nil); httpStatus(err) != 412 {
		t.Errorf("stale etag: %v", err)
	}
	code, err := sdk.GenerateVerificationCode(ctx, "rg", "hub", "plant", *made.Etag, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sdk.Get(ctx, "rg", "hub", "plant", nil); err != nil || *got.Etag != *code.Etag {
		t.Errorf("get %+v, %v", got, err)
	}
	proof := issue(t, *code.Properties.VerificationCode, &root, false, nil)
	proofText := base64.StdEncoding.EncodeToString([]byte(proof.pem()))
	verified, err := sdk.Verify(ctx, "rg", "hub", "plant", *code.Etag, armiothub.CertificateVerificationDescription{Certificate: &proofText}, nil)
	if err != nil || !*verified.Properties.IsVerified {
		t.Fatalf("%+v, %v", verified, err)
	}
	if _, err := sdk.CreateOrUpdate(ctx, "rg", "hub", "second", armiothub.CertificateDescription{Properties: &armiothub.CertificateProperties{Certificate: &text, IsVerified: &yes}}, nil); err != nil {
		t.Error(err)
	}
	list, err := sdk.ListByIotHub(ctx, "rg", "hub", nil)
	if err != nil || len(list.Value) != 2 || !*list.Value[1].Properties.IsVerified {
		t.Errorf("list %+v, %v", list, err)
	}
	if _, err := sdk.Delete(ctx, "rg", "hub", "plant", *code.Etag, nil); httpStatus(err) != 412 {
		t.Errorf("stale etag: %v", err)
	}
	if _, err := sdk.Delete(ctx, "rg", "hub", "plant", *verified.Etag, nil); err != nil {
		t.Error(err)
	}
	if _, err := sdk.Get(ctx, "rg", "hub", "plant", nil); httpStatus(err) != 404 {
		t.Errorf("after removal: %v", err)
	}
	if _, err := sdk.ListByIotHub(ctx, "rg", "none", nil); httpStatus(err) != 404 {
		t.Errorf("no such hub: %v", err)
	}
	if _, err := sdk.ListByIotHub(ctx, "rg", "dps", nil); httpStatus(err) != 404 {
		t.Errorf("DPS is no hub: %v", err)
	}
}

// TestDPSCertificatesByAzureSDK does the same at DPS, whose client takes its
// arguments in another order each time.
func TestDPSCertificatesByAzureSDK(t *testing.T) {
	b, ctx := open(t, Options{Now: time.Now}), t.Context()
	serve(t, b.Cloud)
	sdk, err := armdeviceprovisioningservices.NewDpsCertificateClient("any", fixedToken(b.Info().ARMToken.RevealString()), b.armOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	root := issue(t, "root", nil, true, nil)
	made, err := sdk.CreateOrUpdate(ctx, "rg", "dps", "plant", armdeviceprovisioningservices.CertificateResponse{
		Properties: &armdeviceprovisioningservices.CertificateProperties{Certificate: root.cert.Raw}}, nil)
	if err != nil || *made.Properties.IsVerified {
		t.Fatalf("%+v, %v", made, err)
	}
	code, err := sdk.GenerateVerificationCode(ctx, "plant", *made.Etag, "rg", "dps", nil)
	if err != nil {
		t.Fatal(err)
	}
	proof := issue(t, *code.Properties.VerificationCode, &root, false, nil).pem()
	verified, err := sdk.VerifyCertificate(ctx, "plant", *code.Etag, "rg", "dps", armdeviceprovisioningservices.VerificationCodeRequest{Certificate: &proof}, nil)
	if err != nil || !*verified.Properties.IsVerified {
		t.Fatalf("%+v, %v", verified, err)
	}
	if got, err := sdk.Get(ctx, "plant", "rg", "dps", nil); err != nil || string(got.Properties.Certificate) != string(root.cert.Raw) {
		t.Errorf("get %+v, %v", got, err)
	}
	if list, err := sdk.List(ctx, "rg", "dps", nil); err != nil || len(list.Value) != 1 {
		t.Errorf("list %+v, %v", list, err)
	}
	if _, err := sdk.Delete(ctx, "rg", *verified.Etag, "dps", "plant", nil); err != nil {
		t.Error(err)
	}
	if _, err := sdk.Delete(ctx, "rg", "*", "dps", "plant", nil); err != nil { // 204
		t.Error(err)
	}
}

func TestManagementTokenIsNeeded(t *testing.T) {
	b := open(t, Options{})
	const hubs = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/hub/certificates"
	token := b.Info().ARMToken.RevealString()
	for name, auth := range map[string]string{
		"none": "", "not bearer": token, "wrong": "Bearer " + token + "x", "empty": "Bearer ", "owner's SAS": b.owner(),
		"policy key": "Bearer " + b.settings().DPSKey.PrimaryKey.Secret().RevealBase64(),
	} {
		for _, c := range []call{{method: "GET", path: hubs}, {method: "GET", path: hubs + "/a"}, {method: "PUT", path: hubs + "/a", body: "{}"}, {method: "DELETE", path: hubs + "/a"},
			{method: "POST", path: hubs + "/a/generateVerificationCode"}, {method: "POST", path: hubs + "/a/verify", body: "{}"}} {
			c.auth = auth
			if r := b.do(c); r.status != http.StatusUnauthorized || !strings.HasPrefix(r.body, `{"error":{"code":"Unauthorized"`) {
				t.Errorf("%s: %s %s: %d %s", name, c.method, c.path, r.status, r.body)
			}
		}
	}
	do := func(method, path, body string, status int) {
		t.Helper()
		if r := b.do(call{method: method, path: path, body: body, auth: "Bearer " + token}); r.status != status {
			t.Errorf("%s %s: %d %s", method, path, r.status, r.body)
		}
	}
	do("GET", strings.ToUpper(hubs[:20])+hubs[20:]+"/", "", 200)
	do("PUT", hubs+"/a", "[", 400)
	do("PUT", hubs+"/a", `{"properties":{"certificate":7}}`, 400)
	do("POST", hubs+"/a/verify", "{}", 404)
	do("PATCH", hubs+"/a", "{}", 405)
	do("GET", "/subscriptions/s/resourceGroups", "", 404)
	// The token is chosen once per folder.
	if c := b.reopened(); c.Info().ARMToken.RevealString() != token {
		t.Error("another token")
	}
}
