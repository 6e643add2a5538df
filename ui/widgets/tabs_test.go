package widgets

import (
	"slices"
	"testing"

	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func sampleTabs(opened func(string)) *Tabs {
	return NewTabs(opened, Tab{ID: "devices", Text: "Devices"}, Tab{ID: "requests", Text: "Requests"},
		Tab{ID: "rehearse", Text: "Rehearse faults", Status: Status{Care, "on"}}, Tab{ID: "connect", Text: "Connect"})
}

func TestTabsPicture(t *testing.T) {
	pictures(t, "tabs", fyne.NewSize(520, 90), func() fyne.CanvasObject {
		tabs := sampleTabs(nil)
		tabs.Select("requests")
		return tabs
	}, func(w fyne.Window) { w.Canvas().FocusNext() })
}

func TestTabsOpenByKeyAndPointer(t *testing.T) {
	var opened []string
	var tabs *Tabs
	w := window(t, theme.Options{}, fyne.NewSize(520, 90), func() fyne.CanvasObject {
		tabs = sampleTabs(func(id string) { opened = append(opened, id) })
		return tabs
	})
	w.Canvas().FocusNext()
	if w.Canvas().Focused() != tabs {
		t.Fatalf("the focus is on %T", w.Canvas().Focused())
	}
	for _, key := range []fyne.KeyName{fyne.KeyRight, fyne.KeyRight, fyne.KeyLeft, fyne.KeyEnd, fyne.KeyEnd, fyne.KeyRight, fyne.KeyHome} {
		press(tabs, key)
	}
	test.Tap(tabs.items[2])
	if want := []string{"requests", "rehearse", "requests", "connect", "devices", "rehearse"}; !slices.Equal(opened, want) {
		t.Errorf("opened %q, want %q", opened, want)
	}
	tabs.Select("devices")
	if tabs.Opened() != "devices" || len(opened) != 6 {
		t.Errorf("Select opens %s and tells %q", tabs.Opened(), opened)
	}
}
