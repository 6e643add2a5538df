package command

import (
	"os"
	"strings"

	"edgewright/app"
	"edgewright/provisioning"
)

const tpmUsage = "tpm show --target T [--tpm ADDR] [--roots F]   ek --target T [--tpm ADDR] [--format base64|pem]\n" +
	"       both: [--endorsement-auth vault:NAME] [--owner-auth vault:NAME]; ADDR is target, local, unix:/path or tcp:host:port"

func tpm(s *session, args []string) error {
	var request app.TPMRequest
	var access accessFlags
	var roots, format string
	set := s.flags("tpm")
	set.StringVar(&request.Target, "target", "", "")
	set.StringVar(&request.Address, "tpm", "", "")
	set.StringVar(&request.EndorsementAuth, "endorsement-auth", "", "")
	set.StringVar(&request.OwnerAuth, "owner-auth", "", "")
	set.StringVar(&roots, "roots", "", "")
	set.StringVar(&format, "format", "base64", "")
	addAccess(set, &access)
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	name, rest, err := only(rest, "show", "ek")
	if err != nil || len(rest) > 0 {
		return extra(rest, err)
	}
	switch {
	case request.Target == "":
		return wrongUse("--target is missing; this computer is local:")
	case format != "base64" && format != "pem":
		return wrongUse("--format is base64 or pem")
	}
	if request.Access, err = s.access(access); err != nil {
		return err
	}
	if roots != "" {
		if request.Roots, err = os.ReadFile(roots); err != nil {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The file of roots cannot be read.", Hint: "Name a PEM file with the certificates of TPM makers.", Err: err}
		}
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	view, err := a.ShowTPM(s.ctx, request)
	if err != nil {
		return err
	}
	if name == "ek" {
		return s.endorsementKey(view, format)
	}
	if s.json {
		s.print(view)
		return nil
	}
	s.showTPM(view)
	return nil
}

func (s *session) endorsementKey(view app.TPMView, format string) error {
	public := view.EK.Public
	if format == "pem" {
		public = strings.TrimSuffix(view.PEM(), "\n")
	}
	if s.json {
		s.print(map[string]string{"public": public, "srk": view.SRK, "registration_id": view.RegistrationIDs.Base32})
		return nil
	}
	s.line("%s", public)
	return nil
}

// templateWords say what a template means for an enrollment.
var templateWords = map[string]string{
	"tcg-l1":       "TCG template L-1: the key that the maker's certificate is for",
	"empty-unique": "a variant with an empty unique field, which some programs keep; no maker's certificate is for it",
	"other":        "of another origin than the known templates: it changes if it is ever removed",
	"unknown":      "not to be told without the password of the endorsement hierarchy",
}

var chainWords = map[string]string{
	"none": "none stored", "unreadable": "does not read", "other-key": "is for another key", "unchecked": "is for this key; no roots were given (--roots F)",
	"untrusted": "leads to none of the given roots", "trusted": "leads to a given root and is for this key",
}

func (s *session) showTPM(v app.TPMView) {
	yes := func(set bool) string {
		if set {
			return "set"
		}
		return "not set"
	}
	lockout := "not active"
	if v.Lockout.Active {
		lockout = "ACTIVE"
	}
	kept := "not kept; made from its template each time"
	if v.EK.Handle != "" {
		kept = v.EK.Handle
	}
	s.line("TPM %s of %s, firmware %s (%s)", v.Family, v.Manufacturer, v.Firmware, v.TPM)
	s.line("  lockout            %s, %d of %d wrong tries, one forgiven every %d s", lockout, v.Lockout.Count, v.Lockout.Max, v.Lockout.Interval)
	s.line("  passwords          owner %s, endorsement %s", yes(v.Auth.Owner), yes(v.Auth.Endorsement))
	s.line("  endorsement key    %s", kept)
	s.line("                     %s", templateWords[v.EK.Template])
	s.line("  EK certificate     %s", chainWords[v.EKCertificate.State])
	if v.EKCertificate.Problem != "" {
		s.line("                     %s", v.EKCertificate.Problem)
	}
	s.line("  registration IDs   %s", v.RegistrationIDs.Base32)
	s.line("                     %s", v.RegistrationIDs.Hex)
	s.line("  EK for DPS         %s", v.EK.Public)
	s.line("  SRK for DPS        %s", v.SRK)
}
