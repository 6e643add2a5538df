package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/target"
	"edgewright/provisioning/tpm"
)

// tpms fits TPMs, and the keys that were collected from them, to the port of the
// domain.
type tpms struct {
	app    *App
	target target.Target
}

func (t tpms) Open(ctx context.Context, plan provisioning.TPMPlan) (provisioning.Chip, error) {
	opened, where, err := t.app.openTPM(ctx, t.target, TPMRequest{Address: plan.At, EndorsementAuth: plan.EndorsementAuth, OwnerAuth: plan.OwnerAuth})
	if err != nil {
		return nil, inPlan(err)
	}
	return chip{tpm: opened, where: where, plan: plan, runs: t.target.CanRun(), now: t.app.now}, nil
}

func (t tpms) Collected(ctx context.Context, id string) (provisioning.EndorsementKey, error) {
	found, err := t.app.CollectedKey(ctx, id)
	if err != nil {
		return provisioning.EndorsementKey{}, err
	}
	return endorsementKey(tpm.Key{Public: found.Public, Template: tpm.Template(found.EK.Template)}), nil
}

func endorsementKey(key tpm.Key) provisioning.EndorsementKey {
	return provisioning.EndorsementKey{Public: key.Public, Hex: key.Sum(), Base32: key.Base32(), Matches: func(public []byte) (string, bool) {
		template, ok := key.Matches(public)
		return string(template), ok
	}}
}

// inPlan names the field of the plan that an error of a TPM is about.
func inPlan(err error) error {
	err = translate(err)
	var refused *provisioning.Error
	if !errors.As(err, &refused) || refused.Field != "" {
		return err
	}
	named := *refused
	named.Field = "tpm.at"
	var word *tpm.Error
	if errors.As(err, &word) && word.Code == tpm.CodeAuth {
		named.Field = "tpm.endorsement_auth"
	}
	return &named
}

// chip is a TPM that was opened for a plan.
type chip struct {
	tpm   *tpm.TPM
	where string
	plan  provisioning.TPMPlan
	runs  bool // the runtime's service is on the device
	now   func() time.Time
}

func (c chip) Close() error { return c.tpm.Close() }

func (c chip) Read(ctx context.Context) (provisioning.TPMReading, error) {
	properties, err := c.tpm.Properties(ctx)
	if err != nil {
		return provisioning.TPMReading{}, inPlan(err)
	}
	var found finding.List
	c.judgeProperties(properties, &found)
	keys, err := c.tpm.Keys(ctx)
	if first := found.First(finding.Error); err != nil && first.Problem != "" {
		return provisioning.TPMReading{}, &provisioning.Error{Kind: provisioning.ErrRefused, Message: first.Problem, Hint: first.Fix, Field: first.Field, Err: err}
	}
	if err != nil {
		return provisioning.TPMReading{}, inPlan(err)
	}
	cert, err := c.tpm.EKCertificate(ctx, keys.EK, tpm.Roots{}, c.now())
	if err != nil {
		return provisioning.TPMReading{}, inPlan(err)
	}
	reading := provisioning.TPMReading{Summary: fmt.Sprintf("TPM %s of %s, firmware %s (%s)", properties.Family, maker(properties), properties.Firmware, c.where),
		Key: endorsementKey(keys.EK), StorageRoot: keys.SRK.Public, Template: templateMeans(keys.EK), Certificate: certificateMeans(cert), Findings: found}
	judgeKeys(keys.EK, cert, &reading.Findings)
	return reading, nil
}

func maker(p tpm.Properties) string {
	if p.Vendor == "" {
		return p.Manufacturer
	}
	return strings.TrimSpace(p.Manufacturer + " " + p.Vendor)
}

// templateMeans says which template an endorsement key is from, and what that
// means.
func templateMeans(ek tpm.Key) string {
	switch ek.Template {
	case tpm.TemplateStandard:
		return "The standard template (TCG L-1): the key that a maker certifies, and that the runtime makes by itself."
	case tpm.TemplateEmptyUnique:
		return "The template with an empty unique field, which Azure's npm client leaves on a bare TPM: no maker certifies this key."
	case tpm.TemplateOther:
		return "None that is known: once the key is removed from the TPM it does not come back."
	}
	return "It cannot be told without the password of the endorsement hierarchy."
}

func certificateMeans(cert tpm.EKCertificate) string {
	switch cert.State {
	case tpm.ChainUnchecked:
		return "The maker's certificate is for this key; its chain is checked by `edgewright tpm show --roots`."
	case tpm.ChainTrusted:
		return "The maker's certificate is for this key, and its chain leads to a given root."
	}
	return cert.Problem
}

// judgeProperties finds what keeps the device, or its runtime, from taking the
// key of DPS. Passwords that the plan names are not tried here.
func (c chip) judgeProperties(p tpm.Properties, f *finding.List) {
	need := finding.Care
	if c.runs {
		need = finding.Error // its service would fail
	}
	if p.EndorsementOff || p.OwnerOff {
		f.Add(finding.Error, "tpm.at", "A hierarchy of the TPM is switched off.", "Switch the endorsement and the storage hierarchy on in the firmware's setup and start anew.")
	}
	if p.EndorsementAuth && c.plan.EndorsementAuth == "" {
		f.Add(finding.Error, "tpm.endorsement_auth", "The endorsement hierarchy of the TPM has a password, and the plan names none: nobody could take the key of DPS.",
			"Store it with `edgewright secrets set NAME` and write endorsement_auth = \"vault:NAME\" under [tpm].")
	}
	if p.OwnerAuth && c.plan.OwnerAuth == "" {
		f.Add(need, "tpm.owner_auth", "The owner hierarchy of the TPM has a password, and the plan names none: the runtime's TPM service could not keep the key of DPS.",
			"Store it with `edgewright secrets set NAME` and write owner_auth = \"vault:NAME\" under [tpm].")
	}
	if l := p.Lockout; l.Active {
		f.Add(finding.Care, "tpm.at", fmt.Sprintf("The TPM is locked out after %d wrong passwords of %d.", l.Count, l.Max),
			fmt.Sprintf("Reading and enrolling work all the same. One wrong try is forgiven every %s; Edgewright tries nothing that counts.", l.Interval))
	}
	if p.FreePersistent == 0 {
		f.Add(need, "tpm.at", "The TPM has no room for a further key: the runtime's TPM service could not keep the one of DPS.", "Look with tpm2_getcap handles-persistent who keeps keys there, and remove one that nobody needs.")
	}
}

func judgeKeys(ek tpm.Key, cert tpm.EKCertificate, f *finding.List) {
	switch ek.Template {
	case tpm.TemplateEmptyUnique:
		f.Add(finding.Care, "tpm.at", "The TPM keeps an endorsement key from the template with an empty unique field. No maker's certificate is for it, and it is another one than the standard template makes.",
			"It works as long as it is kept at 0x81010001. If it is ever removed, the device has another endorsement key and must be enrolled again.")
	case tpm.TemplateOther:
		f.Add(finding.Care, "tpm.at", "The TPM keeps an endorsement key from a template that is not known.", "It works as long as it is kept at 0x81010001; once removed it does not come back.")
	}
	switch cert.State {
	case tpm.ChainOtherKey, tpm.ChainUnread:
		f.Add(finding.Care, "tpm.at", cert.Problem, "DPS does not look at the certificate. Find out why it does not fit if the TPM should be a new one.")
	}
}

func (c chip) Activate(ctx context.Context, sealed []byte) (provisioning.Sign, func(), error) {
	identity, err := c.tpm.Activate(ctx, sealed)
	if err != nil {
		return nil, nil, inPlan(err)
	}
	return signer(ctx, identity), func() { _ = identity.Close() }, nil
}

func (c chip) Kept(ctx context.Context, index int64) (provisioning.Sign, error) {
	if index < 0 || index > 0x7fffff {
		return nil, nil // no key can be there
	}
	identity, err := c.tpm.Persisted(ctx, uint32(index))
	if err != nil || identity == nil {
		return nil, inPlan(err)
	}
	return signer(ctx, identity), nil
}

// signer signs as long as ctx lives.
func signer(ctx context.Context, identity *tpm.Identity) provisioning.Sign {
	return func(message []byte) ([]byte, error) {
		signature, err := identity.Sign(ctx, message)
		return signature, translate(err)
	}
}
