package azure

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"edgewright/provisioning/pki"
	"edgewright/provisioning/practice"
	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

type fixedToken string

func (f fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// plain stores the practice cloud's state as it is.
type plain struct{}

func (plain) Seal(_ string, text []byte) ([]byte, error) { return text, nil }
func (plain) Open(_ string, text []byte) ([]byte, error) { return text, nil }

// served is a practice cloud on a free loopback port, and how it is reached.
func served(t *testing.T) Params {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cloud, err := practice.Open(ctx, practice.Options{Dir: t.TempDir(), Sealer: plain{}, HTTPS: "127.0.0.1:0", MQTT: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cloud.Serve(ctx) }()
	t.Cleanup(func() { cancel(); <-done; _ = cloud.Close() })
	<-cloud.Ready()
	info := cloud.Info()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(info.CAPEM)
	return Params{Endpoint: "https://" + info.DPSHost, Audience: "https://management.practice.test", Credential: fixedToken(info.ARMToken.RevealString()),
		Resource: Resource{Subscription: "practice", Group: "practice", Kind: DPS, Name: "dps"},
		Options: rest.Options{RootCAs: roots, Retry: rest.Retry{Max: -1}, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, info.HTTPS)
		}}}
}

func client(t *testing.T, p Params) *Certificates {
	t.Helper()
	c, err := NewCertificates(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func issue(t *testing.T, profileName, name string, by pki.Issuer) pki.Issuer {
	t.Helper()
	profile, ok := pki.ProfileByName(profileName)
	if !ok {
		t.Fatalf("no profile %s", profileName)
	}
	key, err := pki.GenerateKey(rand.Reader, pki.P256)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := pki.Issue(rand.Reader, time.Now(), by, pki.Order{Profile: profile, Subject: pkix.Name{CommonName: name}, Public: key.Public(), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return pki.Issuer{Certificate: cert, Signer: key}
}

func TestCAIsUploadedProvenAndRemoved(t *testing.T) {
	p := served(t)
	ca, other := issue(t, "root CA", "Plant Root", pki.Issuer{}), issue(t, "root CA", "Other", pki.Issuer{})
	hub := p
	hub.Resource.Kind, hub.Resource.Name = Hub, "hub"
	for kind, p := range map[Kind]Params{DPS: p, Hub: hub} {
		t.Run(string(kind), func(t *testing.T) {
			c, ctx := client(t, p), t.Context()
			if _, err := c.Get(ctx, "plant"); !wire.IsNotFound(err) {
				t.Fatalf("before: %v", err)
			}
			made, err := c.Upload(ctx, "plant", ca.Certificate)
			if err != nil || made.Value.Verified || made.Value.ETag == "" || made.Value.Code != "" || !made.Value.Certificate.Equal(ca.Certificate) ||
				!strings.EqualFold(made.Value.Thumbprint, pki.SHA1(ca.Certificate)) {
				t.Fatalf("uploaded %+v: %v", made, err)
			}
			if _, err := c.Upload(ctx, "plant", other.Certificate); !wire.IsConflict(err) {
				t.Errorf("another one in its place: %v", err)
			}
			coded, err := c.GenerateCode(ctx, "plant", made.Value.ETag)
			if err != nil || coded.Code == "" || coded.ETag == made.Value.ETag {
				t.Fatalf("code %+v: %v", coded, err)
			}
			if _, err := c.GenerateCode(ctx, "plant", made.Value.ETag); !wire.HasStatus(err, http.StatusPreconditionFailed) {
				t.Errorf("an old etag: %v", err)
			}
			if _, err := c.Verify(ctx, "plant", coded.ETag, issue(t, "verification", "another", ca).Certificate); !wire.HasStatus(err, http.StatusBadRequest) {
				t.Errorf("a wrong proof: %v", err)
			}
			proven, err := c.Verify(ctx, "plant", coded.ETag, issue(t, "verification", coded.Code, ca).Certificate)
			if err != nil || !proven.Verified {
				t.Fatalf("proven %+v: %v", proven, err)
			}
			if list, err := c.List(ctx); err != nil || len(list) != 1 || list[0].Name != "plant" || !list[0].Verified {
				t.Errorf("list %+v: %v", list, err)
			}
			if err := c.Delete(ctx, "plant", coded.ETag); !wire.HasStatus(err, http.StatusPreconditionFailed) {
				t.Errorf("removed by an old etag: %v", err)
			}
			for range 2 { // also one that is not there
				if err := c.Delete(ctx, "plant", proven.ETag); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestRefusedTokenAndNames(t *testing.T) {
	p := served(t)
	c, ctx := client(t, p), t.Context()
	for _, name := range []string{"", "a b", "a/b", "ä", strings.Repeat("a", 257)} {
		if _, err := c.Get(ctx, name); !errors.Is(err, errName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := c.GenerateCode(ctx, "a", ""); !errors.Is(err, errNoETag) {
		t.Error(err)
	}
	p.Credential = fixedToken("guessed")
	_, err := client(t, p).List(ctx)
	var failed *wire.Error
	if !errors.As(err, &failed) || failed.Status != http.StatusUnauthorized || failed.Name != "Unauthorized" || failed.Message == "" || strings.Contains(err.Error(), "guessed") {
		t.Errorf("%v", err)
	}
	for _, bad := range []func(*Params){func(p *Params) { p.Resource.Kind = "Vaults" }, func(p *Params) { p.Resource.Name = "" },
		func(p *Params) { p.Credential = nil }, func(p *Params) { p.Endpoint = "http://plain" }} {
		broken := p
		bad(&broken)
		if _, err := NewCertificates(broken); err == nil {
			t.Errorf("taken: %+v", broken.Resource)
		}
	}
}

// FuzzAnswer reads certificates and failures as a service might send them.
func FuzzAnswer(f *testing.F) {
	f.Add("", `{"error":{"code":"Conflict","message":"there"}}`)
	f.Add("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=", `{"code":409,"Message":"x"}`)
	f.Add("MAA=", `[]`)
	f.Fuzz(func(t *testing.T, text, body string) {
		if cert, err := readCertificate(text); (cert == nil) == (err == nil) {
			t.Errorf("certificate %v and error %v", cert, err)
		}
		if said := failure(http.Header{}, []byte(body)); strings.ContainsAny(said.Message+said.Name, "\r\n") {
			t.Errorf("a message of several lines: %q", said.Message)
		}
	})
}

func TestCertificateAsPEM(t *testing.T) {
	ca := issue(t, "root CA", "Plant Root", pki.Issuer{}).Certificate
	for _, given := range [][]byte{ca.Raw, pki.PEM(ca)} {
		read, err := readCertificate(base64.StdEncoding.EncodeToString(given))
		if err != nil || !read.Equal(ca) {
			t.Errorf("%v", err)
		}
	}
}
