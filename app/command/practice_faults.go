package command

import (
	"fmt"
	"strings"
	"time"

	"edgewright/app"
)

// faults shows the faults of the serving process, or changes one of them.
func (p *practiceCall) faults(args []string) error {
	if len(args) == 0 {
		overview, err := p.app.PracticeOverview(p.ctx)
		if err != nil {
			return err
		}
		p.showFaults(overview.Faults)
		return nil
	}
	change, err := p.faultChange(args[0], args[1:])
	if err != nil {
		return err
	}
	now, err := p.app.ChangePracticeFaults(p.ctx, change)
	if err != nil {
		return err
	}
	p.showFaults(now)
	return nil
}

// faultChange reads what is to be changed.
func (p *practiceCall) faultChange(name string, args []string) (func(*app.PracticeFaults), error) {
	if name == "clear" {
		if len(args) > 0 {
			return nil, wrongUse("unexpected argument %q", args[0])
		}
		return func(f *app.PracticeFaults) { *f = app.PracticeFaults{} }, nil
	}
	if len(args) != 1 {
		return nil, wrongUse("name one of throttle N/OF, fail N/OF, delay D, skew D, offline HUB,..., clear")
	}
	switch name {
	case "throttle":
		n, of, err := share(args[0])
		if err != nil {
			return nil, err
		}
		after, err := span(p.retryAfter)
		return func(f *app.PracticeFaults) { f.Throttle = app.PracticeThrottle{N: n, Of: of, RetryAfter: after} }, err
	case "fail":
		n, of, err := share(args[0])
		return func(f *app.PracticeFaults) {
			f.Fail = app.PracticeFailure{N: n, Of: of, Status: p.status}
			if n == 0 {
				f.Fail = app.PracticeFailure{}
			}
		}, err
	case "delay":
		d, err := span(args[0])
		return func(f *app.PracticeFaults) { f.Delay = d }, err
	case "skew":
		d, err := span(args[0])
		return func(f *app.PracticeFaults) { f.Skew = d }, err
	case "offline":
		return func(f *app.PracticeFaults) {
			f.Offline = nil
			if args[0] != "none" {
				f.Offline = strings.Split(args[0], ",")
			}
		}, nil
	}
	return nil, wrongUse("there is no fault %q", name)
}

// share reads N/OF, such as 1/2 for every other request; 0 for none.
func share(text string) (n, of int, err error) {
	if text == "0" {
		return 0, 0, nil
	}
	if _, err := fmt.Sscanf(text+"\n", "%d/%d\n", &n, &of); err != nil || n < 1 || of < n {
		return 0, 0, wrongUse("%q is no share: write 1/2 for every other request, 0 for none", text)
	}
	return n, of, nil
}

// span reads a duration such as 2s or -1h30m; empty is none.
func span(text string) (app.PracticeSpan, error) {
	if text == "" || text == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, wrongUse("%q is no duration: write 500ms, 2s or -1h", text)
	}
	return app.PracticeSpan(d), nil
}

func (p *practiceCall) showFaults(f app.PracticeFaults) {
	if p.json {
		p.print(f)
		return
	}
	if !f.Any() {
		p.line("no faults: the practice cloud does what it should")
		return
	}
	if f.Throttle.N > 0 {
		p.line("throttle  %d of %d requests are answered with 429, Retry-After %s", f.Throttle.N, f.Throttle.Of, time.Duration(f.Throttle.RetryAfter))
	}
	if f.Fail.N > 0 {
		p.line("fail      %d of %d requests are answered with %d and not acted on", f.Fail.N, f.Fail.Of, f.Fail.Status)
	}
	if f.Delay != 0 {
		p.line("delay     every request is held for %s", time.Duration(f.Delay))
	}
	if f.Skew != 0 {
		p.line("skew      the cloud's clock is off by %s", time.Duration(f.Skew))
	}
	if len(f.Offline) > 0 {
		p.line("offline   these hubs answer nobody: %s", strings.Join(f.Offline, ", "))
	}
}
