package pki

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// usageOIDs are the purposes of RFC 5280, 4.2.1.12.
var usageOIDs = map[Usage]asn1.ObjectIdentifier{
	ServerAuth: {1, 3, 6, 1, 5, 5, 7, 3, 1}, ClientAuth: {1, 3, 6, 1, 5, 5, 7, 3, 2},
}

// extensions are what a request asks for under the profile, for a key of the
// algorithm: key usage, basic constraints and extended key usage (RFC 5280,
// 4.2.1.3, 4.2.1.9 and 4.2.1.12), the first two critical.
func (p Profile) extensions(a Algorithm) ([]pkix.Extension, error) {
	var constraints any = struct{}{}
	switch {
	case p.CA && p.PathLength == AnyDepth:
		constraints = struct{ CA bool }{true}
	case p.CA:
		constraints = struct {
			CA     bool
			Length int
		}{true, p.PathLength}
	}
	var purposes []asn1.ObjectIdentifier
	for _, usage := range p.Usages {
		if oid := usageOIDs[usage]; oid != nil {
			purposes = append(purposes, oid)
		}
	}
	var made []pkix.Extension
	for _, extension := range []struct {
		id       int
		critical bool
		value    any
	}{{15, true, usageBits(uint16(p.keyUsage(a)))}, {19, true, constraints}, {37, false, purposes}} {
		if extension.id == 37 && purposes == nil {
			continue
		}
		value, err := asn1.Marshal(extension.value)
		if err != nil {
			return nil, fmt.Errorf("write extension 2.5.29.%d: %w", extension.id, err)
		}
		made = append(made, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, extension.id}, Critical: extension.critical, Value: value})
	}
	return made, nil
}

// usageBits writes key usages as DER wants named bits: the first is the highest
// of its byte, and zeros at the end are left out (X.690, 11.2.2).
func usageBits(usage uint16) asn1.BitString {
	var bits asn1.BitString
	for i := range 16 {
		if usage&(1<<i) == 0 {
			continue
		}
		for len(bits.Bytes) <= i/8 {
			bits.Bytes = append(bits.Bytes, 0)
		}
		bits.Bytes[i/8] |= 0x80 >> (i % 8)
		bits.BitLength = i + 1
	}
	return bits
}
