package command

import "edgewright/app"

// tpm shows or turns the switch of a practice device's software TPM.
func (p *practiceCall) tpm(args []string) error {
	if len(args) == 0 {
		return wrongUse("name one practice device")
	}
	if len(args) > 2 {
		return wrongUse("unexpected argument %q", args[2])
	}
	name := args[0]
	if len(args) == 2 {
		if args[1] != "on" && args[1] != "off" {
			return wrongUse("a software TPM is switched on or off")
		}
		if err := p.app.SwitchSoftwareTPM(p.ctx, name, args[1] == "on"); err != nil {
			return err
		}
	}
	on := p.app.HasSoftwareTPM(name)
	if p.json {
		p.print(map[string]any{"target": app.PracticeTarget(name), "software_tpm": on})
		return nil
	}
	p.line("%s: software TPM %s", app.PracticeTarget(name), map[bool]string{true: "on", false: "off"}[on])
	return nil
}

// remove removes a practice device of this data folder.
func (p *practiceCall) remove(args []string) error {
	question := "Remove practice device " + args[0] + ": its disk, its software TPM with its keys, and its row in the catalog"
	if err := p.agreed(p.yes, question); err != nil {
		return err
	}
	if err := p.app.RemovePracticeDevice(p.ctx, args[0]); err != nil {
		return err
	}
	return p.told("removed", args[0])
}
