package wire

import (
	"strings"
	"testing"
)

func TestValidateIDs(t *testing.T) {
	cases := []struct {
		id                                 string
		device, module, registration, safe bool
	}{
		{"line-7-0042", true, true, true, true},
		{"Line-7", true, true, true, false},
		{"a", true, true, true, true},
		{"a.b_c", true, true, true, true},
		{"a:b", true, true, true, false},
		{"-a", true, true, false, false},
		{"a-", true, true, false, false},
		{"a.", true, true, false, false},
		{"$edgeAgent", true, true, false, false},
		{"a+%_#*?!(),=@;$'", true, true, false, false},
		{"a b", false, false, false, false},
		{"a/b", false, false, false, false},
		{"gerät", false, false, false, false},
		{"", false, false, false, false},
		{strings.Repeat("a", 64), true, true, true, true},
		{strings.Repeat("a", 65), true, true, true, false},
		{strings.Repeat("a", 128), true, true, true, false},
		{strings.Repeat("a", 129), false, false, false, false},
	}
	for _, c := range cases {
		for _, v := range []struct {
			name  string
			check func(string) error
			want  bool
		}{
			{"device", ValidateDeviceID, c.device}, {"module", ValidateModuleID, c.module},
			{"registration", ValidateRegistrationID, c.registration}, {"group", ValidateEnrollmentGroupID, c.registration},
			{"safe", ValidateSafeID, c.safe},
		} {
			if err := v.check(c.id); (err == nil) != v.want {
				t.Errorf("%s %q: %v", v.name, c.id, err)
			}
		}
	}
}

func TestEscapeSegment(t *testing.T) {
	for id, want := range map[string]string{
		"$edgeAgent": "%24edgeAgent", "a#b?c%d": "a%23b%3Fc%25d", "..": "%2E%2E", ".": "%2E", "a.b": "a.b", "a+b": "a%2Bb",
	} {
		if got := EscapeSegment(id); got != want {
			t.Errorf("%q: got %s, want %s", id, got, want)
		}
	}
}
