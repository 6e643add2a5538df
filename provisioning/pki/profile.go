package pki

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"edgewright/provisioning/finding"
)

// Role is what a certificate is for.
type Role string

// The roles of certificates. Downstream gateways have the role edge-ca too.
const (
	RoleRoot         Role = "root"
	RoleIntermediate Role = "intermediate"
	RoleIdentity     Role = "identity"
	RoleEdgeCA       Role = "edge-ca"
	RoleServer       Role = "server"
	RoleVerification Role = "verification"
	RoleESTBootstrap Role = "est-bootstrap"
)

// Usage is a key usage or extended key usage, by the names of RFC 5280,
// 4.2.1.3 and 4.2.1.12.
type Usage string

// The usages that profiles name.
const (
	DigitalSignature Usage = "digitalSignature"
	KeyEncipherment  Usage = "keyEncipherment"
	KeyCertSign      Usage = "keyCertSign"
	CRLSign          Usage = "cRLSign"
	ClientAuth       Usage = "clientAuth"
	ServerAuth       Usage = "serverAuth"
)

// Usages are all that profiles may name.
var Usages = []Usage{DigitalSignature, KeyEncipherment, KeyCertSign, CRLSign, ClientAuth, ServerAuth}

var keyUsages = map[Usage]x509.KeyUsage{
	DigitalSignature: x509.KeyUsageDigitalSignature, KeyEncipherment: x509.KeyUsageKeyEncipherment,
	KeyCertSign: x509.KeyUsageCertSign, CRLSign: x509.KeyUsageCRLSign,
}

var extKeyUsages = map[Usage]x509.ExtKeyUsage{ClientAuth: x509.ExtKeyUsageClientAuth, ServerAuth: x509.ExtKeyUsageServerAuth}

// AnyDepth is the PathLength of a CA below which any number of CAs may follow.
const AnyDepth = -1

// Profile is what a kind of certificate looks like. It is plain data, written
// as TOML.
type Profile struct {
	Name string `toml:"name" json:"name"` // shown and given on the command line
	Role Role   `toml:"role" json:"role"`
	// CA makes it a certificate that signs others, PathLength CAs deep below it
	// (RFC 5280, 4.2.1.9); 0 only leaves.
	CA         bool `toml:"ca" json:"ca"`
	PathLength int  `toml:"path_length" json:"path_length"`
	// SelfSigned certificates have no issuer but themselves.
	SelfSigned bool `toml:"self_signed" json:"self_signed"`
	// Usages are key usages and extended key usages. KeyEncipherment is left
	// out where the key is not RSA.
	Usages []Usage `toml:"usages" json:"usages"`
	// Days is how long it holds.
	Days int `toml:"days" json:"days"`
	// Algorithm is that of its key unless the user takes another.
	Algorithm Algorithm `toml:"algorithm" json:"algorithm"`
	// OnDevice says that the key lives on a device, where the runtime reads it.
	OnDevice bool `toml:"on_device" json:"on_device"`
}

const year = 365 // days

var caUsages = []Usage{DigitalSignature, KeyCertSign, CRLSign}

// Profiles are the profiles that come with the program, in the order in which
// a chain is built.
//
// https://learn.microsoft.com/azure/iot-edge/iot-edge-certs
func Profiles() []Profile {
	return []Profile{
		{Name: "root CA", Role: RoleRoot, CA: true, PathLength: AnyDepth, SelfSigned: true, Usages: caUsages, Days: 10 * year, Algorithm: P384},
		{Name: "intermediate CA", Role: RoleIntermediate, CA: true, PathLength: 1, Usages: caUsages, Days: 5 * year, Algorithm: P384},
		{Name: "device identity", Role: RoleIdentity, Usages: []Usage{DigitalSignature, ClientAuth}, Days: year, Algorithm: P256, OnDevice: true},
		{Name: "self-signed device identity", Role: RoleIdentity, SelfSigned: true, Usages: []Usage{DigitalSignature, ClientAuth}, Days: year, Algorithm: P256, OnDevice: true},
		{Name: "Edge CA", Role: RoleEdgeCA, CA: true, PathLength: 0, Usages: []Usage{DigitalSignature, KeyCertSign}, Days: year, Algorithm: P256, OnDevice: true},
		{Name: "device CA", Role: RoleIntermediate, CA: true, PathLength: 0, Usages: caUsages, Days: 5 * year, Algorithm: P256, OnDevice: true},
		{Name: "server", Role: RoleServer, Usages: []Usage{DigitalSignature, KeyEncipherment, ServerAuth}, Days: year, Algorithm: P256},
		{Name: "verification", Role: RoleVerification, Usages: []Usage{DigitalSignature, ClientAuth}, Days: 7, Algorithm: P256},
		{Name: "EST bootstrap", Role: RoleESTBootstrap, Usages: []Usage{DigitalSignature, ClientAuth}, Days: 30, Algorithm: P256, OnDevice: true},
	}
}

// ProfileByName finds a profile that comes with the program, in any letter case.
func ProfileByName(name string) (Profile, bool) {
	all := Profiles()
	at := slices.IndexFunc(all, func(p Profile) bool { return strings.EqualFold(p.Name, name) })
	if at < 0 {
		return Profile{}, false
	}
	return all[at], true
}

const maxDays = 30 * year

// Check says what breaks a rule in a profile, by its TOML members. A profile
// with an error cannot be saved or used.
func (p Profile) Check() finding.List {
	var found finding.List
	has := func(u Usage) bool { return slices.Contains(p.Usages, u) }
	switch name := strings.TrimSpace(p.Name); {
	case name == "" || len(name) > 64:
		found.Add(finding.Error, "name", "The profile has no name of 1 to 64 characters.", "Give it one.")
	case !isPlain(p.Name):
		found.Add(finding.Error, "name", "The name has a blank at an end or a character that does not print.", "Leave it out.")
	}
	roleIsCA, known := roles[p.Role]
	switch {
	case !known:
		found.Add(finding.Error, "role", fmt.Sprintf("The role %q is unknown.", p.Role), "Use root, intermediate, identity, edge-ca, server, verification or est-bootstrap.")
	case roleIsCA != p.CA:
		found.Add(finding.Error, "ca", fmt.Sprintf("A certificate of the role %s %s.", p.Role, map[bool]string{true: "is a CA", false: "is no CA"}[roleIsCA]), "Change ca or role.")
	}
	if p.Role == RoleRoot && !p.SelfSigned {
		found.Add(finding.Error, "self_signed", "A root CA is signed by itself.", "Set self_signed, or take the role intermediate.")
	}
	if p.CA && p.Role != RoleRoot && p.SelfSigned {
		found.Add(finding.Error, "self_signed", "A CA that is signed by itself is a root.", "Take the role root.")
	}
	for i, usage := range p.Usages {
		if slices.Contains(p.Usages[:i], usage) {
			found.Add(finding.Error, "usages", fmt.Sprintf("The usage %s is named twice.", usage), "Name it once.")
		}
		if _, key := keyUsages[usage]; !key && extKeyUsages[usage] == 0 {
			found.Add(finding.Error, "usages", fmt.Sprintf("The usage %q is unknown.", usage), "Use digitalSignature, keyEncipherment, keyCertSign, cRLSign, clientAuth and serverAuth.")
		}
	}
	p.checkUsages(&found, has)
	p.checkLife(&found)
	if p.Days < 1 || p.Days > maxDays {
		found.Add(finding.Error, "days", "The life is not 1 to 10950 days.", "A year has 365, ten years have 3650.")
	}
	if !p.Algorithm.Valid() {
		found.Add(finding.Error, "algorithm", fmt.Sprintf("The algorithm %q is unknown.", string(p.Algorithm)), "Use p256, p384, rsa2048, rsa3072 or rsa4096.")
	} else if !p.takes(p.Algorithm) {
		found.Add(finding.Error, "algorithm", "The runtime reads no "+p.Algorithm.String()+" keys; only CAs and servers elsewhere have them.", "Use p256 or RSA.")
	}
	return found
}

// takes tells whether a key may be of an algorithm: what the runtime does not
// read is for CAs and servers whose keys never live on a device.
func (p Profile) takes(a Algorithm) bool {
	elsewhere := !p.OnDevice && (p.Role == RoleRoot || p.Role == RoleIntermediate || p.Role == RoleServer)
	return a.OnDevice() || elsewhere && a.Valid()
}

// checkLife looks at lives that are allowed and seldom meant.
func (p Profile) checkLife(found *finding.List) {
	switch {
	case p.Role == RoleVerification && p.Days > 30:
		found.Add(finding.Care, "days", "A verification certificate is used once, minutes after it is made.", "Seven days are plenty.")
	case !p.CA && p.Days > 5*year:
		found.Add(finding.Care, "days", "A key that lies on a device for more than five years is hard to call back: Azure reads no revocation lists.", "Take a year and renew.")
	}
}

// roles tells which roles are CAs.
var roles = map[Role]bool{RoleRoot: true, RoleIntermediate: true, RoleEdgeCA: true,
	RoleIdentity: false, RoleServer: false, RoleVerification: false, RoleESTBootstrap: false}

func (p Profile) checkUsages(found *finding.List, has func(Usage) bool) {
	switch {
	case p.CA && !has(KeyCertSign):
		found.Add(finding.Error, "usages", "A CA without keyCertSign cannot sign (RFC 5280, 4.2.1.3).", "Add keyCertSign.")
	case !p.CA && (has(KeyCertSign) || has(CRLSign)):
		found.Add(finding.Error, "usages", "keyCertSign and cRLSign are for CAs (RFC 5280, 4.2.1.3).", "Leave them out, or make it a CA.")
	case !p.CA && !has(DigitalSignature):
		found.Add(finding.Error, "usages", "A device proves itself in TLS with digitalSignature.", "Add digitalSignature.")
	}
	if p.CA && (has(ClientAuth) || has(ServerAuth)) {
		found.Add(finding.Error, "usages", "An extended key usage in a CA limits all below it.", "Leave clientAuth and serverAuth to leaves.")
	}
	if !p.CA && p.PathLength != 0 {
		found.Add(finding.Error, "path_length", "Only a CA has a path length (RFC 5280, 4.2.1.9).", "Set it to 0.")
	}
	if p.CA && (p.PathLength < AnyDepth || p.PathLength > 8) {
		found.Add(finding.Error, "path_length", "The path length is not -1 (any) to 8.", "0 lets it sign leaves only.")
	}
	if p.Role == RoleEdgeCA && p.PathLength != 0 {
		found.Add(finding.Error, "path_length", "An Edge CA signs leaves only.", "Set it to 0.")
	}
	if (p.Role == RoleIntermediate || p.Role == RoleRoot) && p.PathLength == 0 && !p.OnDevice {
		found.Add(finding.Care, "path_length", "No Edge CA can be signed by this CA.", "Take 1 or more if devices get an Edge CA from it.")
	}
	if has(KeyEncipherment) && has(ClientAuth) && !has(ServerAuth) {
		found.Add(finding.Error, "usages", "keyEncipherment is not one of the key usages of clientAuth (RFC 5280, 4.2.1.12).", "Leave it to servers.")
	}
	for role, usage := range map[Role]Usage{RoleIdentity: ClientAuth, RoleVerification: ClientAuth, RoleESTBootstrap: ClientAuth, RoleServer: ServerAuth} {
		if p.Role == role && !has(usage) {
			found.Add(finding.Error, "usages", fmt.Sprintf("A certificate of the role %s needs %s.", role, usage), "Add "+string(usage)+".")
		}
	}
}

// keyUsage is the extension for a key of the algorithm.
func (p Profile) keyUsage(a Algorithm) (usage x509.KeyUsage) {
	for _, u := range p.Usages {
		if u == KeyEncipherment && moduli[a] == 0 {
			continue // a key that is not RSA enciphers nothing (RFC 8813, 3)
		}
		usage |= keyUsages[u]
	}
	return usage
}

func (p Profile) extKeyUsage() (usages []x509.ExtKeyUsage) {
	for _, u := range p.Usages {
		if extended, ok := extKeyUsages[u]; ok {
			usages = append(usages, extended)
		}
	}
	return usages
}

// UsagesOf are the usages of a certificate that profiles know, in their order.
func UsagesOf(cert *x509.Certificate) (usages []Usage) {
	for _, usage := range Usages {
		if cert.KeyUsage&keyUsages[usage] != 0 || slices.Contains(cert.ExtKeyUsage, extKeyUsages[usage]) && extKeyUsages[usage] != 0 {
			usages = append(usages, usage)
		}
	}
	return usages
}
