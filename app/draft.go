package app

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/target"
)

// Draft is a plan in the making: what a person has said so far. The wizard
// keeps one over all its steps, and the bench loop from one device to the next.
type Draft struct {
	Target string
	Access Access
	// Found is what was seen of the target, nil before the look.
	Found *Detection
	Plan  provisioning.Plan
	// Bundle is where the plan comes from, nil for one that is typed.
	Bundle *BundleView
	// Given tells that the plan was there first, whole: of a device, a run or a
	// file. Nothing of it follows what is seen of the target.
	Given bool
	// RuntimeChosen tells that a person has said for which version of the
	// runtime the configuration is; it does not follow the device then.
	RuntimeChosen bool

	confirmed *provisioning.Preview
}

// NewDraft begins with the defaults of a plan.
func NewDraft() *Draft {
	return &Draft{Plan: provisioning.Plan{}.WithDefaults()}
}

// Request is what the draft asks for.
func (d *Draft) Request() Request {
	return Request{Plan: d.Plan.WithDefaults(), Target: d.Target, Access: d.Access}
}

// See takes what was seen of the target: the configuration is for the version
// that the device has, unless a person chose another.
func (d *Draft) See(found Detection) {
	d.Found = &found
	if has := minorOf(found.Report.Runtime.Version); !d.RuntimeChosen && !d.Given && slices.Contains(provisioning.RuntimeVersions(), has) {
		d.Plan.Runtime.Version = has
	}
}

// SetCell chooses the way and drops what belongs to another one.
func (d *Draft) SetCell(cell provisioning.Cell) {
	if cell != d.Plan.Cell {
		if d.Plan.UsesEST() {
			d.Plan.EdgeCA = nil // it came from the server that goes
		}
		d.Plan.X509, d.Plan.TPM = provisioning.X509Plan{}, provisioning.TPMPlan{}
		if cell.Authentication != provisioning.SymmetricKey {
			d.Plan.SymmetricKey = provisioning.SymmetricKeyPlan{}
		}
	}
	d.Plan.Cell = cell
	if cell.Provisioning != provisioning.DPS {
		d.Plan.Cloud.Enrollment, d.Plan.Cloud.Group, d.Plan.Device.RegistrationID = "", "", ""
	}
	d.Plan = d.Plan.WithDefaults()
}

// Finding is the first error of the plan in one of the fields, nil for none.
func (d *Draft) Finding(fields ...string) *finding.Finding {
	for _, f := range d.Plan.WithDefaults().Check() {
		for _, field := range fields {
			if f.Level == finding.Error && f.Field == field {
				return &f
			}
		}
	}
	return nil
}

// Confirm remembers a preview that a person has agreed to.
func (d *Draft) Confirm(p *provisioning.Preview) { d.confirmed = p }

// Familiar tells whether a preview differs from the one agreed to in nothing
// but ID, host and keys, so that it need not be looked at again.
func (d *Draft) Familiar(p *provisioning.Preview) bool {
	return d.confirmed != nil && !p.Refused() && fingerprint(d.confirmed) == fingerprint(p)
}

// fingerprint is a preview without the things in which devices of one bench
// differ.
func fingerprint(p *provisioning.Preview) string {
	var text strings.Builder
	plan := p.Plan
	id := plan.Device.ID
	names := []string{plan.Device.Hostname, plan.Device.RegistrationID, id}
	if p.TPM != nil {
		names = append(names, p.TPM.RegistrationID)
	}
	blank := func(s string) string {
		for _, own := range names {
			if own != "" {
				s = strings.ReplaceAll(s, own, "<id>")
			}
		}
		return s
	}
	certificate, _ := json.Marshal(plan.X509) // pointers by what they point to; plain values always encode
	fmt.Fprintf(&text, "%v|%v|%v|%s|%v|%s|%v|%v\n", plan.Cell, plan.Cloud, plan.Runtime, plan.SymmetricKey.Key, plan.Device.Tags, certificate, plan.TrustBundle, plan.TPM)
	for _, w := range p.Certificates {
		fmt.Fprintln(&text, blank(w.What), w.Action)
	}
	for _, f := range p.Findings {
		if f.Level != finding.Note {
			fmt.Fprintln(&text, f.Level, f.Field)
		}
	}
	for _, w := range p.Cloud {
		if plan.ByGroup() && strings.HasPrefix(w.What, "enrollment group") {
			continue // made by the first device, there for the others
		}
		fmt.Fprintln(&text, blank(w.What), w.Action)
	}
	for _, file := range p.Files {
		fmt.Fprintln(&text, blank(file.Path), file.Owner, file.Group, file.Mode, file.Action)
		for _, line := range file.Lines {
			fmt.Fprintf(&text, "%c%s\n", line.Op, blank(line.Text))
		}
	}
	fmt.Fprintln(&text, p.Actions)
	return text.String()
}

var endNumber = regexp.MustCompile(`^(.*?)(\d+)$`)

// NextID counts the number at the end of a device ID up, keeping its width:
// line-7-0042 becomes line-7-0043. An ID without a number gets "-2".
func NextID(id string) string {
	parts := endNumber.FindStringSubmatch(id)
	if parts == nil {
		return id + "-2"
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil {
		return id + "-2"
	}
	return fmt.Sprintf("%s%0*d", parts[1], len(parts[2]), n+1)
}

// NextDraft is the draft for another device of the same kind, under an ID: the
// same way, cloud and agreement. For a practice device that is another one, with
// a software TPM if this one has one on.
func (a *App) NextDraft(ctx context.Context, d *Draft, id string) (*Draft, error) {
	next := *d
	next.Given = true
	next.Plan.Device.ID = strings.TrimSpace(id)
	next.Plan.Device.RegistrationID = ""
	if next.Plan.CollectedKey() != "" {
		next.Plan.TPM.EndorsementKey = "" // that is one device's own
	}
	if ca := next.Plan.EdgeCA; ca != nil && ca.CommonName != "" {
		its := *ca
		its.CommonName = strings.ReplaceAll(ca.CommonName, d.Plan.Device.ID, next.Plan.Device.ID)
		next.Plan.EdgeCA = &its
	}
	this, practice := a.PracticeName(d.Target)
	if !practice || provisioning.CheckDeviceID(next.Plan.Device.ID, d.Plan.Cell) != nil {
		return &next, ctx.Err()
	}
	name := next.Plan.Device.ID
	if target.CheckPracticeName(name) != nil {
		name = a.FreePracticeName(ctx)
	}
	next.Target = PracticeTarget(name)
	if a.HasSoftwareTPM(this) {
		if err := a.SwitchSoftwareTPM(ctx, name, true); err != nil {
			return nil, err
		}
	}
	return &next, ctx.Err()
}

// FreePracticeName is practice-1, or the first number that is not taken.
func (a *App) FreePracticeName(ctx context.Context) string {
	name := "practice-1"
	for range 10000 {
		if _, err := a.catalog.Device(ctx, name); isNotFound(err) && !a.practiceInUse(name) {
			return name
		}
		name = NextID(name)
	}
	return name
}
