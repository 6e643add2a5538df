package app

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/target"
)

// Row is one line of a list of targets: a target, and the plan as the line's
// columns make it.
type Row struct {
	Line   int
	Target string
	Plan   provisioning.Plan
}

// rowColumns are the plan fields that a column may override. A column
// "tag.NAME" sets a tag.
var rowColumns = map[string]func(p *provisioning.Plan, value string){
	"id":              func(p *provisioning.Plan, v string) { p.Device.ID = v },
	"registration_id": func(p *provisioning.Plan, v string) { p.Device.RegistrationID = v },
	"hostname":        func(p *provisioning.Plan, v string) { p.Device.Hostname = v },
	"cloud":           func(p *provisioning.Plan, v string) { p.Cloud.Name = v },
	"enrollment":      func(p *provisioning.Plan, v string) { p.Cloud.Enrollment = v },
	"group":           func(p *provisioning.Plan, v string) { p.Cloud.Group = v },
	"existing":        func(p *provisioning.Plan, v string) { p.Cloud.Existing = v },
	"runtime":         func(p *provisioning.Plan, v string) { p.Runtime.Version = v },
	"key":             func(p *provisioning.Plan, v string) { p.SymmetricKey.Key = v },
	// Where its TPM is, or its key in the catalog: one of the two.
	"tpm":             func(p *provisioning.Plan, v string) { p.TPM.At, p.TPM.EndorsementKey = v, "" },
	"endorsement_key": func(p *provisioning.Plan, v string) { p.TPM.At, p.TPM.EndorsementKey = "", v },
}

// ReadRows reads a list of targets (RFC 4180 with a header line) over a plan
// that all rows share. The column "target" is required; empty cells leave the
// plan as it is. Findings name line and column; rows with errors are left out.
func ReadRows(r io.Reader, plan provisioning.Plan) ([]Row, finding.List, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = -1
	reader.TrimLeadingSpace = true
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, invalidList("The list is empty.", nil)
	}
	if err != nil {
		return nil, nil, invalidList("The list does not read.", err)
	}
	findings := finding.List{}
	hasTarget := false
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		header[i] = name
		_, known := rowColumns[name]
		hasTarget = hasTarget || name == "target"
		if name != "target" && !known && !strings.HasPrefix(name, "tag.") {
			findings = append(findings, finding.Finding{Field: name, Level: finding.Error,
				Problem: fmt.Sprintf("The list has an unknown column %q.", name), Fix: "Correct its name or remove it."})
		}
	}
	if !hasTarget {
		return nil, nil, invalidList("The list has no column target.", nil)
	}
	var rows []Row
	seen, targets := map[string]int{}, map[string]int{} // lines by device ID, by target
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, findings, nil
		}
		if err != nil {
			return nil, nil, invalidList("The list does not read.", err)
		}
		line, _ := reader.FieldPos(0)
		row, problems := readRow(header, record, line, plan)
		if first, twice := seen[row.Plan.Device.ID]; twice {
			problems = append(problems, finding.Finding{Field: "id", Level: finding.Error,
				Problem: fmt.Sprintf("The device ID %q stands in line %d already.", row.Plan.Device.ID, first), Fix: "Give each device its own ID."})
		}
		seen[row.Plan.Device.ID] = line
		if first, twice := targets[row.Target]; twice && row.Target != "" {
			problems = append(problems, finding.Finding{Field: "target", Level: finding.Error,
				Problem: fmt.Sprintf("The target %s stands in line %d already.", row.Target, first), Fix: "Give each device its own target."})
		}
		targets[row.Target] = line
		for i := range problems {
			problems[i].Field = "line " + strconv.Itoa(line) + " " + problems[i].Field
		}
		findings = append(findings, problems...)
		if !problems.Errors() {
			rows = append(rows, row)
		}
	}
}

func readRow(header, record []string, line int, plan provisioning.Plan) (Row, finding.List) {
	row := Row{Line: line, Plan: plan}
	if len(plan.Device.Tags) > 0 {
		tags := map[string]any{}
		for key, value := range plan.Device.Tags {
			tags[key] = value
		}
		row.Plan.Device.Tags = tags
	}
	if len(record) > len(header) {
		return row, finding.List{{Field: "line", Level: finding.Error,
			Problem: "The line has more cells than the header.", Fix: "Quote cells that contain commas."}}
	}
	for i, value := range record {
		value = strings.TrimSpace(value)
		name := header[i]
		switch set, known := rowColumns[name]; {
		case value == "":
		case name == "target":
			row.Target = value
		case known:
			set(&row.Plan, value)
		case strings.HasPrefix(name, "tag."):
			if row.Plan.Device.Tags == nil {
				row.Plan.Device.Tags = map[string]any{}
			}
			row.Plan.Device.Tags[strings.TrimPrefix(name, "tag.")] = value
		}
	}
	row.Plan = row.Plan.WithDefaults()
	findings := row.Plan.Check()
	if row.Target == "" {
		findings = append(findings, finding.Finding{Field: "target", Level: finding.Error,
			Problem: "The line names no target.", Fix: "Write a target such as ssh://user@host."})
	} else if _, err := target.ParseSpec(row.Target); err != nil {
		findings = append(findings, finding.Finding{Field: "target", Level: finding.Error,
			Problem: sentence(err), Fix: "Write ssh://user@host, rootfs:///path or practice:NAME."})
	}
	return row, findings
}

func invalidList(message string, err error) error {
	return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: message,
		Hint: "The list is CSV with a header line: target,id,...", Err: err}
}
