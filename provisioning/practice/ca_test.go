package practice

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func statusOfCA(err error) int {
	var refused *CAError
	if errors.As(err, &refused) {
		return refused.Status
	}
	return 0
}

func TestProofOfPossession(t *testing.T) {
	for _, owner := range []string{"dps", "hub", "LINE2.practice.test:8443"} {
		t.Run(owner, func(t *testing.T) {
			b, ctx := open(t, Options{Hubs: []string{"line2"}}), t.Context()
			root, other := issue(t, "root", nil, true, nil), issue(t, "root", nil, true, nil)
			first, err := b.UploadCA(ctx, owner, "Plant.root_1", root.pem(), false, "")
			if err != nil || first.Verified || first.Code != "" || first.ETag == "" || !first.Certificate.Equal(root.cert) {
				t.Fatalf("%+v, %v", first, err)
			}
			if _, err := b.VerifyCA(ctx, owner, "plant.ROOT_1", root.pem(), "*"); statusOfCA(err) != 400 {
				t.Errorf("verified without a code: %v", err)
			}
			coded, err := b.VerificationCode(ctx, owner, "plant.root_1", first.ETag)
			if err != nil || coded.Code == "" || coded.ETag == first.ETag {
				t.Fatalf("%+v, %v", coded, err)
			}
			proof := issue(t, coded.Code, &root, false, nil)
			for name, try := range map[string]struct {
				certificate, etag string
				status            int
			}{
				"stale etag":     {proof.pem(), first.ETag, 412},
				"no etag":        {proof.pem(), "", 412},
				"other name":     {issue(t, "x", &root, false, nil).pem(), "*", 400},
				"other CA":       {issue(t, coded.Code, &other, false, nil).pem(), "*", 400},
				"itself":         {issue(t, coded.Code, nil, false, nil).pem(), "*", 400},
				"no certificate": {"x", "*", 400},
			} {
				if _, err := b.VerifyCA(ctx, owner, "plant.root_1", try.certificate, try.etag); statusOfCA(err) != try.status {
					t.Errorf("%s: %v", name, err)
				}
			}
			b = b.reopened()
			done, err := b.VerifyCA(ctx, owner, "plant.root_1", proof.pem(), coded.ETag)
			if err != nil || !done.Verified || done.Code != "" || done.ETag == coded.ETag {
				t.Fatalf("%+v, %v", done, err)
			}
			if _, err := b.VerifyCA(ctx, owner, "plant.root_1", proof.pem(), "*"); statusOfCA(err) != 400 {
				t.Errorf("a code counts twice: %v", err)
			}
			if list, err := b.CAs(ctx, owner); err != nil || len(list) != 1 || list[0].Name != "Plant.root_1" || !list[0].Verified {
				t.Errorf("list %+v, %v", list, err)
			}
			if err := b.RemoveCA(ctx, owner, "plant.root_1", coded.ETag); statusOfCA(err) != 412 {
				t.Errorf("stale etag: %v", err)
			}
			if err := b.RemoveCA(ctx, owner, "plant.root_1", done.ETag); err != nil {
				t.Error(err)
			}
			if err := b.RemoveCA(ctx, owner, "plant.root_1", "*"); statusOfCA(err) != 404 {
				t.Errorf("removed twice: %v", err)
			}
		})
	}
}

func TestUploadedCAs(t *testing.T) {
	b, ctx := open(t, Options{}), t.Context()
	root, leaf := issue(t, "root", nil, true, nil), issue(t, "leaf", nil, false, nil)
	for i := range maxCAs {
		if _, err := b.UploadCA(ctx, "dps", fmt.Sprint("ca-", i), root.pem(), true, ""); err != nil {
			t.Fatal(err)
		}
	}
	for name, try := range map[string]struct {
		owner, name, certificate, etag string
		status                         int
	}{
		"one too many":     {"dps", "more", root.pem(), "", 400},
		"exists":           {"dps", "CA-1", root.pem(), "", 412},
		"stale etag":       {"dps", "ca-1", root.pem(), "x", 412},
		"update of none":   {"hub", "ca", root.pem(), "*", 404},
		"no CA":            {"hub", "leaf", leaf.pem(), "", 400},
		"bad name":         {"hub", "a/b", root.pem(), "", 400},
		"empty name":       {"hub", "", root.pem(), "", 400},
		"not a name":       {"hub", "a b", root.pem(), "", 400},
		"nothing":          {"hub", "ca", "", "", 400},
		"no such resource": {"line9", "ca", root.pem(), "", 404},
	} {
		if _, err := b.UploadCA(ctx, try.owner, try.name, try.certificate, false, try.etag); statusOfCA(err) != try.status {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := b.CAs(ctx, "hub"); err != nil || len(list) != 0 {
		t.Errorf("a hub has those of DPS: %v, %v", list, err)
	}
	// The same certificate again keeps the proof.
	if ca, err := b.UploadCA(ctx, "dps", "ca-1", root.pem(), false, "*"); err != nil || !ca.Verified {
		t.Errorf("%+v, %v", ca, err)
	}
	if err := b.RemoveCA(ctx, "dps", "ca-1", ""); statusOfCA(err) != 412 || !strings.Contains(err.Error(), "etag") {
		t.Errorf("removed without etag: %v", err)
	}
}
