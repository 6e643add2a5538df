package practice

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

func TestSettingsStayAndPathsAreOdd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a#b?c%20 d ü")
	b := open(t, Options{Dir: dir})
	before, err := b.Info().JSON(true)
	if err != nil {
		t.Fatal(err)
	}
	b.makeDevice("d", false)
	if _, err := os.Stat(filepath.Join(dir, databaseFile)); err != nil {
		t.Error(err)
	}
	c := b.reopened()
	after, _ := c.Info().JSON(true)
	if !bytes.Equal(before, after) {
		t.Errorf("before %s\nafter %s", before, after)
	}
	c.want(c.hubDo("GET", "/devices/d", ""), 200, "")
	if _, err := Open(t.Context(), Options{Dir: dir, Sealer: newSealer(), HTTPS: "127.0.0.1:9"}); err == nil || !strings.Contains(err.Error(), "is fixed for this folder") {
		t.Errorf("another address: %v", err)
	}
}

func TestAddressesAndNamesAreChecked(t *testing.T) {
	for _, o := range []Options{{HTTPS: "0.0.0.0:8443"}, {HTTPS: "192.0.2.1:8443"}, {HTTPS: "8443"}, {MQTT: ":8883"}, {HTTPS: "127.0.0.1:x"},
		{HTTPS: "practice.test:8443"}, {Hubs: []string{"dps"}}, {Hubs: []string{"a.b"}}, {Hubs: []string{"-"}}} {
		o.Dir, o.Sealer = t.TempDir(), newSealer()
		if c, err := Open(t.Context(), o); err == nil {
			t.Errorf("%+v is taken", o)
			_ = c.Close()
		}
	}
	wide, err := Open(t.Context(), Options{Dir: t.TempDir(), Sealer: newSealer(), ListenAnywhere: true, HTTPS: "0.0.0.0:9443", MQTT: "192.0.2.1:9883"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = wide.Close() }()
	if i := wide.Info(); i.HTTPS != "127.0.0.1:9443" || i.MQTT != "127.0.0.1:9883" {
		t.Errorf("stored with reach: %+v", i)
	}
	c, err := Open(t.Context(), Options{Dir: t.TempDir(), Sealer: newSealer()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if i := c.Info(); i.HTTPS != "127.0.0.1:8443" || i.MQTT != "127.0.0.1:8883" || i.HubHost != "hub.practice.test:8443" || i.IDScope != "0ne00PRACTICE" {
		t.Errorf("defaults %+v", i)
	}
}

func TestInfoMasksKeys(t *testing.T) {
	b := open(t, Options{HTTPS: "127.0.0.1:443", MQTT: "127.0.0.1:8883"})
	masked, err := b.Info().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"https":"127.0.0.1:443","mqtt":"127.0.0.1:8883","ca_file":%q,"id_scope":"0ne00PRACTICE","hub_host":"hub.practice.test","dps_host":"dps.practice.test","global_host":"global.practice.test",`+
		`"hub_connection_string":"HostName=hub.practice.test;SharedAccessKeyName=iothubowner;SharedAccessKey=***","dps_connection_string":"HostName=dps.practice.test;SharedAccessKeyName=provisioningserviceowner;SharedAccessKey=***","arm_token":"***"}`,
		filepath.Join(b.dir, "ca.pem"))
	if string(masked) != want {
		t.Errorf("got  %s\nwant %s", masked, want)
	}
	if text := fmt.Sprintf("%v %+v", b.Info(), b.Info()); strings.Contains(text, b.settings().DPSKey.PrimaryKey.Secret().RevealBase64()) {
		t.Error("printing shows a key")
	}
}

// keyForms are the ways in which a key could stand in a file: raw, hex and
// base64 at three alignments.
func keyForms(raw []byte) [][]byte {
	forms := [][]byte{raw, []byte(hex.EncodeToString(raw)), []byte(strings.ToUpper(hex.EncodeToString(raw)))}
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString(append(make([]byte, shift), raw...))
		forms = append(forms, []byte(text[4:len(text)-4]))
	}
	return forms
}

func TestNoKeyInFiles(t *testing.T) {
	b := open(t, Options{})
	keys := [][]byte{b.settings().CAKey[36:68], b.settings().DPSKey.PrimaryKey.Secret().Reveal(), b.settings().HubKeys["hub"]["service"].SecondaryKey.Secret().Reveal()}
	d := b.makeDevice("d", true)
	keys = append(keys, d.Authentication.SymmetricKey.PrimaryKey.Secret().Reveal())
	b.want(b.dpsDo("PUT", "/enrollmentGroups/g", `{"enrollmentGroupId":"g",`+symmetric+`}`), 200, "")
	group := b.keysOf("/enrollmentGroups/g")
	derived := wire.DeriveDeviceKey(group.PrimaryKey.Secret(), "r")
	b.register("r", derived)
	keys = append(keys, group.PrimaryKey.Secret().Reveal(), group.SecondaryKey.Secret().Reveal(), derived.Reveal())
	scan := func() (bytesRead int) {
		t.Helper()
		err := filepath.WalkDir(b.dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			bytesRead += len(content)
			for i, raw := range keys {
				for j, form := range keyForms(raw) {
					if bytes.Contains(content, form) {
						t.Errorf("%s holds key %d in form %d", path, i, j)
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return bytesRead
	}
	if wal, err := os.Stat(filepath.Join(b.dir, databaseFile+"-wal")); err != nil || wal.Size() == 0 {
		t.Fatalf("no write-ahead log to look into: %v", err)
	}
	if scan() == 0 {
		t.Error("nothing was read")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	scan()
}

// A write that fails is answered with 500, and the state is again that on disk.
func TestFailedWriteIsTakenBack(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("kept", false)
	if _, err := b.store.db.Exec("CREATE TRIGGER refuse BEFORE INSERT ON object WHEN NEW.id = 'hub/bad' BEGIN SELECT RAISE(ABORT, 'no'); END"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		b.want(b.hubDo("PUT", "/devices/bad", "{}"), 500, "ServerError")
		b.want(b.hubDo("GET", "/devices/bad", ""), 404, "DeviceNotFound")
	}
	b.makeDevice("good", false)
	c := b.reopened()
	if list := into[[]wire.Device](t, c.hubDo("GET", "/devices", "")); len(list) != 2 {
		t.Errorf("%d devices", len(list))
	}
}

func TestForeignAndNewerFilesAreRefused(t *testing.T) {
	for name, statement := range map[string]string{"newer": "PRAGMA user_version = 99", "foreign": "PRAGMA application_id = 7"} {
		b := open(t, Options{})
		if _, err := b.store.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Options{Dir: b.dir, Sealer: newSealer()}); err == nil {
			t.Errorf("a %s file is taken", name)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, databaseFile), bytes.Repeat([]byte("text "), 999), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: dir, Sealer: newSealer()}); err == nil {
		t.Error("a text file is taken")
	}
}

// rows may not be swapped: the seal is bound to the row
func TestSwappedRowIsRefused(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("a", false)
	b.makeDevice("b", false)
	if err := b.disown(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.db.Exec("UPDATE object SET sealed = (SELECT sealed FROM object WHERE id = 'hub/a') WHERE id = 'hub/b'"); err != nil {
		t.Fatal(err)
	}
	b.want(b.hubDo("GET", "/devices/a", ""), 503, "ServiceUnavailable")
}

func TestManyAtOnce(t *testing.T) {
	b := open(t, Options{})
	b.want(b.dpsDo("PUT", "/enrollmentGroups/g", `{"enrollmentGroupId":"g","capabilities":{"iotEdge":true},`+symmetric+`}`), 200, "")
	key := b.keysOf("/enrollmentGroups/g").PrimaryKey.Secret()
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 5 {
				id := fmt.Sprintf("d-%d-%d", worker, i)
				derived := wire.DeriveDeviceKey(key, id)
				if r := b.registerCall("PUT", id, "/register", derived); r.status != 202 {
					t.Errorf("%s: %d %s", id, r.status, r.body)
				}
				b.do(call{method: "POST", path: "/devices/" + id + "/messages/events", auth: b.token(b.Info().HubHost+"/devices/"+id, derived, "")})
				b.hubDo("GET", "/devices", "")
				b.Requests()
				b.Faults().Skew(0)
			}
		})
	}
	wait.Wait()
	if list := into[[]wire.Device](t, b.reopened().hubDo("GET", "/devices", "")); len(list) != 40 {
		t.Errorf("%d devices", len(list))
	}
}

// One identity only, whoever races to make it.
func TestCreateRace(t *testing.T) {
	b := open(t, Options{})
	var wait sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 20 {
		wait.Go(func() {
			status := b.hubDo("PUT", "/devices/one", "{}").status
			mu.Lock()
			statuses[status]++
			mu.Unlock()
		})
	}
	wait.Wait()
	if statuses[200] != 1 || statuses[409] != 19 {
		t.Errorf("statuses %v", statuses)
	}
}

func TestCloseRefusesWrites(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.store.submit([]write{{settingsKey, []byte("x")}}, nil).wait(); !errors.Is(err, errClosed) {
		t.Errorf("write after Close: %v", err)
	}
}

func BenchmarkRegistration(b *testing.B) {
	cloud, err := Open(b.Context(), Options{Dir: b.TempDir(), Sealer: newSealer()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cloud.Close() }()
	t := &bench{TB: b, Cloud: cloud, clock: &testClock{now: time.Now()}}
	t.want(t.dpsDo("PUT", "/enrollmentGroups/g", `{"enrollmentGroupId":"g","capabilities":{"iotEdge":true},`+symmetric+`}`), 200, "")
	key := t.keysOf("/enrollmentGroups/g").PrimaryKey.Secret()
	var mu sync.Mutex
	n := 0
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			n++
			id := fmt.Sprintf("d%d", n)
			mu.Unlock()
			r := httptest.NewRequestWithContext(context.Background(), "PUT", "/"+idScope+"/registrations/"+id+"/register?api-version=2021-06-01", strings.NewReader("{}"))
			r.Header.Set("Authorization", t.token(idScope+"/registrations/"+id, wire.DeriveDeviceKey(key, id), "registration"))
			w := httptest.NewRecorder()
			cloud.serveHTTP(w, r)
			if w.Code != 202 {
				b.Errorf("%d %s", w.Code, w.Body)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "registrations/s")
}
