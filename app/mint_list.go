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
)

// MintRow is one device of a list that is to be minted.
type MintRow struct {
	// Line is the line of the list, from 1; in a range the number of the device.
	Line     int
	ID       string
	Hostname string
	// Group is its enrollment group, "" for an individual enrollment.
	Group  string
	EdgeCA bool
	Days   int // of life, identity and Edge CA alike
}

// maxMinted is how many devices one batch has at most.
const maxMinted = 100_000

const (
	defaultMintDays = 365
	maxMintDays     = 3650
)

// ReadMintList reads a list of devices (RFC 4180 with a header line): the column
// id is required, hostname, group, edge_ca (yes or no) and days may be left out,
// and so may their cells. Each finding names line and column; with one of level
// error nothing may be made.
func ReadMintList(r io.Reader) ([]MintRow, finding.List, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = -1
	reader.TrimLeadingSpace = true
	reader.ReuseRecord = true
	list := mintList{seen: map[string]int{}}
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, invalidMintList("The list is empty.", nil)
	}
	if err != nil {
		return nil, nil, invalidMintList("The list does not read.", err)
	}
	columns := append([]string{}, header...)
	if err := list.header(columns); err != nil {
		return nil, nil, err
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, invalidMintList("The list does not read.", err)
		}
		if len(list.rows) == maxMinted {
			return nil, nil, invalidMintList(fmt.Sprintf("The list has more than %d devices.", maxMinted), nil)
		}
		list.record(columns, record, reader.FieldPos)
	}
	if len(list.rows) == 0 && !list.findings.Errors() {
		return nil, nil, invalidMintList("The list names no device.", nil)
	}
	return list.rows, list.findings, nil
}

// mintList is a list while it is read.
type mintList struct {
	rows     []MintRow
	findings finding.List
	seen     map[string]int // lines by device ID
}

var mintColumns = []string{"id", "hostname", "group", "edge_ca", "days"}

// header brings the names of the columns into their form.
func (l *mintList) header(columns []string) error {
	known := map[string]int{}
	for i, name := range columns {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		columns[i] = name
		first, twice := known[name]
		switch {
		case twice:
			l.bad(fmt.Sprintf("line 1, column %d", i+1), fmt.Sprintf("The column %q stands in place %d already.", name, first), "Remove one of them.")
		case !strings.Contains(" "+strings.Join(mintColumns, " ")+" ", " "+name+" ") || name == "":
			l.bad(fmt.Sprintf("line 1, column %d", i+1), fmt.Sprintf("The list has an unknown column %q.", name), "Use "+strings.Join(mintColumns, ", ")+".")
		}
		known[name] = i + 1
	}
	if known["id"] == 0 {
		return invalidMintList("The list has no column id.", nil)
	}
	return nil
}

func (l *mintList) bad(field, problem, fix string) {
	l.findings.Add(finding.Error, field, problem, fix)
}

// record takes one line; at gives line and column (in bytes, from 1) of a cell.
func (l *mintList) record(columns, record []string, at func(int) (line, column int)) {
	line, _ := at(0)
	row := MintRow{Line: line, Days: defaultMintDays}
	before := len(l.findings)
	for i, value := range record {
		cellLine, column := at(i)
		where := fmt.Sprintf("line %d, column %d", cellLine, column)
		if i >= len(columns) {
			l.bad(where, "The line has more cells than the header.", "Quote cells that contain commas.")
			break
		}
		where += ", " + columns[i]
		if problem, fix := row.set(columns[i], strings.TrimSpace(value)); problem != "" {
			l.bad(where, problem, fix)
		} else if columns[i] == "id" {
			l.unique(where, row.ID, line)
		}
	}
	if row.ID == "" && len(l.findings) == before {
		l.bad(fmt.Sprintf("line %d, id", line), "The line names no device.", "Write its ID.")
	}
	if len(l.findings) == before {
		l.rows = append(l.rows, row)
	}
}

func (l *mintList) unique(where, id string, line int) {
	if first, twice := l.seen[id]; twice {
		l.bad(where, fmt.Sprintf("The device ID %q stands in line %d already.", id, first), "Give each device its own ID.")
		return
	}
	l.seen[id] = line
}

// set takes one cell; problem and fix are empty if it is good.
func (r *MintRow) set(column, value string) (problem, fix string) {
	switch column {
	case "id":
		r.ID = value
		if err := provisioning.CheckDeviceID(value, mintCell); err != nil {
			return sentence(err), "Change the device ID."
		}
	case "hostname":
		r.Hostname = value
		if value == "" {
			return "", ""
		}
		if err := provisioning.CheckHostname(value); err != nil {
			return sentence(err), "Change the host name, or leave it out."
		}
	case "group":
		r.Group = value
		if value == "" {
			return "", ""
		}
		if err := provisioning.CheckGroup(value); err != nil {
			return sentence(err), "Name the enrollment group, or leave it out."
		}
	case "edge_ca":
		switch strings.ToLower(value) {
		case "yes", "true", "1":
			r.EdgeCA = true
		case "", "no", "false", "0":
		default:
			return fmt.Sprintf("The value %q is neither yes nor no.", value), "Write yes or no."
		}
	case "days":
		if value == "" {
			return "", ""
		}
		days, err := strconv.Atoi(value)
		if err != nil || days < 1 || days > maxMintDays {
			return fmt.Sprintf("A life of %q days cannot be.", value), fmt.Sprintf("Write 1 to %d.", maxMintDays)
		}
		r.Days = days
	}
	return "", ""
}

func invalidMintList(message string, err error) error {
	return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: message,
		Hint: "The list is CSV with a header line: " + strings.Join(mintColumns, ",") + ".", Err: err}
}
