package certificates

import (
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/ui/widgets"
)

// isCA tells the roles that sign others.
func isCA(role string) bool {
	switch pki.Role(role) {
	case pki.RoleRoot, pki.RoleIntermediate, pki.RoleEdgeCA:
		return true
	}
	return false
}

// roleWord names a role.
func roleWord(role string) string {
	switch pki.Role(role) {
	case pki.RoleRoot:
		return lang.X("certificate.root", "root CA")
	case pki.RoleIntermediate:
		return lang.X("certificate.intermediate", "intermediate CA")
	case pki.RoleIdentity:
		return lang.X("certificate.identity", "device identity")
	case pki.RoleEdgeCA:
		return lang.X("certificate.edgeca", "Edge CA")
	case pki.RoleServer:
		return lang.X("certificate.server", "server")
	case pki.RoleVerification:
		return lang.X("certificate.verification", "verification")
	case pki.RoleESTBootstrap:
		return lang.X("certificate.bootstrap", "EST bootstrap")
	}
	return role
}

// goodFor says in plain words what a certificate of a role can do.
func goodFor(role string) string {
	switch pki.Role(role) {
	case pki.RoleRoot:
		return lang.X("certificate.root.for", "signing other CAs; whoever trusts it trusts all below it")
	case pki.RoleIntermediate:
		return lang.X("certificate.intermediate.for", "signing device identities and Edge CAs; an enrollment group may refer to it")
	case pki.RoleIdentity:
		return lang.X("certificate.identity.for", "a device that proves who it is to DPS and the hub")
	case pki.RoleEdgeCA:
		return lang.X("certificate.edgeca.for", "a device that signs for its own modules, so that downstream devices trust it")
	case pki.RoleServer:
		return lang.X("certificate.server.for", "a TLS server at the names in it")
	case pki.RoleVerification:
		return lang.X("certificate.verification.for", "proving once to the cloud that the key of a CA is at hand")
	case pki.RoleESTBootstrap:
		return lang.X("certificate.bootstrap.for", "a device's first call to an EST server, which then gives it its identity")
	}
	return role
}

// keyPlace says where the key of a certificate is.
func keyPlace(place string) string {
	switch {
	case place == "vault":
		return lang.X("certificate.key.vault", "key in the vault")
	case strings.HasPrefix(place, "token:"):
		return lang.X("certificate.key.token", "key in a token")
	case strings.HasPrefix(place, "device:"):
		return lang.X("certificate.key.device", "key on the device only")
	}
	return lang.X("certificate.key.none", "key kept nowhere here")
}

const day = 24 * time.Hour

// lamp is the state of a certificate: icon, word and colour.
func lamp(c app.CertificateView, now time.Time) widgets.Status {
	ends := c.NotAfter.In(now.Location()).Format(time.DateOnly)
	switch c.State {
	case "revoked":
		return widgets.Status{State: widgets.Bad, Word: lang.X("certificate.revoked", "revoked")}
	case "superseded":
		return widgets.Status{State: widgets.Neutral, Word: lang.X("certificate.superseded", "replaced")}
	case string(pki.StateEnded):
		return widgets.Status{State: widgets.Bad, Word: lang.X("certificate.ended", "ended")}
	case string(pki.StateNotYet):
		return widgets.Status{State: widgets.Care, Word: lang.X("certificate.notyet", "not yet")}
	case string(pki.StateEnding):
		return widgets.Status{State: widgets.Bad, Word: endsIn(c.NotAfter, now)}
	case string(pki.StateRenewSoon):
		return widgets.Status{State: widgets.Care, Word: endsIn(c.NotAfter, now)}
	}
	return widgets.Status{State: widgets.Good, Word: ends}
}

// endsIn counts the days to an end that is near, else it is the date.
func endsIn(at, now time.Time) string {
	left := at.Sub(now)
	switch {
	case left < 0:
		return lang.X("certificate.ended", "ended")
	case left < day:
		return lang.X("certificate.today", "within a day")
	case left < 90*day:
		days := int(left / day)
		return lang.XN("certificate.indays", "in {{.N}} days", days, map[string]any{"N": days})
	}
	return at.In(now.Location()).Format(time.DateOnly)
}

// dateOf is a day as this computer's calendar has it.
func dateOf(at time.Time) string { return at.Local().Format(time.DateOnly) }

// answer is what matters most about a certificate, as a pill beside its name.
func answer(c app.CertificateView, now time.Time) widgets.Status {
	status := lamp(c, now)
	switch c.State {
	case string(pki.StateRenewSoon), string(pki.StateEnding):
		status.Word = lang.X("certificate.ends", "ends {{.When}}", map[string]any{"When": status.Word})
	case string(pki.StateGood):
		status.Word = lang.X("certificate.until", "good until {{.Day}}", map[string]any{"Day": status.Word})
	}
	return status
}

// level is the state of a finding.
func level(l finding.Level) widgets.State {
	switch l {
	case finding.Error:
		return widgets.Bad
	case finding.Care:
		return widgets.Care
	}
	return widgets.Advice
}

// reasonWord names the reason of a revocation.
func reasonWord(reason string) string {
	switch reason {
	case "keyCompromise":
		return lang.X("certificate.reason.key", "its key may be in foreign hands")
	case "cACompromise":
		return lang.X("certificate.reason.ca", "the key of its CA may be in foreign hands")
	case "affiliationChanged":
		return lang.X("certificate.reason.affiliation", "the names in it no longer hold")
	case "superseded":
		return lang.X("certificate.reason.superseded", "another one took its place")
	case "cessationOfOperation":
		return lang.X("certificate.reason.cessation", "it is no longer used")
	case "privilegeWithdrawn":
		return lang.X("certificate.reason.privilege", "its owner may no longer do what it allows")
	}
	return lang.X("certificate.reason.unspecified", "without a reason")
}

// algorithm names a key's kind for people.
func algorithm(word string) string { return pki.Algorithm(word).String() }
