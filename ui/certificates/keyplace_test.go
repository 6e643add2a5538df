package certificates

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edgewright/app"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	"edgewright/ui/pagetest"
)

// tokenArgument makes the test program the process of a token's module.
const tokenArgument = "serve-token"

// withToken gives the desk a SoftHSM token; pin is what is typed for it.
func (d *desk) withToken(pin *string) (address string) {
	d.Helper()
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		d.Skip("needs softhsm2-util")
	}
	dir := d.TempDir()
	file := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(file, []byte("directories.tokendir = "+dir+"\nlog.level = ERROR\n"), 0o600); err != nil {
		d.Fatal(err)
	}
	make := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "plant", "--pin", "1234", "--so-pin", "so-pin-4321")
	make.Env = append(os.Environ(), "SOFTHSM2_CONF="+file)
	if out, err := make.CombinedOutput(); err != nil {
		d.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	config := frametest.Config(d.T)
	config.AskPassphrase = func(context.Context, bool) (secret.Value, error) {
		return secret.FromString("a passphrase of a test"), nil
	}
	config.AskPIN = func(context.Context, app.PINQuestion) (secret.Value, error) { return secret.FromString(*pin), nil }
	config.TokenHelper = []string{"env", "SOFTHSM2_CONF=" + file, os.Args[0], tokenArgument}
	a, err := app.New(d.c.Ctx, config)
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = a.Close() })
	d.c.App = a
	return "pkcs11:token=plant?module-path=/usr/lib/softhsm/libsofthsm2.so"
}

// A root's key is made in a token; what is wrong with the token is said before.
func TestAKeyIsMadeInAToken(t *testing.T) {
	d := sit(t)
	pin := "97531"
	address := d.withToken(&pin)
	d.open()
	d.p.Primary()
	f := d.p.form.(*makeForm)
	d.until("the form", func() bool { return f.profile.Selected == "root CA" })
	f.name.SetText("Token Root")
	d.until("what comes out", func() bool { return f.fits })
	f.place.where.SetSelected("Another token")
	f.place.address.SetText("pkcs11:nonsense")
	f.submit()
	d.sees("Write it as pkcs11:token=NAME")
	f.place.address.SetText(strings.Replace(address, "plant", "another", 1))
	pagetest.Press(t, d.c, "Open the token")
	d.sees("Plug the token in")
	f.place.address.SetText(address)
	pagetest.Press(t, d.c, "Open the token")
	d.sees("It is not tried again by itself")
	pin = "1234"
	pagetest.Press(t, d.c, "Open the token")
	d.sees("plant is open")
	d.sees("A wrong PIN was given")
	d.sees("will be made in it")
	d.p.Primary()
	d.sees("Token Root is made")
	d.sees("EC P-384, key in a token")

	// The next certificate may use the token that is known now, and its key.
	d.p.newCertificate("Token Root", "intermediate CA")
	f = d.p.form.(*makeForm)
	d.until("the form", func() bool { return f.profile.Selected != "" && len(f.place.tokens) == 1 })
	f.name.SetText("Line 7 issuing")
	f.algorithm.SetSelected("RSA 2048")
	f.place.where.SetSelected("The token plant")
	f.place.key.SetText("Token Root")
	pagetest.Press(t, d.c, "Open the token")
	d.sees("The key is there and is taken: EC P-384.")
	if f.algorithm.Selected != "EC P-384" {
		t.Errorf("the form still wants %s", f.algorithm.Selected)
	}
	f.place.key.SetText("")
	d.until("what comes out", func() bool { return f.fits })
	d.p.Primary()
	d.sees("Line 7 issuing is made")
}

// The fields of a token in every look.
func TestKeyPlacesEverywhere(t *testing.T) {
	d := sit(t)
	pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
		p := New(c)
		pagetest.Open(c, d.q, p, frame.Place{})
		p.newCertificate("", "root CA")
		f := p.form.(*makeForm)
		d.q.Until(t, "the form", func() bool { return f.profile.Selected != "" })
		f.name.SetText("Token Root")
		d.q.Until(t, "what comes out", func() bool { return f.fits })
		f.place.where.SetSelectedIndex(1)
		f.place.say(tokenLines(app.TokenState{Name: "plant", Serial: "a277794b3c58cb97", Maker: "SoftHSM project", Model: "SoftHSM v2", CountLow: true, Key: "p384"})...)
		return p
	})
}
