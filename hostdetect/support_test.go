package hostdetect

import (
	"strings"
	"testing"
	"time"
)

func TestSupportTable(t *testing.T) {
	tab := table(t)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 12, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		platform, os, version, arch, runtime string
		at                                   time.Time
		state, until                         string
	}{
		{Linux, "debian", "12", "amd64", "1.6.0-1", today, Supported, "2028-11-14"},
		{Linux, "debian", "12", "amd64", "", today, Supported, "2028-11-14"},
		{Linux, "debian", "12", "amd64", "1.6", day(2028, 5, 14), Supported, "2028-11-14"},
		{Linux, "debian", "12", "amd64", "1.6", day(2028, 5, 15), Ending, "2028-11-14"},
		{Linux, "debian", "12", "amd64", "1.6", day(2028, 11, 14), Ending, "2028-11-14"},
		{Linux, "debian", "12", "amd64", "1.6", day(2028, 11, 15), Ended, "2028-11-14"},
		{Linux, "debian", "12", "amd64", "1.5.21-1", day(2026, 11, 10), Ending, "2026-11-10"},
		{Linux, "debian", "12", "amd64", "1.5.21-1", today, Ended, "2026-11-10"},
		{Linux, "debian", "11", "arm64", "1.5", day(2026, 8, 31), Ending, "2026-08-31"},
		{Linux, "debian", "11", "arm64", "1.5", day(2026, 9, 1), Ended, "2026-08-31"},
		{Linux, "debian", "13", "amd64", "1.6", today, Unlisted, "2028-11-14"},
		{Linux, "rhel", "9.4", "amd64", "1.6", today, Supported, "2028-11-14"},
		{Linux, "rhel", "9.4", "arm64", "1.6", today, Unlisted, "2028-11-14"},
		{Linux, "rhel", "90", "amd64", "1.6", today, Unlisted, "2028-11-14"},
		{Linux, "ubuntu", "22.04", "armhf", "1.6", today, Supported, "2028-11-14"},
		{Linux, "ubuntu", "24.04", "amd64", "1.1.15", today, Ended, "2022-12-13"},
		{EFLOW, "windows", "10.0.19045", "amd64", "", today, Ended, "2026-11-10"},
		{EFLOW, "windows", "10.0.19045", "amd64", "1.5", day(2026, 11, 1), Ending, "2026-11-10"},
		{EFLOW, "windows", "10.0.14393", "amd64", "1.5", day(2026, 11, 1), Unlisted, "2026-11-10"},
		{Windows, "windows", "10.0.17763", "amd64", "1.1", today, Ended, "2022-12-13"},
		{Linux, "debian", "12", "amd64", "2.0", today, Unlisted, "0001-01-01"},
	} {
		s := tab.For(c.platform, c.os, c.version, c.arch, c.runtime, c.at)
		if s.State != c.state || s.Until.Format(time.DateOnly) != c.until {
			t.Errorf("%+v: %+v", c, s)
		}
		if s.State != Unlisted && s.Source == "" {
			t.Errorf("%+v: no source", c)
		}
	}
	if s := tab.Platform(Linux, "", today); s.Runtime != "1.6" || s.State != Supported {
		t.Errorf("%+v", s)
	}
	if s := tab.Platform(Linux, "", day(2026, 3, 1)); s.Runtime != "1.5" {
		t.Errorf("before 1.6 was out: %+v", s)
	}
}

func TestParseTableRefuses(t *testing.T) {
	good := "[[runtime]]\nplatform='linux'\nruntime='1.6'\nuntil=2028-11-14\nsource='s'\nchecked=2026-11-24\n"
	if _, err := ParseTable([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		strings.Replace(good, "linux", "dos", 1),
		strings.Replace(good, "1.6", "1.6.0", 1),
		strings.Replace(good, "source='s'", "", 1),
		strings.Replace(good, "checked=2026-11-24", "", 1),
		strings.Replace(good, "until=2028-11-14", "", 1),
		good + "extra=1\n",
		good + "from=2030-01-01\n",
		good + "[[system]]\nplatform='linux'\nos='debian'\nversion='12'\narch=['amd64']\nruntime=['1.7']\nsource='s'\nchecked=2026-11-24\n",
		"[[runtime",
	} {
		if _, err := ParseTable([]byte(bad)); err == nil {
			t.Errorf("accepted: %s", bad)
		}
	}
}
