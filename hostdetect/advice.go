package hostdetect

import (
	"strconv"
	"time"
)

// Purpose says what the device is for.
type Purpose string

// The purposes. The zero value counts as Try.
const (
	Try        Purpose = "try"
	Production Purpose = "production"
)

// fewDevices is how many are still easily registered by hand. The product's
// documentation says "a few" and names no number.
const fewDevices = 3

// Question is what advice is asked for.
type Question struct {
	Devices int // how many are to be set up in the same way; 0 counts as 1
	Purpose Purpose
	Support Table
	Now     time.Time // for support dates; the zero time means the report's
	// Available says whether this version of the program can run a cell, and
	// if not, why, in words for a person. Nil means that it can run all.
	Available func(Cell) (bool, string)
	// CanMend says which remedies the caller can carry out. Nil means none.
	CanMend func(mend string) bool
}

func (q Question) now(r Report) time.Time {
	if q.Now.IsZero() {
		return r.Taken
	}
	return q.Now
}

func (q Question) available(c Cell) (bool, string) {
	if q.Available == nil {
		return true, ""
	}
	return q.Available(c)
}

// Advice is what can be made of a host.
type Advice struct {
	// Possible: the host can become a device, perhaps after obstacles of level
	// error are mended. Ready: nothing of that level stands in the way.
	Possible bool `json:"possible"`
	Ready    bool `json:"ready"`
	Title    Text `json:"title"`
	// Suggested is the zero Cell where no way is open.
	Suggested Cell       `json:"suggested,omitzero"`
	Reason    Text       `json:"reason"`  // the one that counts most
	Reasons   []Text     `json:"reasons"` // all, Reason first
	Obstacles []Obstacle `json:"obstacles"`
	Ways      []Way      `json:"ways"` // all fifteen, in the order of Cells
	// Passed counts the checks that found nothing; Unknown those that could
	// not be made.
	Passed  int `json:"passed"`
	Unknown int `json:"unknown"`
}

// Way is how one cell stands on this host.
type Way struct {
	Cell
	Possible  bool    `json:"possible"`
	Suggested bool    `json:"suggested"`
	Reason    Text    `json:"reason"`
	Support   Support `json:"support"`
}

// Advise draws the advice from a report. It is a pure function.
func Advise(r Report, q Question) Advice {
	if q.Devices < 1 {
		q.Devices = 1
	}
	var a Advice
	lasting := Text{}
	a.Possible, a.Ready = true, true
	for _, c := range checks {
		outcome, obstacles := c(r, q)
		switch outcome {
		case passed:
			a.Passed++
		case unknown:
			a.Unknown++
		}
		for _, o := range obstacles {
			if o.Level == Error {
				a.Ready = false
				if o.lasting {
					a.Possible = false
					if lasting.IsZero() {
						lasting = o.Problem
					}
				}
			}
			if o.Mend != "" && (q.CanMend == nil || !q.CanMend(o.Mend)) {
				o.Mend = ""
			}
			a.Obstacles = append(a.Obstacles, o)
		}
	}
	sortObstacles(a.Obstacles)
	a.Ways = ways(r, q, lasting)
	a.suggest(r, q)
	if a.Suggested == (Cell{}) {
		a.Possible, a.Ready = false, false
	}
	a.title(r)
	a.reasons(r, q, lasting)
	return a
}

// suggest takes the first way of the ranking that is possible.
func (a *Advice) suggest(r Report, q Question) {
	for _, want := range ranking(q, r.TPM) {
		for i := range a.Ways {
			w := &a.Ways[i]
			if w.Cell == want && w.Possible {
				w.Suggested = true
				w.Reason = say("way.reason.suggested")
				a.Suggested = want
				return
			}
		}
	}
}

// ranking orders the Linux ways for a purpose and a number of devices. The
// Windows platforms are never suggested: their support is over.
func ranking(q Question, t TPM) []Cell {
	near, far := Manual, DPS
	if q.Devices > fewDevices {
		near, far = DPS, Manual
	}
	key := []Cell{{Linux, near, SymmetricKey}, {Linux, far, SymmetricKey}}
	x509 := []Cell{{Linux, near, X509}, {Linux, far, X509}}
	tpm := []Cell{{Linux, DPS, TPMAttestation}}
	if q.Purpose != Production {
		return append(append(key, x509...), tpm...)
	}
	if usable(t) {
		return append(append(tpm, x509...), key...)
	}
	return append(append(x509, key...), tpm...)
}

func usable(t TPM) bool { return t.State == Found && t.Version != "1.2" }

func (a *Advice) title(r Report) {
	kind := "yes"
	switch {
	case !a.Possible:
		kind = "no"
	case r.Provisioning.Config == Found && a.Ready:
		kind = "already"
	case !a.Ready:
		kind = "after"
	}
	if r.Local || r.Hostname == "" {
		a.Title = say("advice.title." + kind + ".local")
		return
	}
	a.Title = say("advice.title."+kind+".host", "host", r.Hostname)
}

func (a *Advice) reasons(r Report, q Question, lasting Text) {
	add := func(t Text) { a.Reasons = append(a.Reasons, t) }
	switch {
	case a.Suggested == (Cell{}) && r.OS.Family == Windows:
		add(say("advice.reason.windows"))
	case !lasting.IsZero():
		add(lasting)
	case a.Suggested == (Cell{}):
		add(say("advice.reason.none"))
	default:
		a.whyAuthentication(q, add)
		a.whyProvisioning(q, add)
		a.whyNotBetter(r, q, add)
	}
	a.Reason = a.Reasons[0]
}

func (a *Advice) whyAuthentication(q Question, add func(Text)) {
	switch {
	case a.Suggested.Authentication == TPMAttestation:
		add(say("advice.reason.tpm"))
	case a.Suggested.Authentication == X509:
		add(say("advice.reason.x509"))
	case q.Purpose == Production:
		add(say("advice.reason.key-only"))
	default:
		add(say("advice.reason.try"))
	}
}

func (a *Advice) whyProvisioning(q Question, add func(Text)) {
	devices := strconv.Itoa(q.Devices)
	switch {
	case a.Suggested.Provisioning == Manual && q.Devices == 1:
		add(say("advice.reason.manual-one"))
	case a.Suggested.Provisioning == Manual:
		add(say("advice.reason.manual-few", "devices", devices))
	case q.Devices > fewDevices:
		add(say("advice.reason.dps", "devices", devices))
	default:
		add(say("advice.reason.dps-alone"))
	}
}

// whyNotBetter names the first way that ranks before the suggested one and is
// closed only because this version cannot run it.
func (a *Advice) whyNotBetter(r Report, q Question, add func(Text)) {
	for _, better := range ranking(q, r.TPM) {
		if better == a.Suggested {
			return
		}
		if ok, reason := q.available(better); !ok {
			add(say("advice.reason.later."+better.Provisioning+"."+better.Authentication, "reason", sentence(reason)))
			return
		}
	}
}
