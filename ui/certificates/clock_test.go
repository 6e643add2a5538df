package certificates

import (
	"testing"
	"time"

	"edgewright/app"
	"edgewright/ui/widgets"
)

var testNow = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// The lamp is icon, word and colour for each state.
func TestLampOfEachState(t *testing.T) {
	ends := func(left time.Duration, state string) app.CertificateView {
		return app.CertificateView{NotAfter: testNow.Add(left), State: state}
	}
	for _, c := range []struct {
		view app.CertificateView
		want widgets.Status
	}{
		{ends(400*day, "good"), widgets.Status{State: widgets.Good, Word: "2028-01-02"}},
		{ends(12*day+time.Hour, "renew-soon"), widgets.Status{State: widgets.Care, Word: "in 12 days"}},
		{ends(200*day, "renew-soon"), widgets.Status{State: widgets.Care, Word: "2027-06-16"}},
		{ends(25*time.Hour, "ending"), widgets.Status{State: widgets.Bad, Word: "in 1 day"}},
		{ends(time.Hour, "ending"), widgets.Status{State: widgets.Bad, Word: "within a day"}},
		{ends(-time.Hour, "ended"), widgets.Status{State: widgets.Bad, Word: "ended"}},
		{ends(day, "not-yet"), widgets.Status{State: widgets.Care, Word: "not yet"}},
		{ends(day, "revoked"), widgets.Status{State: widgets.Bad, Word: "revoked"}},
		{ends(day, "superseded"), widgets.Status{State: widgets.Neutral, Word: "replaced"}},
	} {
		if got := lamp(c.view, testNow); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.view.State, got, c.want)
		}
	}
}
