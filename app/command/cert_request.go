package command

import (
	"time"

	"edgewright/app"
)

// certAsk writes a request for an outside CA.
func (s *session) certAsk(a *app.App, f certFlags) error {
	if f.days != 0 {
		return wrongUse("--days is for the outside CA to say")
	}
	out, err := app.CreateNew(f.out) // before a key is made for nothing
	if err != nil {
		return err
	}
	made, err := a.RequestCertificate(s.ctx, f.request())
	if err != nil {
		out.Drop()
		return err
	}
	if err := out.Write(made.PEM); err != nil {
		// Nobody will sign what was never seen.
		if _, forget := a.ForgetRequest(s.ctx, made.ID); forget != nil {
			return forget
		}
		return err
	}
	if s.json {
		s.print(made)
		return nil
	}
	s.line("the request of %s is in %s; its key is in %s", made.Subject, f.out, made.Key.Place)
	s.line("have it signed, then take the certificate in with `edgewright cert import`")
	return nil
}

func (s *session) certRequests(a *app.App, _ certFlags, _ []string) error {
	list, err := a.CertificateRequests(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		s.print(list)
		return nil
	}
	rows := [][]string{}
	for _, r := range list {
		rows = append(rows, []string{r.ID[:8], r.Subject, r.Profile, r.CA, r.Created.Local().Format(time.DateOnly), r.Key.Place})
	}
	s.table([]string{"ID", "subject", "profile", "CA", "since", "key"}, rows)
	return nil
}

func (s *session) certForget(a *app.App, f certFlags, args []string) error {
	if err := s.agreed(f.yes, "Give up the request "+args[0]+" and its key in the vault"); err != nil {
		return err
	}
	gone, err := a.ForgetRequest(s.ctx, args[0])
	if err != nil {
		return err
	}
	if s.json {
		s.print(gone)
		return nil
	}
	s.line("the request of %s is given up", gone.Subject)
	if gone.Key.Place != "vault" {
		s.note("Its key stays in the token: %s", gone.Key.Place)
	}
	return nil
}
