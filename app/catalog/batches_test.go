package catalog

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// mintedRow is a certificate as a batch makes it.
func mintedRow(n int) SealedRow {
	id := fmt.Sprintf("press-%03d", n)
	return SealedRow{Seq: n, Sealed: []byte("sealed " + id), Certificates: []Certificate{{ID: "c-" + id, Profile: "device identity", Role: "identity", Subject: id,
		Serial: fmt.Sprintf("%032X", n), SHA1: fmt.Sprintf("%040X", n), SHA256: fmt.Sprintf("%064X", n), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		Algorithm: "p256", KeyPlace: "none", State: CertificateValid, DeviceID: id, DER: []byte{0x30}}}}
}

func TestBatchesGoThroughTheirStates(t *testing.T) {
	c := fresh(t)
	ctx := t.Context()
	rows := []BatchRow{}
	for n := 1; n <= 5; n++ {
		rows = append(rows, BatchRow{Seq: n, DeviceID: fmt.Sprintf("press-%03d", n), Group: "presses", EdgeCA: n == 2, Days: 30, Recipient: "age1", State: RowWaiting})
	}
	started := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	batch := Batch{ID: "m-1", State: "running", CA: "ca", Recipient: "bench", Cloud: "practice", Enroll: true, Folder: "/bundles", Started: started}
	if err := c.NewBatch(ctx, batch, rows); err != nil {
		t.Fatal(err)
	}
	if err := c.NewBatch(ctx, batch, rows); err == nil {
		t.Error("one ID twice")
	}
	if got, err := c.Batch(ctx, "m-1"); err != nil || got != batch {
		t.Errorf("%+v %v", got, err)
	}
	if err := c.SealRows(ctx, "m-1", []SealedRow{mintedRow(1), mintedRow(2)}); err != nil {
		t.Fatal(err)
	}
	// All or nothing: the second of these is sealed already.
	if err := c.SealRows(ctx, "m-1", []SealedRow{mintedRow(3), mintedRow(2)}); !errors.Is(err, ErrExists) {
		t.Errorf("sealed twice: %v", err)
	}
	if _, err := c.Certificate(ctx, "c-press-003"); !errors.Is(err, ErrNotFound) {
		t.Errorf("half of a refused write is there: %v", err)
	}
	sealed, err := c.BatchRows(ctx, "m-1", RowSealed, 0, 10)
	if err != nil || len(sealed) != 2 || string(sealed[0].Sealed) != "sealed press-001" || sealed[1].CertificateID != "c-press-002" || !sealed[1].EdgeCA ||
		sealed[0].Serial != fmt.Sprintf("%032X", 1) || sealed[0].NotAfter == nil {
		t.Errorf("%+v %v", sealed, err)
	}
	if err := c.SetRows(ctx, "m-1", []RowState{{1, RowPlaced, ""}, {2, RowPlaced, "The cloud refuses it."}}); err != nil {
		t.Fatal(err)
	}
	placed, err := c.BatchRows(ctx, "m-1", RowPlaced, 1, 10)
	if err != nil || len(placed) != 1 || placed[0].Sealed != nil || placed[0].Problem == "" {
		t.Errorf("%+v %v", placed, err)
	}
	count, err := c.CountBatch(ctx, "m-1")
	if err != nil || count.Problems != 1 || count.Of[RowWaiting] != 3 || count.Of[RowPlaced] != 2 {
		t.Errorf("%+v %v", count, err)
	}
	ended := started.Add(time.Minute)
	if err := c.SetBatch(ctx, "m-1", "failed", &ended); err != nil {
		t.Error(err)
	}
	if list, err := c.Batches(ctx, 10); err != nil || len(list) != 1 || list[0].State != "failed" || !list[0].Ended.Equal(ended) {
		t.Errorf("%+v %v", list, err)
	}
	if err := c.SetBatch(ctx, "m-2", "failed", nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown batch: %v", err)
	}
	if _, err := c.Batch(ctx, "m-2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown batch: %v", err)
	}
	if found, err := c.Certificates(ctx, CertificateQuery{Text: "press-00"}); err != nil || len(found) != 2 {
		t.Errorf("search: %v %v", len(found), err)
	}
}
