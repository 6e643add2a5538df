package app

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning"
)

// collected is a program with the keys of n software TPMs.
func collected(t testing.TB, n int) *App {
	t.Helper()
	a := stationApp(t)
	var request CollectRequest
	for i, chip := range softTPMs(t, n) {
		request.Targets = append(request.Targets, CollectTarget{Target: "local:", TPM: chip.Address, Device: fmt.Sprintf("press-%02d", i+1)})
	}
	if out, err := a.Collect(t.Context(), request, nil); err != nil || out.Collected != n {
		t.Fatal(out, err)
	}
	return a
}

func export(t testing.TB, a *App, format string, sign bool) ExportedKeys {
	t.Helper()
	out, err := a.ExportKeys(t.Context(), KeyExport{File: filepath.Join(t.TempDir(), "keys."+format), Format: format, Sign: sign})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func rewrite(t testing.TB, file string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := change(string(text))
	if changed == string(text) {
		t.Fatal("nothing was changed")
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSignedListsGoFromStationToStation(t *testing.T) {
	t.Parallel()
	a := collected(t, 2)
	for _, format := range []string{"csv", "json"} {
		exported := export(t, a, format, true)
		if exported.Keys != 2 || exported.Station == nil || !strings.HasPrefix(exported.Station.Fingerprint, "SHA256:") || (exported.Signature == "") != (format == "json") {
			t.Fatalf("%+v", exported)
		}
		b := stationApp(t)
		if _, err := b.ImportKeys(t.Context(), exported.File, KeyTrust{}); !errors.Is(err, provisioning.ErrRefused) || !strings.Contains(err.Error(), exported.Station.Fingerprint) {
			t.Errorf("an unknown station: %v", err)
		}
		if _, err := b.ImportKeys(t.Context(), exported.File, KeyTrust{Fingerprint: "SHA256:other"}); !errors.Is(err, provisioning.ErrRefused) {
			t.Errorf("another fingerprint: %v", err)
		}
		asked := 0
		ask := KeyTrust{Ask: func(s StationKey) bool { asked++; return s == *exported.Station }}
		for want := range []int{0, 1} {
			in, err := b.ImportKeys(t.Context(), exported.File, ask)
			if err != nil || in.Known != 2*want || in.Added != 2-2*want || in.Station == nil || len(in.Refused) != 0 {
				t.Fatalf("%+v %v", in, err)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		theirs, err := a.CollectedKeys(t.Context(), TPMKeyQuery{})
		ours, err2 := b.CollectedKeys(t.Context(), TPMKeyQuery{})
		if err := errors.Join(err, err2); err != nil || len(ours) != 2 {
			t.Fatal(ours, err)
		}
		byID := map[string]CollectedKey{theirs[0].ID: theirs[0], theirs[1].ID: theirs[1]}
		for _, our := range ours {
			their := byID[our.ID]
			if our.Origin != "signed" || our.Signer != exported.Station.Fingerprint || our.Device != their.Device || !bytes.Equal(our.Public, their.Public) || our.SRK != their.SRK ||
				our.Station != their.Station || our.Firmware != their.Firmware || our.EK.Template != "tcg-l1" || our.Taken.Unix() != their.Taken.Unix() {
				t.Errorf("%+v\nis not\n%+v", our, their)
			}
		}
		// The station itself takes its list back.
		if in, err := a.ImportKeys(t.Context(), exported.File, KeyTrust{}); err != nil || in.Known != 2 {
			t.Errorf("%+v %v", in, err)
		}
		if _, err := a.ExportKeys(t.Context(), KeyExport{File: exported.File, Format: format}); !errors.Is(err, provisioning.ErrInvalid) {
			t.Errorf("an export over another one: %v", err)
		}
	}
}

// A spreadsheet changes the form of a list and may change its cells.
func TestASignatureSurvivesASpreadsheetAndNoChange(t *testing.T) {
	t.Parallel()
	a := collected(t, 2)
	exported := export(t, a, "csv", true)
	whole, err := os.ReadFile(exported.File)
	if err != nil {
		t.Fatal(err)
	}
	for name, form := range map[string]func(string) string{
		"semicolons and line ends": func(s string) string {
			return "\ufeff" + strings.ReplaceAll(strings.ReplaceAll(s, ",", ";"), "\r\n", "\n") + "\n"
		},
		"tabs": func(s string) string { return strings.ReplaceAll(s, ",", "\t") },
		"quotes": func(s string) string {
			return `"` + strings.ReplaceAll(strings.TrimSuffix(strings.ReplaceAll(strings.ReplaceAll(s, ",", `","`), "\r\n", "\"\n\""), `"`), "\n\n", "\n")
		},
		"empty rows": func(s string) string { return s + ",,,,,,,,,,,,\r\n" },
	} {
		rewrite(t, exported.File, form)
		if in, err := a.ImportKeys(t.Context(), exported.File, KeyTrust{}); err != nil || in.Known != 2 || in.Station == nil {
			t.Errorf("%s: %+v %v", name, in, err)
		}
		if err := os.WriteFile(exported.File, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.SplitAfter(string(whole), "\r\n")
	for name, changed := range map[string]string{
		"an ID":        strings.Replace(string(whole), "press-01", "press-03", 1),
		"a row less":   lines[0] + lines[1],
		"a row more":   string(whole) + strings.Replace(lines[1], "press-01", "press-09", -1),
		"other order":  lines[0] + lines[2] + lines[1],
		"other column": strings.Replace(string(whole), ",target,", ",firmware2,", 1),
	} {
		if err := os.WriteFile(exported.File, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := a.ImportKeys(t.Context(), exported.File, KeyTrust{}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := os.Remove(exported.Signature); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ImportKeys(t.Context(), exported.File, KeyTrust{Fingerprint: exported.Station.Fingerprint}); err == nil {
		t.Error("a list without the signature that is wanted")
	}
}

// TestAChangedByteIsRefused changes every byte of a signed list and of a signature.
// What is taken all the same says the same.
func TestAChangedByteIsRefused(t *testing.T) {
	t.Parallel()
	a := collected(t, 1)
	now := time.Now()
	exported := export(t, a, "csv", true)
	csv, err := os.ReadFile(exported.File)
	sidecar, err2 := os.ReadFile(exported.Signature)
	text, err3 := os.ReadFile(export(t, a, "json", true).File)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	whole, err := readKeyList(csv, sidecar, now)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, csv, sidecar []byte, at int) {
		list, err := readKeyList(csv, sidecar, now)
		if err != nil {
			return
		}
		if list.signature == nil {
			t.Errorf("%s, byte %d: the signature is gone", what, at)
			return
		}
		if _, err := list.signature.verify(list.cells); err == nil && fmt.Sprint(list.cells) != fmt.Sprint(whole.cells) {
			t.Errorf("%s, byte %d: taken with %v", what, at, list.cells)
		}
	}
	for _, bit := range []byte{1, 0x20} {
		for at := range csv {
			changed := bytes.Clone(csv)
			changed[at] ^= bit
			try("list", changed, sidecar, at)
		}
		for at := range sidecar {
			changed := bytes.Clone(sidecar)
			changed[at] ^= bit
			try("signature", csv, changed, at)
		}
		for at := range text {
			changed := bytes.Clone(text)
			changed[at] ^= bit
			if changed[0] == '{' && bytes.Contains(changed, []byte(`"signature"`)) {
				try("JSON", changed, nil, at)
			}
		}
	}
}

func TestBadRowsAreNamedByLineAndField(t *testing.T) {
	t.Parallel()
	a := collected(t, 2)
	keys, err := a.CollectedKeys(t.Context(), TPMKeyQuery{})
	if err != nil {
		t.Fatal(err)
	}
	good, other := keys[0].EK.Public, keys[1].EK.Public
	file := filepath.Join(t.TempDir(), "keys.csv")
	text := strings.Join([]string{"registration_id,device_id,endorsement_key,sha256,certificate,template,read",
		"line-1,," + good + ",,,,",
		"line-2,,AAAA,,,,",
		"line-3,,,,,,",
		"line 4,," + other + ",,,,",
		"line-5,LINE," + other + ",,,,",
		"line-6,," + other + "," + keys[0].ID + ",,,",
		"line-7,," + other + ",,AAAA,,",
		"line-8,," + other + ",,,mine,",
		"line-9,," + other + ",,,,today",
		"line-10,," + good + ",,,,",
		"LINE-1,," + other + ",,,,",
		""}, "\n")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := stationApp(t)
	in, err := b.ImportKeys(t.Context(), file, KeyTrust{})
	if err != nil || in.Added != 1 || in.Station != nil {
		t.Fatalf("%+v %v", in, err)
	}
	var fields []string
	for _, f := range in.Refused {
		fields = append(fields, f.Field)
		if f.Problem == "" || f.Fix == "" {
			t.Errorf("%+v", f)
		}
	}
	want := "line 3, endorsement_key; line 4, endorsement_key; line 5, registration_id; line 6, device_id; line 7, sha256; line 8, certificate; line 9, template; " +
		"line 10, read; line 11, endorsement_key; line 12, registration_id"
	if got := strings.Join(fields, "; "); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if key, err := b.CollectedKey(t.Context(), keys[0].ID); err != nil || key.Origin != "unsigned" || key.EK.Template != "unknown" {
		t.Errorf("%+v %v", key, err)
	}
	for name, text := range map[string]string{"empty": " ", "no column": "device_id\na\n", "unknown column": "endorsement_key,x\n", "twice": "endorsement_key,endorsement_key\n", "header only": "endorsement_key\n",
		"JSON version": `{"version":2,"keys":[]}`, "JSON member": `{"version":1,"keys":[{"x":"y"}]}`, "JSON more": `{"version":1,"keys":[{"sha256":"y"}]}}`, "quote": "endorsement_key\n\"a\n"} {
		if _, err := readKeyList([]byte(text), nil, time.Now()); !errors.Is(err, provisioning.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzKeyList reads lists and signatures from anywhere.
func FuzzKeyList(f *testing.F) {
	f.Add([]byte("registration_id,endorsement_key\nline-1,ATo=\n"), []byte(`{"version":1,"station":"a","algorithm":"Ed25519","public_key":"AA==","fingerprint":"SHA256:","value":""}`))
	f.Add([]byte("\ufeffdevice_id;endorsement_key;read\r\n'=1;AA==;2026-11-28 09:00:00 UTC\r\n"), []byte(nil))
	f.Add([]byte(`{"version":1,"keys":[{"endorsement_key":"AA==","certificate":"MAA="}],"signature":{"version":1}}`), []byte("{}"))
	f.Fuzz(func(t *testing.T, data, sidecar []byte) {
		now := time.Unix(1, 0)
		list, err := readKeyList(data, sidecar, now)
		if err != nil {
			if !errors.Is(err, provisioning.ErrInvalid) {
				t.Errorf("%v", err)
			}
			return
		}
		if len(list.rows)+len(list.findings) < len(list.cells) {
			t.Errorf("%d rows and %d findings of %d", len(list.rows), len(list.findings), len(list.cells))
		}
		if list.signature != nil {
			if _, err := list.signature.verify(list.cells); err == nil {
				t.Error("a signature was found by chance")
			}
		}
		// What is written reads the same.
		again, err := readKeyList(csvList(list.cells), nil, now)
		if err == nil && fmt.Sprintf("%q", again.cells) != fmt.Sprintf("%q", list.cells) && len(list.findings) == 0 {
			t.Errorf("%q\n%q", again.cells, list.cells)
		}
	})
}
