package command

import (
	"sync"
	"time"

	"strings"

	"edgewright/app"
)

// serve runs the practice cloud until the context ends, by a signal.
func (p *practiceCall) serve([]string) error {
	if p.names != "" {
		p.options.Names = strings.Split(p.names, ",")
	}
	if p.sku != "" {
		p.options.Limits = app.PracticeLimits{SKU: strings.ToUpper(p.sku), Units: p.units}
	} else if p.units != 1 {
		return wrongUse("--units goes with --sku")
	}
	if p.options.ListenAnywhere {
		p.note("WARNING: the practice cloud listens on every network of this computer. Its keys are for practice only.")
	}
	p.practiceNotice(p.app)
	events := servingEvents{call: p}
	if p.json {
		p.options.OnRequest = events.request
	}
	err := p.app.ServePractice(p.ctx, p.options, func(info app.PracticeInfo) {
		if p.json {
			events.print(map[string]any{"event": "serving", "time": moment(time.Now()), "practice": p.view(info), "limits": p.options.Limits})
			return
		}
		p.showInfo(info)
		p.showClients(info)
	})
	if err == nil && p.json {
		events.print(map[string]any{"outcome": "succeeded", "requests": events.requests})
	}
	return err
}

// showClients prints how each client is pointed at the practice cloud.
func (p *practiceCall) showClients(info app.PracticeInfo) {
	p.line("")
	for _, line := range info.Lines() {
		p.line("%-16s %s", line.Client, line.Line)
	}
	p.line("%-16s az iot hub device-identity list --login '%s'", "az iot", p.view(info).HubConnectionString)
	p.line("")
	if l := p.options.Limits; l.SKU != "" {
		p.line("Throttles like %d of %s, and like DPS.", l.Units, l.SKU)
	}
	if !p.showSecrets {
		p.line("Keys:            edgewright practice show --show-secrets")
	}
	p.line("Requests:        edgewright practice log --follow")
	p.line("The practice cloud serves until it is stopped (Ctrl+C).")
}

// servingEvents are the lines of serve --json. Requests come on any goroutine.
type servingEvents struct {
	call     *practiceCall
	mu       sync.Mutex
	requests uint64
}

func (e *servingEvents) print(line any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.call.print(line)
}

func (e *servingEvents) request(r app.PracticeRequest) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests++
	e.call.print(requestEvent(r))
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
