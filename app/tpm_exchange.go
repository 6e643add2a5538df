package app

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
)

// KeyExport asks for a list of collected keys.
type KeyExport struct {
	// File must not exist yet; neither must the one of the signature beside a CSV
	// list.
	File   string
	Format string // csv | json
	Sign   bool
	Query  TPMKeyQuery // Text narrows the list; keys that were replaced are left out
}

// ExportedKeys is what came of an export.
type ExportedKeys struct {
	File string `json:"file"`
	// Signature is the file beside a CSV list, "" for none.
	Signature string `json:"signature"`
	Keys      int    `json:"keys"`
	// Station is who signed it, nil for nobody. Who imports the list compares the
	// fingerprint.
	Station *StationKey `json:"station"`
}

// keyPage is how many keys of the catalog are looked at together.
const keyPage = 1000

// ExportKeys writes collected keys as a list for upstream enrolment. No secret is in
// it.
func (a *App) ExportKeys(ctx context.Context, r KeyExport) (ExportedKeys, error) {
	out := ExportedKeys{File: r.File}
	if r.Format != "csv" && r.Format != "json" {
		return out, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("There is no format %q.", r.Format), Hint: "Say csv or json."}
	}
	var cells [][]string
	err := a.eachCollected(ctx, r.Query.Text, func(k catalog.TPMKey) { cells = append(cells, keyCells(k)) })
	if err != nil {
		return out, err
	}
	if out.Keys = len(cells); out.Keys == 0 {
		return out, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "There is no endorsement key to export.", Hint: "Collect keys first, or narrow the list less."}
	}
	var signature *listSignature
	if r.Sign {
		key, station, err := a.stationKey(ctx)
		if err != nil {
			return out, err
		}
		signature, out.Station = signList(key, station, cells, a.now()), &station
	}
	if r.Format == "json" {
		text, err := jsonList(cells, signature)
		if err != nil {
			return out, err
		}
		return out, WriteNew(r.File, text)
	}
	if signature != nil {
		out.Signature = r.File + signatureEnding
		text, err := json.MarshalIndent(signature, "", "  ")
		if err != nil {
			return out, err
		}
		if err := WriteNew(out.Signature, append(text, '\n')); err != nil {
			return out, err
		}
	}
	err = WriteNew(r.File, csvList(cells))
	if err != nil && out.Signature != "" {
		err = errors.Join(err, os.Remove(out.Signature))
	}
	return out, err
}

// eachCollected visits the keys that a text finds and that are in use.
func (a *App) eachCollected(ctx context.Context, text string, do func(catalog.TPMKey)) error {
	for after := ""; ; {
		page, err := a.catalog.TPMKeys(ctx, catalog.TPMKeyQuery{Text: text, Limit: keyPage, After: after})
		if err != nil || len(page) == 0 {
			return translate(err)
		}
		after = page[len(page)-1].SHA256
		for _, key := range page {
			if key.ReplacedBy == "" {
				do(key)
			}
		}
	}
}

func csvList(cells [][]string) []byte {
	var text bytes.Buffer
	writer := csv.NewWriter(&text)
	writer.UseCRLF = true
	_ = writer.Write(keyColumns) // a buffer takes everything
	for _, row := range cells {
		guarded := make([]string, len(row))
		for i, cell := range row {
			guarded[i] = catalog.Guard(cell)
		}
		_ = writer.Write(guarded)
	}
	writer.Flush()
	return text.Bytes()
}

func jsonList(cells [][]string, signature *listSignature) ([]byte, error) {
	file := struct {
		Version   int                 `json:"version"`
		Keys      []map[string]string `json:"keys"`
		Signature *listSignature      `json:"signature,omitempty"`
	}{Version: listVersion, Signature: signature}
	for _, row := range cells {
		key := map[string]string{}
		for i, cell := range row {
			key[keyColumns[i]] = cell
		}
		file.Keys = append(file.Keys, key)
	}
	text, err := json.MarshalIndent(file, "", "  ")
	return append(text, '\n'), err
}

// KeyTrust says which station's signature is taken.
type KeyTrust struct {
	// Fingerprint is that of the station that must have signed the list; a station
	// that is not known yet becomes so.
	Fingerprint string
	// Ask asks a person about an unknown station; nil asks nobody.
	Ask func(StationKey) bool
}

// ImportedKeys is what came of an import.
type ImportedKeys struct {
	Added int `json:"added"`
	// Known counts those that the catalog has already.
	Known   int          `json:"known"`
	Refused finding.List `json:"refused"`
	// Station signed the list; nil for a list that nobody signed.
	Station *StationKey `json:"station"`
}

// ImportKeys takes a list of endorsement keys into the catalog. A list that is
// signed and not as it was signed, or signed by a station that is not trusted, is
// refused as a whole. Rows with findings are left out.
func (a *App) ImportKeys(ctx context.Context, file string, trust KeyTrust) (ImportedKeys, error) {
	list, station, err := a.openKeyList(ctx, file, trust)
	if err != nil {
		return ImportedKeys{}, err
	}
	out := ImportedKeys{Refused: list.findings, Station: station}
	if out.Refused == nil {
		out.Refused = finding.List{}
	}
	keys := make([]catalog.TPMKey, len(list.rows))
	for i, row := range list.rows {
		keys[i] = row.key
	}
	out.Added, err = a.catalog.ImportTPMKeys(ctx, keys)
	out.Known = len(keys) - out.Added
	return out, translate(err)
}

// maxKeyList is how large a list may be, in bytes: 100,000 keys with certificates.
const maxKeyList = 512 << 20

// openKeyList reads a list and checks its signature.
func (a *App) openKeyList(ctx context.Context, file string, trust KeyTrust) (*keyList, *StationKey, error) {
	data, err := ReadFile(file, maxKeyList)
	if err != nil {
		return nil, nil, err
	}
	var sidecar []byte
	if _, err := os.Stat(file + signatureEnding); !errors.Is(err, os.ErrNotExist) {
		if sidecar, err = ReadFile(file+signatureEnding, 1<<16); err != nil {
			return nil, nil, err
		}
	}
	list, err := readKeyList(data, sidecar, a.now())
	if err != nil {
		return nil, nil, err
	}
	station, err := a.trustList(ctx, list, trust)
	if err != nil {
		return nil, nil, err
	}
	for i := range list.rows {
		key := &list.rows[i].key
		key.Origin = catalog.OriginUnsigned
		if station != nil {
			key.Origin, key.Signer = catalog.OriginSigned, station.Fingerprint
		}
	}
	return list, station, nil
}

// trustList checks who signed a list.
func (a *App) trustList(ctx context.Context, list *keyList, trust KeyTrust) (*StationKey, error) {
	if list.signature == nil {
		if trust.Fingerprint != "" {
			return nil, &provisioning.Error{Kind: provisioning.ErrRefused, Message: "The list has no signature, and one of " + trust.Fingerprint + " is wanted.",
				Hint: "Export it with a signature, and bring the file " + signatureEnding + " of a CSV list along."}
		}
		return nil, nil
	}
	public, err := list.signature.verify(list.cells)
	if err != nil {
		return nil, err
	}
	station := &StationKey{Station: list.signature.Station, Fingerprint: list.signature.Fingerprint}
	known, err := a.catalog.TPMStations(ctx)
	if err != nil {
		return nil, translate(err)
	}
	who := "station " + station.Station + ", " + station.Fingerprint
	switch {
	case trust.Fingerprint != "" && strings.TrimRight(trust.Fingerprint, "=") != station.Fingerprint:
		return nil, &provisioning.Error{Kind: provisioning.ErrRefused, Message: "The list is signed by another station than the one that is wanted: " + who + ".",
			Hint: "Compare the fingerprint with the one that the station shows when it exports."}
	case slices.ContainsFunc(known, func(s catalog.TPMStation) bool { return s.Fingerprint == station.Fingerprint }):
		return station, nil
	case trust.Fingerprint == "" && (trust.Ask == nil || !trust.Ask(*station)):
		return nil, &provisioning.Error{Kind: provisioning.ErrRefused, Message: "The list is signed by a station that was not accepted here: " + who + ".",
			Hint: "Compare the fingerprint with the one that the station shows when it exports, and name it with --station-key once."}
	}
	return station, translate(a.catalog.AcceptTPMStation(ctx, catalog.TPMStation{Fingerprint: station.Fingerprint, Public: public, Name: station.Station, Accepted: a.now()}))
}
