package command

import (
	"time"

	"edgewright/app"
)

// ca manages the CA certificates of the practice DPS, or of a hub with --hub.
func (p *practiceCall) ca(args []string) error {
	name, rest, err := only(args, "list", "upload", "code", "verify", "remove")
	if err != nil {
		return err
	}
	most := map[string]int{"list": 0, "upload": 2, "code": 1, "verify": 2, "remove": 1}[name]
	if len(rest) > most {
		return wrongUse("unexpected argument %q", rest[most])
	}
	if len(rest) < most {
		return wrongUse("name the CA certificate%s", map[int]string{2: " and a file"}[most])
	}
	owner := app.PracticeDPS
	if p.hub != "" {
		owner = p.hub
	}
	switch name {
	case "upload":
		return p.showCA(p.app.UploadPracticeCA(p.ctx, owner, rest[0], rest[1], p.replace))
	case "code":
		return p.showCA(p.app.PracticeCACode(p.ctx, owner, rest[0]))
	case "verify":
		return p.showCA(p.app.VerifyPracticeCA(p.ctx, owner, rest[0], rest[1]))
	case "remove":
		if err := p.app.RemovePracticeCA(p.ctx, owner, rest[0]); err != nil {
			return err
		}
		return p.told("removed", rest[0])
	}
	list, err := p.app.PracticeCAs(p.ctx, p.hub) // of DPS and all hubs, unless one is named
	if err != nil {
		return err
	}
	if p.json {
		p.print(list)
		return nil
	}
	rows := [][]string{}
	for _, ca := range list {
		rows = append(rows, []string{ca.Name, ca.Owner, verified(ca.Verified), ca.Expires.Local().Format(time.DateOnly), ca.Thumbprint, ca.Subject})
	}
	p.table([]string{"name", "of", "state", "expires", "sha-256", "subject"}, rows)
	return nil
}

func verified(is bool) string {
	if is {
		return "verified"
	}
	return "unverified"
}

func (p *practiceCall) showCA(ca app.PracticeCA, err error) error {
	if err != nil {
		return err
	}
	if p.json {
		p.print(ca)
		return nil
	}
	p.line("%s of %s is %s", ca.Name, ca.Owner, verified(ca.Verified))
	if ca.Code != "" {
		p.line("code: %s", ca.Code)
		p.line("Issue a certificate with this common name by the CA, then: edgewright practice ca verify %s FILE", ca.Name)
	}
	return nil
}
