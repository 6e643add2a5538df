package app

import (
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
)

// TestMintWithACAInAToken has each signature of a batch made by a SoftHSM token,
// several at once, without another question for the PIN, and openssl judge the
// chains.
func TestMintWithACAInAToken(t *testing.T) {
	t.Parallel()
	a, asked, address := newTokenApp(t)
	for _, n := range []NewCertificate{{Profile: "root CA", CommonName: "Plant root"}, {Profile: "intermediate CA", CommonName: "Line 7 issuing", CA: "Plant root"}} {
		n.Key = keyInToken + address.String()
		if _, err := a.MakeCertificate(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	to, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := ReadMintRange("press-{001..100}", MintRow{})
	if err != nil {
		t.Fatal(err)
	}
	request := MintRequest{Rows: rows, CA: "Line 7 issuing", Recipient: to.Recipient().String(), Folder: filepath.Join(t.TempDir(), "bundles")}
	before := len(asked.asked)
	out, err := a.Mint(t.Context(), request, nil)
	if err != nil || out.Outcome != provisioning.RunSucceeded || out.Made != len(rows) || len(asked.asked) != before {
		t.Fatalf("%+v %+v %v, asked %d times", out, out.Error, err, len(asked.asked)-before)
	}
	keys := map[string]bool{}
	for _, row := range rows {
		sealed, err := os.ReadFile(filepath.Join(request.Folder, row.ID+bundle.Extension))
		if err != nil {
			t.Fatal(err)
		}
		opened, err := bundle.Open(sealed, to)
		if err != nil {
			t.Fatal(opened.Device, err)
		}
		keys[opened.Identity.Key.RevealString()] = true
		if row.ID == "press-001" || row.ID == "press-100" {
			verifyByOpenSSL(t, opened)
		}
	}
	if len(keys) != len(rows) {
		t.Errorf("%d keys of %d devices", len(keys), len(rows))
	}
}
