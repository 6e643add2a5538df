package widgets

import (
	"strings"
	"testing"

	qr "github.com/piglig/go-qr"
)

func TestQRCodesReadBack(t *testing.T) {
	for _, text := range []string{"line-7-0042", strings.Repeat("a2", 32), strings.Repeat("AToAAQALAAMAsgAg", 27)} {
		read, err := qr.Decode(drawQR(text))
		if err != nil || read != text {
			t.Errorf("%q reads as %q, %v", text, read, err)
		}
	}
	if drawQR(strings.Repeat("x", 5000)) == nil {
		t.Error("a text that is too long")
	}
}
