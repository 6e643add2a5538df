package lang

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"fyne.io/fyne/v2/lang"
)

// TestUse runs itself under locales of the system, because the toolkit reads
// them once per process.
func TestUse(t *testing.T) {
	if want := os.Getenv("EDGEWRIGHT_TEST_LANGUAGE"); want != "" {
		if err := Use(os.Getenv("EDGEWRIGHT_TEST_CHOICE")); err != nil {
			t.Fatal(err)
		}
		texts := map[string][3]string{
			"en": {"Copy", "Cancel", "2 changes"},
			"de": {"Kopieren", "Abbrechen", "2 Änderungen"},
		}[want]
		got := [3]string{lang.X("widget.copy", "?"), lang.L("Cancel"), lang.XN("diff.changes", "?", 2, map[string]any{"Count": 2})}
		if got != texts {
			t.Errorf("texts are %q, want %q", got, texts)
		}
		return
	}
	for _, c := range []struct{ system, choice, want string }{
		{"en_US.UTF-8", "", "en"}, {"de_DE.UTF-8", "", "de"}, {"de_AT.UTF-8", "", "de"}, {"fr_FR.UTF-8", "", "en"}, {"C", "", "en"},
		{"en_US.UTF-8", "de", "de"}, {"de_DE.UTF-8", "en", "en"}, {"fr_FR.UTF-8", "de", "de"}, {"fr_FR.UTF-8", "en", "en"}, {"C", "de", "de"},
	} {
		t.Run(c.system+" "+c.choice, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestUse$")
			cmd.Env = append(os.Environ(), "LC_ALL="+c.system, "LANG="+c.system, "LANGUAGE=",
				"EDGEWRIGHT_TEST_CHOICE="+c.choice, "EDGEWRIGHT_TEST_LANGUAGE="+c.want)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestUseRefusesAnUnknownLanguage(t *testing.T) {
	if err := Use("tlh"); err == nil {
		t.Error("no error for a language without a file")
	}
}

func TestDuration(t *testing.T) {
	if err := Use("en"); err != nil {
		t.Fatal(err)
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0 s", 0: "0.0 s", 800 * time.Millisecond: "0.8 s", 9940 * time.Millisecond: "9.9 s", 9960 * time.Millisecond: "9 s",
		42500 * time.Millisecond: "42 s", 4*time.Minute + 12*time.Second: "4 min 12 s", 2*time.Hour + 5*time.Minute: "2 h 5 min",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestMoment(t *testing.T) {
	if err := Use("en"); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 14, 30, 0, 0, time.FixedZone("CET", 3600))
	for ago, want := range map[time.Duration]string{
		10 * time.Second: "10 s ago", 59 * time.Minute: "59 min ago", 61 * time.Minute: "today 13:29", 20 * time.Hour: "2026-11-23 18:30",
		-2 * time.Minute: "today 14:32",
	} {
		if got := Moment(now.Add(-ago).UTC(), now); got != want {
			t.Errorf("%v ago is %q, want %q", ago, got, want)
		}
	}
}
