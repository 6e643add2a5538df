package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// every formatting verb, logger and encoder in use must give the mask only
func TestValueNeverShows(t *testing.T) {
	v := FromString("correct horse")
	holder := struct {
		Key  Value
		Keys []Value
		M    map[string]Value
		P    *Value
		C    *struct{ K Value }
	}{v, []Value{v}, map[string]Value{"a": v}, &v, &struct{ K Value }{v}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb+verb, v, &v)
		if verb != "%T" {
			fmt.Fprintf(&out, verb, holder)
		}
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "key", v, "holder", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "key", v, "holder", holder)
	if err := json.NewEncoder(&out).Encode(holder); err != nil {
		t.Fatal(err)
	}
	shown := strings.ToLower(out.String())
	for _, bad := range []string{"correct", "636f7272656374", "y29ycmvjd", "99 111 114"} {
		if strings.Contains(shown, bad) {
			t.Errorf("output contains %q:\n%s", bad, shown)
		}
	}
}

func TestFromBase64TakesBothPaddings(t *testing.T) {
	for _, text := range []string{"YQ==", "YQ"} {
		v, err := FromBase64(text)
		if err != nil || v.RevealString() != "a" {
			t.Errorf("FromBase64(%q) = %q, %v", text, v.Reveal(), err)
		}
	}
	if _, err := FromBase64("not base64!"); err == nil || strings.Contains(err.Error(), "not base64!") {
		t.Errorf("bad text: error %v must exist and not repeat the text", err)
	}
}
