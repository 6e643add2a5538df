package practice

import (
	"errors"
	"testing"
)

func TestCAsByTheManagementSurface(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2"}})
	serve(t, b.Cloud)
	m := managers(t, b)["remote"]
	ca := issue(t, "Line 7", nil, true, nil)
	proof := func(code string) string { return issue(t, code, &ca, false, nil).pem() }
	for _, owner := range []string{CAOwnerDPS, "line2"} {
		made, err := m.UploadCA(t.Context(), owner, "line-7", ca.pem(), "")
		if err != nil || made.Verified || made.Owner != owner || made.Subject != ca.cert.Subject.String() || len(made.Thumbprint) != 64 {
			t.Fatalf("upload: %+v, %v", made, err)
		}
		coded, err := m.VerificationCode(t.Context(), owner, "line-7", "")
		if err != nil || coded.Code == "" {
			t.Fatalf("code: %+v, %v", coded, err)
		}
		if _, err := m.VerifyCA(t.Context(), owner, "line-7", proof("another"), ""); statusOfManage(err) != 400 {
			t.Errorf("a wrong proof: %v", err)
		}
		proven, err := m.VerifyCA(t.Context(), owner, "line-7", proof(coded.Code), coded.ETag)
		if err != nil || !proven.Verified || proven.Code != "" {
			t.Errorf("verify: %+v, %v", proven, err)
		}
	}
	all, err := m.CAs(t.Context(), "")
	if err != nil || len(all) != 2 || all[0].Owner != CAOwnerDPS || !all[1].Verified {
		t.Errorf("%+v, %v", all, err)
	}
	one, err := m.CAs(t.Context(), "hub")
	if err != nil || len(one) != 0 {
		t.Errorf("%+v, %v", one, err)
	}
	if o, err := m.Overview(t.Context()); err != nil || o.CAs != 2 {
		t.Errorf("%+v, %v", o, err)
	}
	for name, act := range map[string]func() error{
		"replaced unasked": func() error { _, err := m.UploadCA(t.Context(), "dps", "line-7", ca.pem(), ""); return err },
		"no certificate":   func() error { _, err := m.UploadCA(t.Context(), "dps", "other", "hello", ""); return err },
		"no owner":         func() error { _, err := m.VerificationCode(t.Context(), "none", "line-7", ""); return err },
		"no name":          func() error { _, err := m.VerificationCode(t.Context(), "hub", "line-7", ""); return err },
		"an older etag":    func() error { _, err := m.VerifyCA(t.Context(), "dps", "line-7", proof("x"), "old"); return err },
	} {
		if status := statusOfManage(act()); status < 400 || status >= 500 || status == 401 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if err := m.RemoveCA(t.Context(), "dps", "line-7", ""); err != nil {
		t.Error(err)
	}
	if all, err := m.CAs(t.Context(), "dps"); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func statusOfManage(err error) int {
	var refused *ManageError
	if errors.As(err, &refused) {
		return refused.Status
	}
	return 0
}
