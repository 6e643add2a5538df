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

// sectionKey is a key with its value: a string, a bool or an int64. Where the
// value is an inline table of one key, inner is that key.
type sectionKey struct {
	name, inner string
	value       any
}

func (k sectionKey) String() string {
	if k.inner != "" {
		return k.name + " = { " + k.inner + " = " + k.text() + " }"
	}
	return k.name + " = " + k.text()
}

// text is the value as TOML.
func (k sectionKey) text() string {
	if text, ok := k.value.(string); ok {
		return quote(text)
	}
	return fmt.Sprint(k.value)
}

// leaf is the path of a key's value below the root.
func (s section) leaf(k sectionKey) []string {
	path := append(append([]string{}, s.path...), k.name)
	if k.inner != "" {
		path = append(path, k.inner)
	}
	return path
}

// add adds a key with a string, unless that is empty.
func (s *section) add(name, text string) {
	if text != "" {
		s.keys = append(s.keys, sectionKey{name: name, value: text})
	}
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
	head.add("source", p.Source)
	var issued []section
	switch p.Source {
	case SourceManual:
		head.add("iothub_hostname", p.HubHostname)
		head.add("device_id", p.DeviceID)
		auth := section{path: []string{"provisioning", "authentication"}}
		auth.add("method", p.Authentication.Method)
		var err error
		switch p.Authentication.Method {
		case MethodSAS:
			err = auth.addKey("device_id_pk", p.DeviceKey.RevealBase64(), p.Authentication.KeyURI)
		case MethodX509:
			issued, err = auth.addCertificate(p.Authentication.Certificate)
		default:
			err = fmt.Errorf("provisioning.authentication.method %q is not known", p.Authentication.Method)
		}
		return append([]section{head, auth}, issued...), errors.Join(err, need("iothub_hostname", p.HubHostname), need("device_id", p.DeviceID))
	case SourceDPS:
		head.add("global_endpoint", p.GlobalEndpoint)
		head.add("id_scope", p.IDScope)
		if p.Payload != "" {
			head.keys = append(head.keys, sectionKey{name: "payload", inner: "uri", value: p.Payload})
		}
		att := section{path: []string{"provisioning", "attestation"}}
		att.add("method", p.Attestation.Method)
		att.add("registration_id", p.Attestation.RegistrationID)
		var err error
		switch p.Attestation.Method {
		case MethodSymmetricKey:
			err = errors.Join(need("attestation.registration_id", p.Attestation.RegistrationID),
				att.addKey("symmetric_key", p.Attestation.SymmetricKey.RevealBase64(), p.Attestation.KeyURI))
		case MethodX509:
			issued, err = att.addCertificate(p.Attestation.Certificate)
		case MethodTPM:
			err = need("attestation.registration_id", p.Attestation.RegistrationID)
		default:
			err = fmt.Errorf("provisioning.attestation.method %q is not known", p.Attestation.Method)
		}
		return append([]section{head, att}, issued...), errors.Join(err, need("global_endpoint", p.GlobalEndpoint), need("id_scope", p.IDScope))
	}
	return nil, fmt.Errorf("provisioning.source %q is neither manual nor dps", p.Source)
}

// addKey writes a symmetric key in the file itself where it is known: a key
// file must hold raw bytes, which is easily got wrong.
func (s *section) addKey(name, base64, uri string) error {
	switch {
	case base64 != "":
		s.keys = append(s.keys, sectionKey{name: name, inner: "value", value: base64})
	case uri != "":
		s.keys = append(s.keys, sectionKey{name: name, inner: "uri", value: uri})
	default:
		return fmt.Errorf("%s.%s has neither a key nor the URI of one", keyText(s.path...), name)
	}
	return nil
}

// addCertificate writes a certificate from files, or gives the tables of one
// that is issued on the device.
func (s *section) addCertificate(c Certificate) (issued []section, err error) {
	switch {
	case c.Issued != nil && (c.Issued.Method == "" || c.Issued.CommonName == ""):
		return nil, fmt.Errorf("%s.identity_cert needs method and common_name", keyText(s.path...))
	case c.Issued != nil:
		return issuedSections(s.path, c.Issued), nil
	case c.Cert == "" || c.Key == "":
		return nil, fmt.Errorf("%s needs identity_cert and identity_pk", keyText(s.path...))
	}
	s.add("identity_cert", c.Cert)
	s.add("identity_pk", c.Key)
	return nil, nil
}

func need(name, text string) error {
	if text == "" {
		return fmt.Errorf("provisioning.%s is missing", name)
	}
	return nil
}
