package catalog

import (
	"errors"
	"strings"
	"testing"
)

func TestTheDeviceThatIsNotReplacedIsMeant(t *testing.T) {
	c := fresh(t)
	old, renewed := device("line-7"), device("line-7")
	old.HubHost, old.MachineKey, renewed.MachineKey = "old.example.test", "machine-id:1", "machine-id:1"
	put(t, c, old)
	want := put(t, c, renewed)
	if got, err := c.Device(t.Context(), "line-7"); err != nil || got.UUID != want.UUID {
		t.Errorf("%+v %v", got, err)
	}
	third := device("line-7")
	third.HubHost = "third.example.test"
	put(t, c, third)
	var ambiguous *AmbiguousError
	if _, err := c.Device(t.Context(), "line-7"); !errors.As(err, &ambiguous) || !errors.Is(err, ErrAmbiguous) || !strings.Contains(err.Error(), "third.example.test") {
		t.Errorf("two live rows: %v", err)
	}
	if got, err := c.Device(t.Context(), strings.ToUpper(want.UUID)); err != nil || got.UUID != want.UUID {
		t.Errorf("by UUID: %v", err)
	}
	if _, err := c.Device(t.Context(), want.UUID[:3]); !errors.Is(err, ErrNotFound) {
		t.Errorf("three characters of a UUID: %v", err)
	}
}

func TestWhatReplacesAMachine(t *testing.T) {
	for state, want := range map[string]string{"proven": stateReplaced, "rehearsed": stateReplaced, "configured": stateReplaced, "failed": "proven", "unsupported": "proven", "replaced": "proven"} {
		c := fresh(t)
		old, next, stranger := device("old"), device("next"), device("stranger")
		old.MachineKey, next.MachineKey, next.State = "m", "m", state
		put(t, c, stranger)
		put(t, c, old)
		put(t, c, next)
		got, err := c.DeviceAt(t.Context(), old.HubHost, "old")
		if err != nil || got.State != want {
			t.Errorf("a row that is %s leaves the old one %s, want %s, %v", state, got.State, want, err)
		}
		if got, err := c.DeviceAt(t.Context(), old.HubHost, "stranger"); err != nil || got.State != "proven" {
			t.Errorf("a machine without a key became %s, %v", got.State, err)
		}
	}
}

func TestRowsThatCannotBeStored(t *testing.T) {
	c := fresh(t)
	for name, change := range map[string]func(*Device){
		"no hub":        func(d *Device) { d.HubHost = "" },
		"no ID":         func(d *Device) { d.DeviceID = "" },
		"unknown state": func(d *Device) { d.State = "fine" },
		"broken tags":   func(d *Device) { d.Tags = "{" },
		"broken facts":  func(d *Device) { d.Facts = "nope" },
	} {
		d := device("a")
		change(&d)
		if _, err := c.PutDevice(t.Context(), d); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACloudInUseStays(t *testing.T) {
	c := fresh(t)
	if err := c.PutCloud(t.Context(), Cloud{Name: "Plant", Kind: "azure", IDScope: "0ne"}); err != nil {
		t.Fatal(err)
	}
	if err := c.PutCloud(t.Context(), Cloud{Name: "PLANT", Kind: "azure", IDScope: "0ne1"}); err != nil {
		t.Fatal(err)
	}
	if list, err := c.Clouds(t.Context()); err != nil || len(list) != 1 || list[0].IDScope != "0ne1" {
		t.Errorf("one name in two cases: %+v %v", list, err)
	}
	var last Device
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		d := device(id)
		d.Cloud = "plant"
		last = put(t, c, d)
	}
	err := c.DeleteCloud(t.Context(), "plant")
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "a, b, c, d, e and 2 more") {
		t.Errorf("in use: %v", err)
	}
	list, err := c.Search(t.Context(), Query{Cloud: "PLANT"})
	if err != nil || len(list) != 7 {
		t.Fatalf("%v %v", list, err)
	}
	for _, d := range list {
		if d.UUID == last.UUID {
			d.State = stateReplaced
			put(t, c, d)
		} else if err := c.DeleteDevice(t.Context(), d.UUID); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.DeleteCloud(t.Context(), "plant"); err != nil {
		t.Errorf("only a replaced device is left: %v", err)
	}
	if err := c.DeleteCloud(t.Context(), "plant"); !errors.Is(err, ErrNotFound) {
		t.Errorf("again: %v", err)
	}
}

func TestWatchersHearOfWrites(t *testing.T) {
	c := fresh(t)
	heard := map[Change]int{}
	var stop func()
	stop = c.Watch(func(change Change) {
		heard[change]++
		if heard[DevicesChanged] == 2 {
			stop() // from within, which must not hang
		}
	})
	put(t, c, device("a"))
	if err := c.SetSetting(t.Context(), "language", "de"); err != nil {
		t.Fatal(err)
	}
	if value, err := c.Setting(t.Context(), "language"); err != nil || value != "de" {
		t.Errorf("setting: %q %v", value, err)
	}
	if _, err := c.PutDevice(t.Context(), Device{}); err == nil {
		t.Error("an empty device was stored")
	}
	put(t, c, device("b"))
	put(t, c, device("c"))
	if heard[DevicesChanged] != 2 || heard[SettingsChanged] != 1 || len(heard) != 2 {
		t.Errorf("heard %v", heard)
	}
}
