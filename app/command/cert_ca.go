package command

import (
	"edgewright/app"
)

// certCA brings a CA of the catalog to the CA certificates of a hub or DPS, and
// proves its possession there.
func (s *session) certCA(a *app.App, f certFlags, args []string) error {
	verb, rest, err := only(args, "upload", "verify")
	if err != nil {
		return err
	}
	if f.to == "" || f.cloud == "" || f.name == "" {
		return wrongUse("say --to hub|dps, --cloud and --name")
	}
	o := app.Onboarding{CA: rest[0], To: app.Connection(f.to), Cloud: f.cloud, Name: f.name}
	managed := a.Managed(o.Cloud)
	switch {
	case managed && f.out != "":
		return wrongUse("--out is for clouds that cannot be written from here; %s can", o.Cloud)
	case !managed && f.out == "":
		return wrongUse("the CA certificates of %s cannot be written from here; say --out FILE and upload that by hand", o.Cloud)
	case verb == "upload" && f.code != "":
		return wrongUse("--code goes with verify")
	case verb == "verify" && !managed && f.code == "":
		return wrongUse("say --code, the verification code that the cloud shows")
	}
	switch {
	case !managed:
		return s.showOnboarded(a.OnboardByHand(s.ctx, o, f.code, f.out))
	case verb == "upload":
		return s.showOnboarded(a.UploadCA(s.ctx, o))
	}
	return s.showOnboarded(a.VerifyCA(s.ctx, o, f.code))
}

func (s *session) showOnboarded(ca app.OnboardedCA, err error) error {
	if err != nil {
		return err
	}
	switch {
	case s.json:
		s.print(ca)
	case ca.File != "":
		s.line("%s is written", ca.File)
		s.line("%s", ca.Left)
	case ca.Verified:
		s.line("%s is verified", ca.Name)
	default:
		s.line("%s is uploaded and not verified yet", ca.Name)
		s.line("code: %s", ca.Code)
		s.line("Prove it with `edgewright cert ca verify` and the same flags.")
	}
	return nil
}
