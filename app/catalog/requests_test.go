package catalog

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestRequestsWait(t *testing.T) {
	c := fresh(t)
	at := time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)
	make := func(id, key string, age time.Duration) Request {
		return Request{ID: id, Profile: "device identity", Role: "identity", Subject: "d-" + id, IssuerID: "ca", Algorithm: "p256", KeyPlace: "vault",
			KeySHA256: key, DER: []byte{0x30, 0}, Created: at.Add(-age)}
	}
	first, second := make("aa-1", "AA", time.Hour), make("aa-2", "BB", 0)
	for _, r := range []Request{second, first} {
		if err := c.AddRequest(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.AddRequest(t.Context(), make("cc", "AA", 0)); !errors.Is(err, ErrExists) {
		t.Errorf("the same key: %v", err)
	}
	list, err := c.Requests(t.Context())
	if err != nil || len(list) != 2 || list[0].ID != "aa-1" || !list[0].Created.Equal(first.Created) || list[0].Subject != "d-aa-1" || !bytes.Equal(list[0].DER, first.DER) {
		t.Errorf("%+v, %v", list, err)
	}
	if r, err := c.RequestForKey(t.Context(), "BB"); err != nil || r.ID != "aa-2" || r.KeyPlace != "vault" || r.IssuerID != "ca" {
		t.Errorf("%+v, %v", r, err)
	}
	for id, kind := range map[string]error{"": ErrNotFound, "b": ErrNotFound, "aa": ErrAmbiguous, "aa-1": nil, "AA-2": nil} {
		if _, err := c.Request(t.Context(), id); !errors.Is(err, kind) {
			t.Errorf("%q: %v", id, err)
		}
	}
	for range 2 {
		if err := c.RemoveRequest(t.Context(), "aa-1"); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.RequestForKey(t.Context(), "AA"); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
}
