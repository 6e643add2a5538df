package app

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
)

// keyList is a list of endorsement keys as it was read.
type keyList struct {
	rows     []listRow
	findings finding.List
	// cells are the texts that a signature is over, a row after the other in the
	// order of keyColumns.
	cells [][]string
	// signature is that of the list, nil for none.
	signature *listSignature
}

// readKeyList reads a list of endorsement keys, JSON or CSV by its first character.
// sidecar is the signature that lies beside a CSV list, nil for none. Each finding
// names line and field; its row is left out. Errors are of kind ErrInvalid.
func readKeyList(data, sidecar []byte, now time.Time) (*keyList, error) {
	list := &keyList{}
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	var err error
	switch {
	case len(trimmed) == 0:
		return nil, invalidKeyList("The list is empty.", nil)
	case trimmed[0] == '{':
		err = list.readJSON(trimmed)
	default:
		if sidecar != nil {
			if list.signature, err = parseSignature(sidecar); err != nil {
				return nil, err
			}
		}
		err = list.readCSV(trimmed)
	}
	if err != nil {
		return nil, err
	}
	if len(list.cells) == 0 {
		return nil, invalidKeyList("The list has no key.", nil)
	}
	list.check(now)
	return list, nil
}

// readJSON takes the form {"keys": [{…}], "signature": {…}}.
func (l *keyList) readJSON(data []byte) error {
	var file struct {
		Version   int                 `json:"version"`
		Keys      []map[string]string `json:"keys"`
		Signature *listSignature      `json:"signature"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return invalidKeyList("The list does not read.", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return invalidKeyList("Something stands behind the end of the list.", nil)
	}
	switch {
	case file.Version != listVersion:
		return invalidKeyList(fmt.Sprintf("The list is of version %d; this program reads version %d.", file.Version, listVersion), nil)
	case len(file.Keys) > maxListedKeys:
		return invalidKeyList(fmt.Sprintf("The list has more than %d keys.", maxListedKeys), nil)
	}
	l.signature = file.Signature
	for i, key := range file.Keys {
		cells := make([]string, len(keyColumns))
		for name, value := range key {
			at := slices.Index(keyColumns, name)
			if at < 0 {
				return invalidKeyList(fmt.Sprintf("Key %d has an unknown member %q.", i+1, name), nil)
			}
			cells[at] = value
		}
		l.rows, l.cells = append(l.rows, listRow{line: i + 1}), append(l.cells, cells)
	}
	return nil
}

// readCSV takes RFC 4180 with a header line. A spreadsheet may have written it:
// separators may be commas, semicolons or tabs.
func (l *keyList) readCSV(data []byte) error {
	reader := csv.NewReader(bytes.NewReader(data))
	reader.FieldsPerRecord = -1
	reader.ReuseRecord = true
	reader.Comma = separator(data)
	header, err := reader.Read()
	if err != nil {
		return invalidKeyList("The list does not read.", err)
	}
	places, err := keyPlaces(header)
	if err != nil {
		return err
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return invalidKeyList("The list does not read.", err)
		}
		if len(l.rows) == maxListedKeys {
			return invalidKeyList(fmt.Sprintf("The list has more than %d keys.", maxListedKeys), nil)
		}
		line, _ := reader.FieldPos(0)
		cells := make([]string, len(keyColumns))
		empty := true
		for i, value := range record {
			value = catalog.Unguard(strings.TrimSpace(value))
			empty = empty && value == ""
			switch {
			case i < len(places):
				cells[places[i]] = value
			case value != "":
				return invalidKeyList(fmt.Sprintf("Line %d has more cells than the header.", line), nil)
			}
		}
		if !empty {
			l.rows, l.cells = append(l.rows, listRow{line: line}), append(l.cells, cells)
		}
	}
}

// separator is what stands between the cells of the header.
func separator(data []byte) rune {
	header, _, _ := bytes.Cut(data, []byte("\n"))
	for _, mark := range []string{";", "\t"} {
		if bytes.Contains(header, []byte(mark)) && !bytes.Contains(header, []byte(",")) {
			return rune(mark[0])
		}
	}
	return ','
}

// keyPlaces says which column each cell of a line is.
func keyPlaces(header []string) ([]int, error) {
	var places []int
	for _, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		at := slices.Index(keyColumns, name)
		switch {
		case at < 0:
			return nil, invalidKeyList(fmt.Sprintf("The list has an unknown column %q.", name), nil)
		case slices.Contains(places, at):
			return nil, invalidKeyList(fmt.Sprintf("The column %q is there twice.", name), nil)
		}
		places = append(places, at)
	}
	if !slices.Contains(places, slices.Index(keyColumns, "endorsement_key")) {
		return nil, invalidKeyList("The list has no column endorsement_key.", nil)
	}
	return places, nil
}

// check reads the cells of all rows and leaves out those with findings.
func (l *keyList) check(now time.Time) {
	keys, ids := map[string]int{}, map[string]int{}
	good := l.rows[:0]
	for i, row := range l.rows {
		before := len(l.findings)
		bad := func(field, problem, fix string) {
			if problem != "" {
				l.findings.Add(finding.Error, fmt.Sprintf("line %d, %s", row.line, field), problem, fix)
			}
		}
		for n, column := range keyColumns {
			problem, fix := row.set(column, l.cells[i][n])
			bad(column, problem, fix)
		}
		if len(l.findings) == before {
			bad(row.finish(now))
		}
		if len(l.findings) > before {
			continue
		}
		if first, twice := keys[row.key.SHA256]; twice {
			bad("endorsement_key", fmt.Sprintf("The same key stands in line %d already.", first), "Remove one of the rows.")
			continue
		}
		id := strings.ToLower(row.registrationID) // letter case does not count in DPS
		if first, twice := ids[id]; twice {
			bad("registration_id", fmt.Sprintf("The ID %s stands in line %d already.", row.registrationID, first), "Give each device its own.")
			continue
		}
		keys[row.key.SHA256], ids[id] = row.line, row.line
		good = append(good, row)
	}
	l.rows = good
}

func invalidKeyList(message string, err error) error {
	return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: message,
		Hint: "A list is what `edgewright tpm export` writes, or CSV with a header line: " + strings.Join(keyColumns, ",") + "; endorsement_key suffices.", Err: err}
}
