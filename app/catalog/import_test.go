package catalog

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestExportAndImportGiveTheSame(t *testing.T) {
	c := fresh(t)
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	d := device("=cmd()")
	d.Note, d.Tags, d.Plan, d.LastProof = "'quoted, \"and\"\nmore", `{"line":7}`, "version = 1\n", &at
	put(t, c, d)
	put(t, c, device("plain"))
	exports := map[string]struct {
		write func(context.Context, io.Writer) error
		read  func(*Catalog, context.Context, io.Reader) (ImportResult, error)
	}{"csv": {c.ExportCSV, (*Catalog).ImportCSV}, "json": {c.ExportJSON, (*Catalog).ImportJSON}}
	for name, way := range exports {
		var out bytes.Buffer
		if err := way.write(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if name == "csv" && strings.Contains(out.String(), "\r\n=cmd") {
			t.Error("a formula stands at the beginning of a cell")
		}
		other := fresh(t)
		result, err := way.read(other, t.Context(), &out)
		if err != nil || result.Added != 2 || len(result.Findings) > 0 {
			t.Fatalf("%s: %+v %v", name, result, err)
		}
		got, err := other.Device(t.Context(), "=cmd()")
		if err != nil || got.Note != d.Note || got.Tags != d.Tags || got.Plan != d.Plan || !got.LastProof.Equal(at) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

func TestImportNamesWhatItLeavesOut(t *testing.T) {
	c := fresh(t)
	result, err := c.ImportCSV(t.Context(), strings.NewReader("device_id,colour,last_proof,tags\na,red,2026-11-24T12:00:00Z,{}\n,red,,\nb,red,yesterday,\nc,red,,{\nd\n"))
	if err != nil || result.Added != 2 || len(result.Findings) != 4 {
		t.Errorf("%+v %v", result, err)
	}
}

// full is a device with something in every field.
func full(id string) Device {
	d := device(id)
	at := time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.UTC)
	d.RegistrationID, d.Enrollment, d.Group, d.Target = id, "group", "line-7", "ssh://pi@[fe80::1%25eth0]"
	d.HostName, d.MachineKey, d.RuntimeVersion, d.Note = "+49", "machine-id:"+id, "1.5.21", "@home; \"x\",\n'=y"
	d.Tags, d.Facts, d.Plan = `{"a":"ü"}`, `{"os":"debian"}`, "version = 1\n[device]\nid = \"a\"\n"
	d.CertificateEnds, d.LastProof = &at, &at
	return d
}

func TestAnotherCatalogGetsTheSameRows(t *testing.T) {
	c := fresh(t)
	want := []Device{put(t, c, full("-1")), put(t, c, full("b"))}
	for name, format := range map[string]struct {
		write func(context.Context, io.Writer) error
		read  func(*Catalog, context.Context, io.Reader) (ImportResult, error)
	}{"csv": {c.ExportCSV, (*Catalog).ImportCSV}, "json": {c.ExportJSON, (*Catalog).ImportJSON}} {
		var out bytes.Buffer
		if err := format.write(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		other := fresh(t)
		for _, wanted := range []ImportResult{{Added: 2}, {Updated: 2}} {
			result, err := format.read(other, t.Context(), strings.NewReader(text))
			if err != nil || !reflect.DeepEqual(result, wanted) {
				t.Fatalf("%s: %+v %v", name, result, err)
			}
			got, err := other.Search(t.Context(), Query{})
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s\ngot  %+v\nwant %+v\n%v", name, got, want, err)
			}
		}
	}
}

func TestNoCellOfAnExportIsAFormula(t *testing.T) {
	c := fresh(t)
	put(t, c, full("=1+1"))
	var out bytes.Buffer
	if err := c.ExportCSV(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, cell := range slices.Concat(records[1:]...) {
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
			t.Errorf("%s is %q", records[0][i], cell)
		}
	}
}

func TestAnImportLeavesWhatItDoesNotName(t *testing.T) {
	c := fresh(t)
	before := put(t, c, full("line-7"))
	for name, do := range map[string]func() (ImportResult, error){
		"csv": func() (ImportResult, error) {
			return c.ImportCSV(t.Context(), strings.NewReader("\ufeffDevice_ID;note\r\nline-7;moved\r\n"))
		},
		"json": func() (ImportResult, error) {
			return c.ImportJSON(t.Context(), strings.NewReader(`[{"device_id":"line-7","note":"moved","last_proof":null}]`))
		},
	} {
		result, err := do()
		if err != nil || result.Updated != 1 || result.Added != 0 || len(result.Findings) != 0 {
			t.Fatalf("%s: %+v %v", name, result, err)
		}
		want := before
		want.Note = "moved"
		got, err := c.Device(t.Context(), "line-7")
		if name == "json" {
			want.LastProof = nil
		}
		want.Updated, want.LastProof = got.Updated, got.LastProof
		if err != nil || !reflect.DeepEqual(got, want) || name == "json" && got.LastProof != nil {
			t.Errorf("%s\ngot  %+v\nwant %+v\n%v", name, got, want, err)
		}
	}
}

func TestFindingsOfAnImport(t *testing.T) {
	for _, row := range []struct {
		name, csv, json, column string
		row                     int
	}{
		{"unknown column", "device_id,colour\na,red\n", `[{"device_id":"a","colour":"red"}]`, "colour", 0},
		{"no ID", "device_id,note\n,x\n", `[{"note":"x"}]`, "device_id", 1},
		{"long ID", "device_id\n" + strings.Repeat("a", 129) + "\n", `[{"device_id":"` + strings.Repeat("a", 129) + `"}]`, "device_id", 1},
		{"no time", "device_id,last_proof\nok,\na,soon\n", `[{"device_id":"ok"},{"device_id":"a","last_proof":"soon"}]`, "last_proof", 2},
		{"no object", "device_id,tags\na,[1]\n", `[{"device_id":"a","tags":"[1]"}]`, "tags", 1},
		{"unknown state", "device_id,state\na,fine\n", `[{"device_id":"a","state":"fine"}]`, "state", 1},
		{"two hubs", "device_id,note\ntwin,x\n", `[{"device_id":"twin","note":"x"}]`, "hub_host", 1},
		{"line end", "device_id,target\n\"a\",\"x\ny\"\n", `[{"device_id":"a\r","target":""}]`, "", 1},
		{"no text", "", `[{"device_id":"a","note":7}]`, "note", 1},
		{"ID is no text", "", `[{"device_id":7}]`, "device_id", 1},
		{"not UTF-8", "device_id,note\na,\xff\n", "", "note", 1},
		{"too many cells", "device_id\na,b\n", "", "line", 1},
		{"too long", "device_id,note\na," + strings.Repeat("x", maxCell+1) + "\n", "", "note", 1},
	} {
		c := fresh(t)
		for _, hub := range []string{"one.example.test", "two.example.test"} {
			d := device("twin")
			d.HubHost = hub
			put(t, c, d)
		}
		for format, do := range map[string]func() (ImportResult, error){
			row.csv:  func() (ImportResult, error) { return c.ImportCSV(t.Context(), strings.NewReader(row.csv)) },
			row.json: func() (ImportResult, error) { return c.ImportJSON(t.Context(), strings.NewReader(row.json)) },
		} {
			if format == "" {
				continue
			}
			result, err := do()
			if err != nil || len(result.Findings) != 1 || row.column != "" && result.Findings[0].Column != row.column || result.Findings[0].Row != row.row {
				t.Errorf("%s, %.40s: %+v %v", row.name, format, result, err)
			}
		}
	}
}

func TestFilesThatAreNoImport(t *testing.T) {
	c := fresh(t)
	for _, text := range []string{"", "\n", "name,note\na,b\n", "device_id,note,note\na,b,c\n", "device_id\n\"open\n"} {
		if _, err := c.ImportCSV(t.Context(), strings.NewReader(text)); !errors.Is(err, ErrInvalid) {
			t.Errorf("csv %q: %v", text, err)
		}
	}
	for _, text := range []string{"", "{}", "[1]", `[{"device_id":"a"}`, "nonsense"} {
		if _, err := c.ImportJSON(t.Context(), strings.NewReader(text)); !errors.Is(err, ErrInvalid) {
			t.Errorf("json %q: %v", text, err)
		}
	}
	if n, err := c.Count(t.Context()); err != nil || n.Devices != 0 {
		t.Errorf("%+v %v", n, err)
	}
}

// fuzzImport expects of any text that is taken that the export of it is taken
// again without a finding and changes nothing.
func fuzzImport(f *testing.F, read func(*Catalog, context.Context, io.Reader) (ImportResult, error)) {
	c, err := Open(context.Background(), filepath.Join(f.TempDir(), "c.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = c.Close() })
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := c.write.Exec("DELETE FROM device"); err != nil {
			t.Fatal(err)
		}
		result, err := read(c, t.Context(), strings.NewReader(text))
		if err != nil || result.Added == 0 {
			return
		}
		before := export(t, c.ExportCSV)
		for _, again := range []func() (ImportResult, error){
			func() (ImportResult, error) { return c.ImportCSV(t.Context(), bytes.NewReader(export(t, c.ExportCSV))) },
			func() (ImportResult, error) {
				return c.ImportJSON(t.Context(), bytes.NewReader(export(t, c.ExportJSON)))
			},
		} {
			result, err := again()
			if err != nil || result.Added != 0 || len(result.Findings) > 0 {
				t.Fatalf("own export is refused: %+v %v", result, err)
			}
			if after := export(t, c.ExportCSV); !bytes.Equal(before, after) {
				t.Fatalf("before %q\nafter  %q", before, after)
			}
		}
	})
}

func export(t *testing.T, write func(context.Context, io.Writer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := write(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func FuzzImportCSV(f *testing.F) {
	f.Add("device_id,tags\na,{}\n")
	f.Add("device_id,note\r\n\"a\",\"'=1\"\r\n")
	f.Add("\ufeffdevice_id;machine_key;state\nx;m;proven\ny;m;failed\n")
	f.Add("device_id,created,updated,uuid\na,2026-11-24T12:00:00+01:00,0001-01-01T00:00:00Z,6f1c9d52-3a3e-4a55-9d0f-2f0f5f3d7a11\n")
	f.Add("device_id,\n\r0")
	fuzzImport(f, (*Catalog).ImportCSV)
}

func FuzzImportJSON(f *testing.F) {
	f.Add(`[{"device_id":"a","tags":"{}","certificate_ends":"2026-11-24T12:00:00Z"}]`)
	f.Add(`[{"device_id":"a","note":"\ud800\r\n"},{"device_id":"A","note":null}]`)
	f.Add(`[{"device_id":"\r"}]`)
	fuzzImport(f, (*Catalog).ImportJSON)
}
