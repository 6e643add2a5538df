package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"edgewright/provisioning/secret"
)

// made is when the certificates of the tests begin.
var made = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// pair makes a self-signed certificate and its key.
func pair(t testing.TB, name string) Pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotBefore: made, NotAfter: made.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Pair{Chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key: secret.New(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))}
}

func example(t testing.TB, edgeCA bool) Bundle {
	t.Helper()
	b := Bundle{Batch: "m-1", Device: "line-7-0001", Made: made, Plan: []byte("version = 1\n"), Identity: pair(t, "line-7-0001")}
	if edgeCA {
		edge := pair(t, "line-7-0001.ca")
		root := pair(t, "root")
		b.EdgeCA, b.Trust = &edge, root.Chain
	}
	return b
}

func bench(t testing.TB) *age.X25519Identity {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func TestSealAndOpen(t *testing.T) {
	for _, edgeCA := range []bool{false, true} {
		to := bench(t)
		b := example(t, edgeCA)
		sealed, err := Seal(b, to.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range [][]byte{b.Identity.Key.Reveal(), []byte("line-7-0001"), []byte("PRIVATE")} {
			if bytes.Contains(sealed, hidden) {
				t.Errorf("the sealed bundle shows %q", hidden[:7])
			}
		}
		got, err := Open(sealed, bench(t), to)
		if err != nil {
			t.Fatal(err)
		}
		if got.Batch != b.Batch || got.Device != b.Device || !got.Made.Equal(b.Made) || !bytes.Equal(got.Plan, b.Plan) || !bytes.Equal(got.Identity.Chain, b.Identity.Chain) ||
			!got.Identity.Key.Equal(b.Identity.Key) || (got.EdgeCA != nil) != edgeCA || !bytes.Equal(got.Trust, b.Trust) {
			t.Errorf("%+v", got)
		}
		if edgeCA && (!got.EdgeCA.Key.Equal(b.EdgeCA.Key) || !bytes.Equal(got.EdgeCA.Chain, b.EdgeCA.Chain)) {
			t.Errorf("Edge CA: %+v", got.EdgeCA)
		}
	}
}

// TestSealedForAnAgeRecipient wraps for recipients by their text; age's own
// identities open it, and nobody else's.
func TestSealedForAnAgeRecipient(t *testing.T) {
	for range 20 {
		identity := bench(t)
		to, err := ParseRecipient(identity.Recipient().String())
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := Seal(example(t, false), to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(sealed, bench(t), identity); err != nil {
			t.Error(err)
		}
		if _, err := Open(sealed, bench(t)); !errors.Is(err, ErrRecipient) {
			t.Errorf("a stranger: %v", err)
		}
	}
	weak := x25519Recipient{} // a point that leads everybody to the same key
	if _, err := Seal(example(t, false), weak); err == nil {
		t.Error("sealed for a point of low order")
	}
}

// TestAgeOpensIt shows that the format is the documented one: the tools of others
// open it.
func TestAgeOpensIt(t *testing.T) {
	if _, err := exec.LookPath("age"); err != nil {
		t.Skip("needs age")
	}
	dir := t.TempDir()
	to := bench(t)
	recipient, err := ParseRecipient(to.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := Seal(example(t, true), recipient)
	if err != nil {
		t.Fatal(err)
	}
	identity, file := filepath.Join(dir, "identity"), filepath.Join(dir, "b"+Extension)
	if err := errors.Join(os.WriteFile(identity, []byte(to.String()), 0o600), os.WriteFile(file, sealed, 0o600)); err != nil {
		t.Fatal(err)
	}
	plain, err := exec.Command("age", "--decrypt", "--identity", identity, file).Output()
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("tar", "--list")
	list.Stdin = bytes.NewReader(plain)
	names, err := list.Output()
	if want := strings.Join(orders[3], "\n") + "\n"; err != nil || string(names) != want {
		t.Errorf("tar lists %q, %v", names, err)
	}
}

// TestSealedForAnSSHHostKey uses keys that ssh-keygen made, and lets the age
// tool open one.
func TestSealedForAnSSHHostKey(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("needs ssh-keygen")
	}
	for _, kind := range []string{"ed25519", "rsa"} {
		t.Run(kind, func(t *testing.T) {
			key := filepath.Join(t.TempDir(), "ssh_host_key")
			if out, err := exec.Command("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", key).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			public, err := os.ReadFile(key + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			private, err := os.ReadFile(key)
			if err != nil {
				t.Fatal(err)
			}
			to, err := ParseRecipient(string(public))
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := Seal(example(t, true), to)
			if err != nil {
				t.Fatal(err)
			}
			with, err := ParseIdentity(secret.New(private), secret.Value{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(sealed, with...); err != nil {
				t.Error(err)
			}
			if _, err := Open(sealed, bench(t)); !errors.Is(err, ErrRecipient) {
				t.Errorf("a stranger: %v", err)
			}
			if _, err := exec.LookPath("age"); err != nil {
				t.Skip("needs age")
			}
			decrypt := exec.Command("age", "--decrypt", "--identity", key)
			decrypt.Stdin = bytes.NewReader(sealed)
			if plain, err := decrypt.Output(); err != nil || !bytes.Contains(plain, []byte("line-7-0001")) {
				t.Errorf("age: %v", err)
			}
		})
	}
}

// seal encrypts any archive, as somebody hostile would.
func seal(t testing.TB, to age.Recipient, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// archive packs headers and data as they are given.
func archive(t testing.TB, change func(headers []*tar.Header, data [][]byte) ([]*tar.Header, [][]byte)) []byte {
	t.Helper()
	plain, err := pack(example(t, true))
	if err != nil {
		t.Fatal(err)
	}
	var headers []*tar.Header
	var data [][]byte
	files, err := readArchive(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		headers, data = append(headers, &tar.Header{Typeflag: tar.TypeReg, Name: file.name, Mode: 0o600}), append(data, file.data)
	}
	headers, data = change(headers, data)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i, header := range headers {
		if header.Typeflag == tar.TypeReg {
			header.Size = int64(len(data[i]))
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if _, err := w.Write(data[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestHostileBundlesAreRefused(t *testing.T) {
	to := bench(t)
	good, err := Seal(example(t, true), to.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	type change = func([]*tar.Header, [][]byte) ([]*tar.Header, [][]byte)
	with := func(c change) []byte { return seal(t, to.Recipient(), archive(t, c)) }
	replaced := func(name string, by func([]byte) []byte) []byte {
		return with(func(h []*tar.Header, d [][]byte) ([]*tar.Header, [][]byte) {
			for i := range h {
				if h[i].Name == name {
					d[i] = by(d[i])
				}
			}
			return h, d
		})
	}
	other := pair(t, "other")
	huge := archive(t, func(h []*tar.Header, d [][]byte) ([]*tar.Header, [][]byte) { return h, d })
	copy(huge[124:136], "77777777777\x00") // 8 GiB by the first header
	cases := map[string]struct {
		sealed []byte
		want   error
		says   string
	}{
		"empty":               {nil, ErrDamaged, "damaged"},
		"no age file":         {[]byte("PK\x03\x04 a zip file"), ErrDamaged, "damaged"},
		"cut off":             {good[:len(good)-1], ErrDamaged, "cut off"},
		"cut in the header":   {good[:60], ErrDamaged, "damaged"},
		"one bit changed":     {append(bytes.Clone(good[:len(good)-9]), append([]byte{good[len(good)-9] ^ 1}, good[len(good)-8:]...)...), ErrDamaged, "changed"},
		"something behind":    {append(bytes.Clone(good), 'x'), ErrDamaged, "changed"},
		"larger than any is":  {make([]byte, MaxSealed+1), ErrRefused, "more than"},
		"a size of gigabytes": {seal(t, to.Recipient(), huge), ErrRefused, "archive"},
		"no archive":          {seal(t, to.Recipient(), []byte("hello")), ErrRefused, "archive"},
		"nothing in it":       {seal(t, to.Recipient(), make([]byte, 1024)), ErrRefused, "begin with its manifest"},
		"bytes behind the archive": {seal(t, to.Recipient(), append(archive(t, func(h []*tar.Header, d [][]byte) ([]*tar.Header, [][]byte) { return h, d }), make([]byte, 512)...)),
			ErrRefused, "follows"},
		"a path out of the folder": {with(func(h []*tar.Header, d [][]byte) ([]*tar.Header, [][]byte) {
			h[1].Name = "../../etc/passwd"
			return h, d
		}), ErrRefused, "members"},
		"an absolute path": {with(func(h []*tar.Header, d [][]byte) ([]*tar.Header, [][]byte) { h[1].Name = "/etc/passwd"; return h, d }), ErrRefused, "members"},
		"a link": {with(func(h []*tar.Header, d [][]byte) ([]*tar.Header, [][]byte) {
			h[1] = &tar.Header{Typeflag: tar.TypeSymlink, Name: PlanName, Linkname: "/etc/passwd"}
			return h, d
		}), ErrRefused, "plain file"},
		"two plans": {with(func(h []*tar.Header, d [][]byte) ([]*tar.Header, [][]byte) {
			return append(h[:2:2], h[1:]...), append(d[:2:2], d[1:]...)
		}), ErrRefused, "too many"},
		"without the trust bundle": {with(func(h []*tar.Header, d [][]byte) ([]*tar.Header, [][]byte) { return h[:len(h)-1], d[:len(d)-1] }), ErrRefused, "names other members"},
		"another version":          {replaced(manifestName, func(d []byte) []byte { return bytes.Replace(d, []byte(`"version":2`), []byte(`"version":1`), 1) }), ErrVersion, "version 1"},
		"another manifest":         {replaced(manifestName, func(d []byte) []byte { return bytes.Replace(d, []byte("line-7-0001"), []byte("line-7-0002"), 1) }), ErrRefused, "not that of the manifest's device"},
		"a manifest of more":       {replaced(manifestName, func(d []byte) []byte { return append(d, "{}"...) }), ErrRefused, "manifest"},
		"an unknown member of the manifest": {replaced(manifestName, func(d []byte) []byte {
			return bytes.Replace(d, []byte(`"version":2`), []byte(`"version":2,"run":"rm"`), 1)
		}), ErrRefused, "manifest"},
		"no manifest at all": {replaced(manifestName, func([]byte) []byte { return []byte("[]") }), ErrRefused, "manifest"},
		"another plan":       {replaced(PlanName, func([]byte) []byte { return []byte("version = 2\n") }), ErrRefused, PlanName},
		"another key":        {replaced(KeyName, func([]byte) []byte { return other.Key.Reveal() }), ErrRefused, KeyName},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b, err := Open(c.sealed, to)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
			if b.Device != "" || !b.Identity.Key.IsEmpty() {
				t.Errorf("something comes back: %+v", b)
			}
		})
	}
	if _, err := Open(good); !errors.Is(err, ErrRecipient) {
		t.Errorf("without an identity: %v", err)
	}
}

// TestPairsThatDoNotBelongTogether are bundles whose sums are right and whose
// content is not.
func TestPairsThatDoNotBelongTogether(t *testing.T) {
	to := bench(t)
	other := pair(t, "other")
	for name, spoil := range map[string]func(*Bundle){
		"another identity's key": func(b *Bundle) { b.Identity.Key = other.Key },
		"another Edge CA's key":  func(b *Bundle) { b.EdgeCA.Key = other.Key },
		"no certificate":         func(b *Bundle) { b.Identity.Chain = []byte("none") },
		"a key in the chain":     func(b *Bundle) { b.Identity.Chain = append(b.Identity.Chain, b.Identity.Key.Reveal()...) },
		"a trust bundle of keys": func(b *Bundle) { b.Trust = b.Identity.Key.Reveal() },
		"two keys": func(b *Bundle) {
			b.Identity.Key = secret.New(append(bytes.Clone(b.Identity.Key.Reveal()), other.Key.Reveal()...))
		},
	} {
		b := example(t, true)
		spoil(&b)
		sealed, err := Seal(b, to.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(sealed, to); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	for _, text := range []string{"", "age1nothing", "ssh-dss AAAA", "ssh-ed25519 AAAA", "bench-1"} {
		if _, err := ParseRecipient(text); !errors.Is(err, ErrRecipientText) {
			t.Errorf("recipient %q: %v", text, err)
		}
	}
	for _, text := range []string{"", "AGE-SECRET-KEY-1MINE", "-----BEGIN OPENSSH PRIVATE KEY-----\nbWluZQ==\n-----END OPENSSH PRIVATE KEY-----\n"} {
		_, err := ParseIdentity(secret.FromString(text), secret.Value{})
		if !errors.Is(err, ErrIdentityText) || strings.Contains(err.Error(), "MINE") || strings.Contains(err.Error(), "bWluZQ") {
			t.Errorf("identity %q: %v", text, err)
		}
	}
	identity, recipient, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := RecipientOf(identity); err != nil || again != recipient {
		t.Errorf("%s %v", again, err)
	}
}

// FuzzUnpack gives Open's inside anything: what it takes must be whole and must
// pack to something that it takes again.
func FuzzUnpack(f *testing.F) {
	for _, edgeCA := range []bool{false, true} {
		plain, err := pack(example(f, edgeCA))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plain)
		f.Add(plain[:len(plain)/2])
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		b, err := unpack(bytes.Clone(plain))
		switch {
		case err != nil && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrVersion):
			t.Errorf("an error of another kind: %v", err)
		case err != nil && b.Device != "":
			t.Errorf("an error and a bundle: %v", err)
		case err == nil && (len(b.Identity.Chain) == 0 || b.Identity.Key.IsEmpty() || !bytes.Contains(plain, b.Identity.Key.Reveal())):
			t.Error("half a bundle is taken")
		}
	})
}

// FuzzOpen gives Open files that are no age files, or nearly.
func FuzzOpen(f *testing.F) {
	to := bench(f)
	good, err := Seal(example(f, false), to.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("age-encryption.org/v1\n-> X25519 aaaa\n\n--- \n"))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := Open(sealed, to); err == nil && !bytes.Equal(sealed, good) {
			t.Error("a file that nobody sealed opens")
		}
	})
}

// FuzzKeys reads recipients and identities.
func FuzzKeys(f *testing.F) {
	identity, recipient, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(recipient)
	f.Add(identity.RevealString())
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2u8OyD5Yw1oyR5wWzGm2f0yJm6B0a5L2v1m4w9m0aF x")
	f.Fuzz(func(t *testing.T, text string) {
		if to, err := ParseRecipient(text); (err == nil) != (to != nil) {
			t.Errorf("%v %v", to, err)
		}
		if with, err := ParseIdentity(secret.FromString(text), secret.Value{}); err == nil && len(with) == 0 {
			t.Error("no identity and no error")
		}
	})
}

// An identity that is encrypted opens with its passphrase and with no other.
func TestEncryptedIdentitiesOpen(t *testing.T) {
	texts := map[string]secret.Value{}
	plain, _, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, armored := range []bool{false, true} {
		to, err := age.NewScryptRecipient("a passphrase")
		if err != nil {
			t.Fatal(err)
		}
		to.SetWorkFactor(10)
		var out bytes.Buffer
		var into io.WriteCloser = nopCloser{&out}
		if armored {
			into = armor.NewWriter(&out)
		}
		w, err := age.Encrypt(into, to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain.Reveal()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Close(), into.Close()); err != nil {
			t.Fatal(err)
		}
		texts[fmt.Sprint("age, armored ", armored)] = secret.New(out.Bytes())
	}
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("needs ssh-keygen")
	}
	for _, kind := range []string{"ed25519", "rsa"} {
		file := filepath.Join(t.TempDir(), kind)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", kind, "-N", "a passphrase", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("%s %v", out, err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts["ssh "+kind] = secret.New(text)
	}
	for name, text := range texts {
		for passphrase, opens := range map[string]bool{"": false, "another": false, "a passphrase": true} {
			with, err := ParseIdentity(text, secret.FromString(passphrase))
			if opens && (err != nil || len(with) != 1) || !opens && !errors.Is(err, ErrPassphrase) {
				t.Errorf("%s with %q: %v", name, passphrase, err)
			}
		}
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
