package wire

import "testing"

// The vector is that of
// https://learn.microsoft.com/azure/iot-dps/concepts-symmetric-key-attestation
func TestDeriveDeviceKey(t *testing.T) {
	got := DeriveDeviceKey(testKey(t), "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6").RevealBase64()
	if want := "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
