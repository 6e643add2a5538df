package token

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestAddressesRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"pkcs11:":                               "pkcs11:",
		"PKCS11:token=a":                        "pkcs11:token=a",
		"pkcs11:object=k;token=a":               "pkcs11:token=a;object=k",
		"pkcs11:token=%61b%20c":                 "pkcs11:token=ab%20c",
		"pkcs11:token=R&D":                      "pkcs11:token=R&D",
		"pkcs11:token=a%3bb%3F%25":              "pkcs11:token=a%3Bb%3F%25",
		"pkcs11:token=Zähler":                   "",
		"pkcs11:token=Z%C3%A4hler":              "pkcs11:token=Z%C3%A4hler",
		"pkcs11:id=%00%ffab":                    "pkcs11:id=%00%FF%61%62",
		"pkcs11:type=private;slot-id=0":         "pkcs11:slot-id=0;type=private",
		"pkcs11:library-version=2.40":           "pkcs11:library-version=2.40",
		"pkcs11:library-version=3":              "pkcs11:library-version=3",
		"pkcs11:token=":                         "pkcs11:token=",
		"pkcs11:?module-path=/usr/lib/x.so":     "pkcs11:?module-path=/usr/lib/x.so",
		"pkcs11:token=a?module-name=softhsm2":   "pkcs11:token=a?module-name=softhsm2",
		"pkcs11:token=a?module-path=/a%20b/x|y": "pkcs11:token=a?module-path=/a%20b/x|y",
		"pkcs11:manufacturer=m;serial=1;model=x;library-manufacturer=l;library-description=d;slot-manufacturer=s;slot-description=t": "pkcs11:manufacturer=m;serial=1;model=x;library-manufacturer=l;library-description=d;slot-manufacturer=s;slot-description=t",
	} {
		u, err := ParseURI(text)
		if want == "" {
			if !errors.Is(err, ErrURI) {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%s: %q, %v, want %q", text, u, err, want)
		}
	}
}

func TestAddressesRefused(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"":                                      "does not begin with pkcs11:",
		"pkcs11":                                "does not begin with pkcs11:",
		"http:token=a":                          "does not begin with pkcs11:",
		"pkcs11:" + strings.Repeat("a", maxURI): "more than 4096",
		"pkcs11:id=" + strings.Repeat("a", maxValues+1): "values of more than 1024",
		"pkcs11:token":                          "NAME=VALUE",
		"pkcs11:=a":                             "NAME=VALUE",
		"pkcs11:token=a;":                       "NAME=VALUE",
		"pkcs11:token=a;;object=b":              "NAME=VALUE",
		"pkcs11:token=a?":                       "NAME=VALUE",
		"pkcs11:token=a;token=b":                "token twice",
		"pkcs11:colour=red":                     "does not belong before",
		"pkcs11:Token=a":                        "does not belong before",
		"pkcs11:module-path=x":                  "does not belong before",
		"pkcs11:token=a b":                      "%XX",
		"pkcs11:token=a/b":                      "%XX",
		"pkcs11:token=a#b":                      "%XX",
		"pkcs11:token=a\nb":                     "%XX",
		"pkcs11:token=%4":                       "hexadecimal",
		"pkcs11:token=%zz":                      "hexadecimal",
		"pkcs11:token=%FF":                      "UTF-8",
		"pkcs11:token=a%00b":                    "UTF-8",
		"pkcs11:type=key":                       "none of private",
		"pkcs11:slot-id=-1":                     "slot-id is no number",
		"pkcs11:slot-id=01":                     "slot-id is no number",
		"pkcs11:slot-id=99999999999":            "slot-id is no number",
		"pkcs11:library-version=a":              "no version",
		"pkcs11:library-version=1.":             "no version",
		"pkcs11:library-version=1.2.3":          "no version",
		"pkcs11:library-version=1.999":          "no version",
		"pkcs11:?pin-value=1234":                "never stands in an address",
		"pkcs11:?pin-source=file:/x":            "never stands in an address",
		"pkcs11:?token=a":                       "does not belong behind",
		"pkcs11:?module-path=x.so":              "whole path",
		"pkcs11:?module-path=":                  "is empty",
		"pkcs11:?module-path=/x&module-path=/y": "module-path twice",
		"pkcs11:?module-path=/x&module-name=y":  "one is enough",
		"pkcs11:?module-name=../x":              "without folder",
		"pkcs11:?module-name=.x":                "without folder",
		"pkcs11:?module-path=/x%00":             "UTF-8",
		"pkcs11:?module-path=/x?module-name=y&": "NAME=VALUE",
	} {
		_, err := ParseURI(text)
		if !errors.Is(err, ErrURI) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60q: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "1234") {
			t.Errorf("the error quotes the address: %v", err)
		}
	}
}

func TestAddressesOfKeysAndTokens(t *testing.T) {
	t.Parallel()
	u := address(t, "pkcs11:token=a;object=old;id=%01;type=cert?module-name=m")
	if got := u.OfToken().String(); got != "pkcs11:token=a?module-name=m" {
		t.Error(got)
	}
	if got := u.WithKey("new", []byte{2}).String(); got != "pkcs11:token=a;object=new;type=private;id=%02?module-name=m" {
		t.Error(got)
	}
	if u.Object() != "old" || !bytes.Equal(u.ID(), []byte{1}) || u.Token() != "a" || !u.NamesKey() || u.OfToken().NamesKey() {
		t.Error("the address was changed")
	}
	if got := (URI{}).WithKey("", nil).String(); got != "pkcs11:type=private" {
		t.Error(got)
	}
}

// FuzzParseURI looks for addresses that read and do not come back as they were
// understood.
func FuzzParseURI(f *testing.F) {
	for _, text := range []string{"pkcs11:", "pkcs11:token=a;object=b%20c;id=%00%01;type=private?module-path=/usr/lib/x.so",
		"PKCS11:slot-id=3;library-version=2.40?module-name=softhsm2", "pkcs11:token=%C3%A4&b", "pkcs11:?pin-value=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURI(text)
		if err != nil {
			if !errors.Is(err, ErrURI) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		again, err := ParseURI(u.String())
		if err != nil || again.String() != u.String() || again.Object() != u.Object() || !bytes.Equal(again.ID(), u.ID()) || again.Token() != u.Token() {
			t.Errorf("%q became %q: %v", text, u, err)
		}
		if _, err := ParseURI(u.WithKey("x;?&", []byte{0xff}).String()); err != nil && len(text) < maxValues/2 {
			t.Errorf("with a key: %v", err)
		}
	})
}
