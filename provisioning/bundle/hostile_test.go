package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"

	"edgewright/provisioning/secret"
)

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
