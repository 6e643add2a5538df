package app

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"edgewright/provisioning/target"
)

// TestShownTLS shakes hands with a server of this computer, and with none.
func TestShownTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	address := server.Listener.Addr().String()
	spec, err := target.ParseSpec("local:")
	if err != nil {
		t.Fatal(err)
	}
	local, err := target.Open(t.Context(), spec, target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{target: local, name: "local:"}
	chain, err := m.ShownTLS(t.Context(), address)
	if err != nil || len(chain) == 0 || !chain[0].Equal(server.Certificate()) {
		t.Errorf("%d certificates, %v", len(chain), err)
	}
	server.Close()
	if _, err := m.ShownTLS(t.Context(), address); err == nil {
		t.Error("a closed server shows a chain")
	}
}
