package edgeconfig

import (
	"errors"
	"fmt"
	"strings"
)

// section is a table as it is to be written: its path and its keys in order.
type section struct {
	path []string
	keys []sectionKey
}

// sectionKey is a key with its value as TOML text. Where the value is an
// inline table of one key, inner is that key and text its string.
type sectionKey struct {
	name, inner, text string
}

func (k sectionKey) String() string {
	if k.inner != "" {
		return k.name + " = { " + k.inner + " = " + quote(k.text) + " }"
	}
	return k.name + " = " + quote(k.text)
}

// leaves are the strings of the section by their path below the root, parts
// joined as pathKey does.
func (s section) leaf(k sectionKey) []string {
	path := append(append([]string{}, s.path...), k.name)
	if k.inner != "" {
		path = append(path, k.inner)
	}
	return path
}

func (s section) write(b *strings.Builder, lineBreak string) {
	b.WriteString("[" + keyText(s.path...) + "]" + lineBreak)
	for _, key := range s.keys {
		b.WriteString(key.String() + lineBreak)
	}
}

// sections lays the provisioning out as tables, as the product's own template
// does.
func (p *Provisioning) sections() ([]section, error) {
	head := section{path: []string{"provisioning"}}
	add := func(s *section, name, text string) {
		if text != "" {
			s.keys = append(s.keys, sectionKey{name: name, text: text})
		}
	}
	add(&head, "source", p.Source)
	switch p.Source {
	case SourceManual:
		add(&head, "iothub_hostname", p.HubHostname)
		add(&head, "device_id", p.DeviceID)
		auth := section{path: []string{"provisioning", "authentication"}}
		add(&auth, "method", p.Authentication.Method)
		var err error
		switch p.Authentication.Method {
		case MethodSAS:
			err = auth.addKey("device_id_pk", p.DeviceKey.RevealBase64(), p.Authentication.KeyURI)
		case MethodX509:
			err = auth.addCertificate(p.Authentication.Certificate)
		default:
			err = fmt.Errorf("provisioning.authentication.method %q is not known", p.Authentication.Method)
		}
		return []section{head, auth}, errors.Join(err, need("iothub_hostname", p.HubHostname), need("device_id", p.DeviceID))
	case SourceDPS:
		add(&head, "global_endpoint", p.GlobalEndpoint)
		add(&head, "id_scope", p.IDScope)
		if p.Payload != "" {
			head.keys = append(head.keys, sectionKey{name: "payload", inner: "uri", text: p.Payload})
		}
		att := section{path: []string{"provisioning", "attestation"}}
		add(&att, "method", p.Attestation.Method)
		add(&att, "registration_id", p.Attestation.RegistrationID)
		var err error
		switch p.Attestation.Method {
		case MethodSymmetricKey:
			err = errors.Join(need("attestation.registration_id", p.Attestation.RegistrationID),
				att.addKey("symmetric_key", p.Attestation.SymmetricKey.RevealBase64(), p.Attestation.KeyURI))
		case MethodX509:
			err = att.addCertificate(p.Attestation.Certificate)
		case MethodTPM:
			err = need("attestation.registration_id", p.Attestation.RegistrationID)
		default:
			err = fmt.Errorf("provisioning.attestation.method %q is not known", p.Attestation.Method)
		}
		return []section{head, att}, errors.Join(err, need("global_endpoint", p.GlobalEndpoint), need("id_scope", p.IDScope))
	}
	return nil, fmt.Errorf("provisioning.source %q is neither manual nor dps", p.Source)
}

// addKey writes a symmetric key in the file itself where it is known: a key
// file must hold raw bytes, which is easily got wrong.
func (s *section) addKey(name, base64, uri string) error {
	switch {
	case base64 != "":
		s.keys = append(s.keys, sectionKey{name: name, inner: "value", text: base64})
	case uri != "":
		s.keys = append(s.keys, sectionKey{name: name, inner: "uri", text: uri})
	default:
		return fmt.Errorf("%s.%s has neither a key nor the URI of one", keyText(s.path...), name)
	}
	return nil
}

func (s *section) addCertificate(c Certificate) error {
	if c.Issued != nil {
		return fmt.Errorf("%s.identity_cert: a certificate issued on the device cannot be written yet", keyText(s.path...))
	}
	if c.Cert == "" || c.Key == "" {
		return fmt.Errorf("%s needs identity_cert and identity_pk", keyText(s.path...))
	}
	s.keys = append(s.keys, sectionKey{name: "identity_cert", text: c.Cert}, sectionKey{name: "identity_pk", text: c.Key})
	return nil
}

func need(name, text string) error {
	if text == "" {
		return fmt.Errorf("provisioning.%s is missing", name)
	}
	return nil
}
