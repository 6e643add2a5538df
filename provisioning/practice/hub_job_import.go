package practice

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"edgewright/provisioning/practice/blob"
	"edgewright/provisioning/wire"
)

const (
	importSlice   = 100     // lines that are imported in one transaction
	maxImportLine = 1 << 20 // bytes
)

// imports reads devices and modules, then configurations if asked. Each line
// succeeds or fails by itself: those that failed stand in importErrors.log,
// which is written only if there are any, and the job completes.
func (r *jobRun) imports(input *blob.Container) error {
	errorLog := r.output.Writer(r.ctx, importErrorsBlob)
	failed := 0
	note := func(lines []refusedLine) error {
		for _, line := range lines {
			var encoded bytes.Buffer
			writeLine(&encoded, line)
			if _, err := errorLog.Write(encoded.Bytes()); err != nil {
				return err
			}
		}
		failed += len(lines)
		return nil
	}
	err := r.readLines(input, r.job.InputBlobName, note, r.importLine)
	if err == nil && r.job.IncludeConfigurations {
		err = r.readLines(input, r.job.ConfigurationsBlobName, note, r.importConfiguration)
	}
	if failed > 0 {
		err = errors.Join(err, errorLog.Close())
	}
	return err
}

// readLines gives each line of a blob to one, in transactions of several.
func (r *jobRun) readLines(from *blob.Container, name string, note func([]refusedLine) error, one func(t *transaction, number int, line []byte) []refusedLine) error {
	body, err := from.Get(r.ctx, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", wire.CleanMessage(name), err)
	}
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 64<<10), maxImportLine)
	number := 0
	for more := true; more; {
		var slice [][]byte
		for len(slice) < importSlice {
			if more = lines.Scan(); !more {
				break
			}
			slice = append(slice, bytes.Clone(lines.Bytes()))
		}
		var refused []refusedLine
		if err := r.step(func(t *transaction, _ *job) {
			for _, line := range slice {
				number++
				if line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))); len(line) > 0 {
					refused = append(refused, one(t, number, line)...)
				}
			}
		}); err != nil {
			return err
		}
		if err := note(refused); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("line %d of %s has more than %d bytes", number+1, wire.CleanMessage(name), maxImportLine)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("read %s: it ends early", wire.CleanMessage(name))
	}
	return nil
}

// importLine imports a device or module.
func (r *jobRun) importLine(t *transaction, number int, line []byte) []refusedLine {
	var item registryItem
	if err := json.Unmarshal(line, &item); err != nil {
		return []refusedLine{r.refused(number, registryItem{}, &identityError{"DeserializationError", wire.CleanMessage(err.Error())})}
	}
	warning, refused := t.importItem(item)
	if warning != nil {
		refused = &identityError{warning.WarningCode, warning.WarningStatus}
	}
	if refused != nil {
		return []refusedLine{r.refused(number, item, refused)}
	}
	return nil
}

// importConfiguration makes or updates a configuration, or with importMode
// delete removes it; createOrUpdateIfMatchETag wants the etag that the line has
// of one that exists.
func (r *jobRun) importConfiguration(t *transaction, number int, line []byte) []refusedLine {
	var given struct {
		wireConfiguration
		ImportMode string `json:"importMode"`
	}
	fail := func(refused *identityError) []refusedLine {
		return []refusedLine{r.refused(number, registryItem{ID: given.ID, ImportMode: given.ImportMode}, refused)}
	}
	if err := json.Unmarshal(line, &given); err != nil {
		return fail(&identityError{"DeserializationError", wire.CleanMessage(err.Error())})
	}
	there := t.hub.configurations[given.ID]
	mode, ifMatch := strings.CutSuffix(strings.ToLower(given.ImportMode), "ifmatchetag")
	if ifMatch && there != nil && given.ETag != "*" && given.ETag != encodeETag(there.ETag) {
		return fail(&identityError{"PreconditionFailed", "The etag is another."})
	}
	switch mode {
	case "", "createorupdate":
		if refused := t.writeConfiguration(given.ID, given.wireConfiguration, there); refused != nil {
			return fail(refused)
		}
	case "delete":
		if there == nil {
			return fail(&identityError{"ConfigurationNotFound", "It does not exist."})
		}
		t.removeConfiguration(there)
	default:
		return fail(invalid("importMode is not known"))
	}
	return nil
}
