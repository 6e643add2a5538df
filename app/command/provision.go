package command

import (
	"flag"
	"fmt"
	"io"
	"os"

	"edgewright/app"
	domain "edgewright/provisioning"
	"edgewright/provisioning/finding"
)

// planFlags are the flags of preview and provision.
type planFlags struct {
	plan, bundle    string
	target, targets string
	parallel        int
	yes, undo       bool
	accessFlags
}

func (f *planFlags) add(set *flag.FlagSet) {
	set.StringVar(&f.plan, "plan", "", "")
	set.StringVar(&f.bundle, "bundle", "", "")
	set.StringVar(&f.target, "target", "", "")
	addAccess(set, &f.accessFlags)
}

func addAccess(set *flag.FlagSet, f *accessFlags) {
	set.StringVar(&f.identity, "identity", "", "")
	set.StringVar(&f.hostKey, "host-key", "", "")
	set.StringVar(&f.bundleIdentity, "bundle-identity", "", "")
	set.IntVar(&f.sshFD, "ssh-password-fd", 0, "")
	set.IntVar(&f.sudoFD, "sudo-password-fd", 0, "")
}

func preview(s *session, args []string) error {
	var f planFlags
	set := s.flags("preview")
	f.add(set)
	if rest, err := s.parse(set, args); err != nil || len(rest) > 0 {
		return extra(rest, err)
	}
	request, err := s.request(f)
	if err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	shown, err := a.Preview(s.ctx, request)
	if err != nil {
		return err
	}
	s.showPreview(shown)
	if shown.Refused() {
		return exitError(ExitUsage)
	}
	return nil
}

func provision(s *session, args []string) error {
	var f planFlags
	set := s.flags("provision")
	f.add(set)
	set.StringVar(&f.targets, "targets", "", "")
	set.IntVar(&f.parallel, "parallel", 4, "")
	set.BoolVar(&f.yes, "yes", false, "")
	set.BoolVar(&f.undo, "undo-on-failure", false, "")
	if rest, err := s.parse(set, args); err != nil || len(rest) > 0 {
		return extra(rest, err)
	}
	if f.targets != "" {
		return s.provisionMany(f)
	}
	request, err := s.request(f)
	if err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	if !f.yes {
		if err := s.reviewed(a, request, "Provision "+request.Plan.Device.ID); err != nil {
			return err
		}
	}
	s.practiceNotice(a)
	return s.outcome(a.Provision(s.ctx, request, s.progress()))
}

// reviewed shows what a run will do to a person who then agrees to it.
func (s *session) reviewed(a *app.App, request app.Request, question string) error {
	shown, err := a.Preview(s.ctx, request)
	if err != nil {
		return err
	}
	if s.Terminal && !s.json {
		s.showPreview(shown)
	}
	if shown.Refused() {
		return s.refusedBy(shown.Findings)
	}
	return s.agreed(false, question)
}

// provisionMany runs a list of targets under one batch.
func (s *session) provisionMany(f planFlags) error {
	if f.target != "" {
		return wrongUse("--target and --targets exclude each other")
	}
	if f.bundle != "" {
		return wrongUse("a bundle is for one device: say --target")
	}
	plan, err := readPlanLoose(f.plan)
	if err != nil {
		return err
	}
	file, err := os.Open(f.targets)
	if err != nil {
		return wrongUse("the list cannot be read: %v", err)
	}
	defer func() { _ = file.Close() }()
	rows, findings, err := app.ReadRows(file, plan)
	if err != nil {
		return err
	}
	if findings.Errors() {
		return s.refusedBy(findings)
	}
	if err := s.agreed(f.yes, fmt.Sprintf("Provision %d devices", len(rows))); err != nil {
		return err
	}
	access, err := s.access(f.accessFlags)
	if err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	s.practiceNotice(a)
	out := a.ProvisionMany(s.ctx, rows, app.Many{Access: access, Parallel: f.parallel, UndoOnFailure: f.undo}, s.progress())
	return s.batch(out)
}

// batch prints the result of a list.
func (s *session) batch(out app.BatchOutcome) error {
	if s.json {
		s.print(out)
	} else {
		for _, run := range out.Runs {
			s.line("%s", outcomeSentence(run))
			if run.Error != nil {
				s.line("  %s", run.Error.Message)
			}
		}
		s.line("batch %s: %d of %d succeeded", out.Batch, out.Succeeded, len(out.Runs))
	}
	switch out.Outcome {
	case domain.RunSucceeded:
		return nil
	case domain.RunConfigured:
		return exitError(ExitConfigured)
	}
	return exitError(ExitFailed)
}

// request reads plan and access.
func (s *session) request(f planFlags) (app.Request, error) {
	if f.target == "" {
		return app.Request{}, wrongUse("--target is missing; this computer is local:")
	}
	plan, findings, err := s.planOf(f)
	if err != nil {
		return app.Request{}, err
	}
	if findings.Errors() {
		return app.Request{}, s.refusedBy(findings)
	}
	access, err := s.access(f.accessFlags)
	return app.Request{Plan: plan, Target: f.target, Access: access, UndoOnFailure: f.undo}, err
}

// planOf reads the plan that --plan or --bundle names.
func (s *session) planOf(f planFlags) (domain.Plan, finding.List, error) {
	if f.bundle == "" {
		text, err := readPlan(f.plan)
		if err != nil {
			return domain.Plan{}, nil, err
		}
		return domain.ParsePlan(text)
	}
	if f.plan != "" {
		return domain.Plan{}, nil, wrongUse("--plan and --bundle exclude each other: a bundle has its plan inside")
	}
	a, err := s.open()
	if err != nil {
		return domain.Plan{}, nil, err
	}
	opened, err := a.OpenBundle(s.ctx, f.bundle, app.BundleKey{File: f.bundleIdentity})
	for _, found := range opened.Findings {
		if found.Level == finding.Care {
			s.note("%s %s", found.Problem, found.Fix)
		}
	}
	return opened.Plan, opened.Findings, err
}

func readPlan(name string) ([]byte, error) {
	if name == "" {
		return nil, wrongUse("--plan is missing")
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, wrongUse("the plan cannot be read: %v", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, 1<<20))
	if err != nil {
		return nil, wrongUse("the plan cannot be read: %v", err)
	}
	return text, nil
}

// readPlanLoose reads a plan whose device ID may still be missing, because the
// rows of a list bring it.
func readPlanLoose(name string) (domain.Plan, error) {
	text, err := readPlan(name)
	if err != nil {
		return domain.Plan{}, err
	}
	plan, findings, err := domain.ParsePlan(text)
	if err != nil {
		return plan, err
	}
	for _, f := range findings {
		if f.Level == finding.Error && f.Field != "device.id" && f.Field != "cloud.group" {
			return plan, &domain.Error{Kind: domain.ErrInvalid, Message: f.Field + ": " + f.Problem, Hint: f.Fix}
		}
	}
	return plan, nil
}

// findingsShown is how many findings of a list a person is shown at most.
const findingsShown = 50

// refusedBy prints findings and ends with the code for refused.
func (s *session) refusedBy(findings finding.List) error {
	if s.json {
		s.print(map[string]any{"outcome": "failed", "changed": false, "findings": findings,
			"error": domain.ErrorView{Kind: "invalid", Message: "The plan cannot be run.", Hint: "Mend the fields that are named."}})
		return exitError(ExitUsage)
	}
	return s.listRefused("The plan cannot be run:", findings)
}

// listRefused shows a person what is wrong, under a heading, and ends with the
// code for refused.
func (s *session) listRefused(heading string, findings finding.List) error {
	s.line("%s", heading)
	s.findings(findings[:min(len(findings), findingsShown)])
	if more := len(findings) - findingsShown; more > 0 {
		s.line("  and %d more; --json lists them all", more)
	}
	return exitError(ExitUsage)
}

func (s *session) showPreview(p *domain.Preview) {
	if s.json {
		s.print(p)
		return
	}
	s.line("%s on %s", p.Plan.Device.ID, p.Target)
	s.line("  %s", p.Facts)
	s.findings(p.Findings)
	if t := p.TPM; t != nil {
		s.line("TPM")
		for _, row := range [][2]string{{"", t.Summary}, {"endorsement key  ", t.EndorsementKey}, {"registration ID  ", t.RegistrationID}, {"template         ", t.Template}, {"certificate      ", t.Certificate}} {
			if row[1] != "" {
				s.line("  %s%s", row[0], row[1])
			}
		}
	}
	if len(p.Certificates) > 0 {
		s.line("Certificates")
		s.writes(p.Certificates)
	}
	s.line("In the cloud (%s)", p.Plan.Cloud.Name)
	s.writes(p.Cloud)
	s.line("On the device")
	for _, file := range p.Files {
		if file.Action == domain.WriteRemove {
			s.line("  %-6s %s", file.Action, file.Path)
			for _, line := range file.Lines {
				s.line("    %c %s", line.Op, line.Text)
			}
			continue
		}
		s.line("  %-6s %s  %s:%s %04o  +%d -%d", file.Action, file.Path, file.Owner, file.Group, file.Mode.Perm(), file.Added, file.Removed)
		if file.Action == domain.WriteKeep {
			continue
		}
		for _, line := range file.Lines {
			s.line("    %c %s", line.Op, line.Text)
		}
	}
	for _, action := range p.Actions {
		s.line("  run    %s", action)
	}
	if !p.Changed() && !p.Refused() {
		s.line("Nothing has to change.")
	}
}

func (s *session) writes(list []domain.Write) {
	for _, w := range list {
		s.line("  %-6s %s: %s", w.Action, w.What, w.Detail)
	}
}

// practiceNotice says where the practice secrets are sealed under a key file.
func (s *session) practiceNotice(a *app.App) {
	if a.PracticeOnly(s.ctx) {
		s.note("There is no credential store and no passphrase: practice secrets are sealed under a key file of this user, and nothing else can be stored.")
	}
}

func extra(rest []string, err error) error {
	if err != nil {
		return err
	}
	return wrongUse("unexpected argument %q", rest[0])
}
