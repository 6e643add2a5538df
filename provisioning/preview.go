package provisioning

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/finding"
)

// The actions of a Write.
const (
	WriteMake   = "make"
	WriteKeep   = "keep"
	WriteChange = "change"
	WriteRefuse = "refuse"
	WriteRemove = "remove"
)

// Write is one thing in the cloud that a run would touch or leave.
type Write struct {
	What   string `json:"what"`
	Action string `json:"action"`
	Detail string `json:"detail"`
}

// FileChange is one file on the device with its difference, secrets masked.
type FileChange struct {
	Path    string            `json:"path"`
	Owner   string            `json:"owner"`
	Group   string            `json:"group"`
	Mode    fs.FileMode       `json:"mode"`
	Action  string            `json:"action"`
	Lines   []edgeconfig.Line `json:"lines"`
	Added   int               `json:"added"`
	Removed int               `json:"removed"`
}

// Preview is what a run would do, found by looking only.
type Preview struct {
	Plan     Plan         `json:"-"`
	Target   string       `json:"target"`
	Facts    string       `json:"facts"`
	Passed   int          `json:"passed"`
	Findings finding.List `json:"findings"`
	// TPM is the one that the device attests with, nil for other ways.
	TPM *TPMShown `json:"tpm,omitempty"`
	// Certificates are those that the device gets or keeps.
	Certificates []Write      `json:"certificates,omitempty"`
	Cloud        []Write      `json:"cloud"`
	Files        []FileChange `json:"files"`
	Actions      []string     `json:"actions"`
}

// Changed tells whether a run would change anything.
func (p *Preview) Changed() bool {
	for _, write := range p.Cloud {
		if write.Action == WriteMake || write.Action == WriteChange {
			return true
		}
	}
	for _, file := range p.Files {
		if file.Action != WriteKeep {
			return true
		}
	}
	return false
}

// Refused tells whether a run would be refused.
func (p *Preview) Refused() bool { return p.Findings.Errors() }

// previewer is a step that has something to show before it acts.
type previewer interface {
	Preview(ctx context.Context, x *Execution, p *Preview) error
}

// LookFirst makes the preview of a plan. It writes nothing, here or there. What
// stands in the way is a finding; the error is for looks that failed.
func LookFirst(ctx context.Context, ports Ports, plan Plan) (*Preview, error) {
	return lookFirst(ctx, ports, plan, nil)
}

// LookFirstAtRotation makes the preview of a rotation on a device of that plan.
func LookFirstAtRotation(ctx context.Context, ports Ports, plan Plan, rotation Rotation) (*Preview, error) {
	return lookFirst(ctx, ports, plan, &rotation)
}

func lookFirst(ctx context.Context, ports Ports, plan Plan, rotation *Rotation) (*Preview, error) {
	plan = plan.WithDefaults()
	x := newExecution(ports, &Run{ID: "preview", Plan: plan, Rotate: rotation, Target: ports.Machine.Name()}, nil)
	x.preview = true
	p := &Preview{Plan: plan, Target: ports.Machine.Name(), Findings: plan.Check()}
	if p.Refused() {
		return p, nil
	}
	for _, step := range x.steps() {
		shows, ok := step.(previewer)
		if !ok {
			continue
		}
		err := shows.Preview(ctx, x, p)
		if err != nil && !errors.Is(err, errPreviewEnds) {
			return p, err
		}
		if err != nil || p.refusedByCloud() {
			break
		}
	}
	return p, nil
}

// errPreviewEnds tells that what follows cannot be looked at, for a reason that
// stands among the findings.
var errPreviewEnds = errors.New("the preview ends here")

func (p *Preview) refusedByCloud() bool {
	for _, write := range p.Cloud {
		if write.Action == WriteRefuse {
			return true
		}
	}
	return false
}

// addCloud turns what a cloud step found into a line of the preview.
func (p *Preview) addCloud(what string, look Look, err error) error {
	var refused *Error
	switch {
	case errors.As(err, &refused) && (errors.Is(err, ErrConflict) || errors.Is(err, ErrInvalid)):
		p.Cloud = append(p.Cloud, Write{what, WriteRefuse, refused.Message})
		p.Findings.Add(finding.Error, cmp.Or(refused.Field, "cloud"), refused.Message, refused.Hint)
	case err != nil:
		return err
	case look.Done:
		p.Cloud = append(p.Cloud, Write{what, WriteKeep, look.Summary})
	default:
		p.Cloud = append(p.Cloud, Write{what, WriteMake, look.Summary})
	}
	return nil
}

// addAssigned shows the device that DPS makes when the device registers.
func (p *Preview) addAssigned(deviceID string, undo enrollmentUndo) {
	write := Write{"device " + deviceID, WriteMake, "made by DPS when the device registers"}
	if undo.Registered || undo.Identity {
		write.Action, write.Detail = WriteKeep, "registered already"
	}
	p.Cloud = append(p.Cloud, write)
}

// Preview compares each file with what lies on the device.
func (filesStep) Preview(ctx context.Context, x *Execution, p *Preview) error {
	before, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	for _, f := range edgeconfig.Lint(before.Data.Reveal(), x.Run.Plan.Runtime.Version) {
		if before.Exists && f.Level != string(finding.Note) {
			p.Findings.Add(finding.Care, "config.toml "+f.Field, f.Problem, f.Fix)
		}
	}
	files, err := x.wantedFiles(ctx, before)
	if err != nil {
		var refused *Error
		if errors.As(err, &refused) && errors.Is(err, ErrInvalid) {
			p.Findings.Add(finding.Error, "config.toml", refused.Error(), refused.Hint)
			return nil
		}
		return err
	}
	for _, file := range files {
		change, err := x.fileChange(ctx, file)
		if err != nil {
			return err
		}
		if file.Remove && change.Action == WriteKeep {
			continue // it is not there
		}
		p.Files = append(p.Files, change)
	}
	return nil
}

func (x *Execution) fileChange(ctx context.Context, file File) (FileChange, error) {
	change := FileChange{Path: file.Path, Owner: file.Owner, Group: file.Group, Mode: file.Mode, Action: WriteChange}
	var before FileState
	var err error
	if file.Hidden {
		before.Exists, err = x.Machine.Exists(ctx, file.Path)
	} else {
		before, err = x.Machine.Read(ctx, file.Path)
	}
	if err != nil {
		return change, fmt.Errorf("read %s: %w", file.Path, err)
	}
	same, err := x.Machine.Same(ctx, []File{file})
	if err != nil {
		return change, fmt.Errorf("compare %s: %w", file.Path, err)
	}
	switch {
	case same:
		change.Action = WriteKeep
	case file.Remove:
		change.Action = WriteRemove
	case !before.Exists:
		change.Action = WriteMake
	}
	if file.Remove {
		change.Lines = []edgeconfig.Line{{Op: '-', Text: "(made by the runtime for itself; it makes another, and undo brings this one back)"}}
		return change, nil
	}
	if file.Hidden {
		change.Lines = []edgeconfig.Line{{Op: ' ', Text: "(a private key, which is never shown)"}}
		return change, nil
	}
	change.Lines = edgeconfig.Diff(before.Data.Reveal(), file.Data.Reveal())
	for _, line := range change.Lines {
		switch line.Op {
		case '+':
			change.Added++
		case '-':
			change.Removed++
		}
	}
	return change, nil
}

// MarshalJSON leaves the plan in as TOML text, as commands print it.
func (p *Preview) MarshalJSON() ([]byte, error) {
	type plain Preview
	plan, err := p.Plan.TOML()
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		*plain
		Plan    string `json:"plan"`
		Changed bool   `json:"changed"`
		Refused bool   `json:"refused"`
	}{(*plain)(p), string(plan), p.Changed(), p.Refused()})
}
