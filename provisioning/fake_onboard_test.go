package provisioning

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"

	"edgewright/provisioning/pki"
)

// fakeCAs keeps the CA certificates of a service.
type fakeCAs struct {
	w  *world
	of string
}

func (f fakeCAs) Title() string { return f.of }

func (f fakeCAs) CAs(context.Context) (list []UploadedCA, err error) {
	for name, ca := range f.w.cas {
		if strings.HasPrefix(name, f.of+"/") {
			ca.Code = ""
			list = append(list, ca)
		}
	}
	return list, nil
}

func (f fakeCAs) CA(_ context.Context, name string) (UploadedCA, error) {
	ca, ok := f.w.cas[f.of+"/"+name]
	if !ok {
		return UploadedCA{}, ErrNotFound
	}
	ca.Code = ""
	return ca, nil
}

func (f fakeCAs) write(what string, ca UploadedCA) UploadedCA {
	f.w.effect(what, func() {
		f.w.codes++
		ca.ETag = fmt.Sprint(f.w.codes)
		f.w.cas[f.of+"/"+ca.Name] = ca
	})
	return ca
}

func (f fakeCAs) UploadCA(_ context.Context, name string, cert *x509.Certificate) (UploadedCA, error) {
	if _, ok := f.w.cas[f.of+"/"+name]; ok {
		return UploadedCA{}, ErrConflict
	}
	return f.write("upload CA", UploadedCA{Name: name, Certificate: cert, SHA1: pki.SHA1(cert)}), nil
}

func (f fakeCAs) change(name, etag string) (UploadedCA, error) {
	ca, ok := f.w.cas[f.of+"/"+name]
	switch {
	case !ok:
		return ca, ErrNotFound
	case ca.ETag != etag:
		return ca, ErrConflict
	}
	return ca, nil
}

func (f fakeCAs) CACode(_ context.Context, name, etag string) (UploadedCA, error) {
	ca, err := f.change(name, etag)
	if err != nil {
		return ca, err
	}
	ca.Code = fmt.Sprintf("CODE%d", f.w.codes)
	return f.write("make code", ca), nil
}

func (f fakeCAs) VerifyCA(_ context.Context, name, etag string, proof *x509.Certificate) (UploadedCA, error) {
	ca, err := f.change(name, etag)
	if err != nil {
		return ca, err
	}
	if ca.Code == "" || proof.Subject.CommonName != ca.Code || !pki.Signed(ca.Certificate, proof) {
		return ca, ErrInvalid
	}
	ca.Verified, ca.Code = true, ""
	return f.write("verify CA", ca), nil
}

func (f fakeCAs) DeleteCA(_ context.Context, name, etag string) error {
	if _, err := f.change(name, etag); err != nil {
		return err
	}
	f.w.effect("delete CA", func() { delete(f.w.cas, f.of+"/"+name) })
	return nil
}

func (f fakeCAs) UserOfCA(_ context.Context, name string) (string, error) {
	for _, e := range f.w.enrollments {
		if f.of == "DPS" && e.Uploaded == name {
			return "enrollment group " + e.Name, nil
		}
	}
	for id, identity := range f.w.identities {
		if f.of == "hub" && identity.Authentication == authCA {
			return "device " + id, nil
		}
	}
	return "", nil
}

// vouch puts the CA of all tests into the hub, verified.
func (w *world) vouch(name string) {
	ca := plantCA().Certificate
	w.cas["hub/"+name] = UploadedCA{Name: name, ETag: "0", Verified: true, Certificate: ca, SHA1: pki.SHA1(ca)}
}
