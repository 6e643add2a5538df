package command

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"edgewright/app"
)

func (p *practiceCall) devices([]string) error {
	rows, total := []app.PracticeDeviceRow{}, 0
	page := app.PracticePage{Search: p.search}
	limit := p.limit
	if limit <= 0 {
		limit = 1000
	}
	for len(rows) < limit {
		page.Limit = min(limit-len(rows), 1000)
		next, err := p.app.PracticeDevices(p.ctx, p.hub, page)
		if err != nil {
			return err
		}
		total = next.Total
		rows = append(rows, next.Devices...)
		if len(next.Devices) < page.Limit {
			break
		}
		page.After = rows[len(rows)-1].Key()
	}
	if p.json {
		p.print(app.PracticeDevicePage{Devices: rows, Total: total})
		return nil
	}
	table := [][]string{}
	for _, d := range rows {
		table = append(table, []string{d.ID, d.Hub, edgeOrLeaf(d.Edge), connection(d.Connected), enabled(d.Enabled), d.Authentication, strconv.Itoa(d.Modules), activity(d.LastActivity)})
	}
	p.table([]string{"device", "hub", "kind", "connection", "status", "authentication", "modules", "last activity"}, table)
	if len(rows) < total {
		p.note("%d of %d devices; --search narrows, --limit shows more", len(rows), total)
	}
	return nil
}

func edgeOrLeaf(edge bool) string {
	if edge {
		return "edge"
	}
	return "leaf"
}

func connection(connected bool) string {
	if connected {
		return "connected"
	}
	return "disconnected"
}

func enabled(on bool) string {
	if on {
		return "enabled"
	}
	return "disabled"
}

func activity(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return when(&t)
}

// theHub is the hub that was named, or the one that every practice cloud has.
func (p *practiceCall) theHub() string {
	if p.hub == "" {
		return app.PracticeDefaultHub
	}
	return p.hub
}

func (p *practiceCall) device(args []string) error {
	d, err := p.app.PracticeDevice(p.ctx, p.theHub(), args[0], p.module)
	if err != nil {
		return err
	}
	texts := map[string]string{}
	if p.showSecrets {
		whole, err := p.app.PracticeDeviceStrings(p.ctx, p.theHub(), args[0])
		if err != nil {
			return err
		}
		for module, text := range whole {
			texts[module] = text.RevealString()
		}
	}
	if p.json {
		p.print(struct {
			app.PracticeDeviceView
			ConnectionStrings map[string]string `json:"connection_strings,omitempty"`
		}{d, texts})
		return nil
	}
	p.line("%s is an %s device of %s, %s, %s", d.ID, edgeOrLeaf(d.Edge), d.Hub, enabled(d.Enabled), connection(d.Connected))
	came := "by hand"
	if d.CameBy != nil {
		came = "registration " + d.CameBy.ID
		if d.CameBy.Group != "" {
			came += ", group " + d.CameBy.Group
		}
	}
	for _, row := range [][2]string{{"authentication", d.Authentication}, {"parent", d.Parent}, {"came by", came}, {"last activity", activity(d.LastActivity)}, {"status reason", d.StatusReason}, {"connection string", texts[p.module]}} {
		if row[1] != "" {
			p.line("  %-18s %s", row[0], row[1])
		}
	}
	for _, m := range d.Modules {
		p.line("  %-18s %s, %s, last activity %s", "module "+m.ID, m.Authentication, connection(m.Connected), activity(m.LastActivity))
	}
	of := "device"
	if d.Of != "" {
		of = d.Of
	}
	p.line("\ntwin of the %s, version %d", of, d.Twin.Version)
	for _, part := range [][2]string{{"tags", d.Twin.Tags}, {"desired", d.Twin.Desired}, {"reported", d.Twin.Reported}} {
		p.line("%s: %s", part[0], part[1])
	}
	return nil
}

// logPause is how often --follow looks.
const logPause = 500 * time.Millisecond

// log prints the requests that the serving process has answered.
func (p *practiceCall) log([]string) error {
	query := app.PracticeRequestQuery{Failed: p.failed, Limit: p.limit}
	rows, err := p.app.PracticeRequests(p.ctx, query)
	if err != nil {
		return err
	}
	if p.json && !p.follow {
		p.print(map[string]any{"requests": rows})
		return nil
	}
	for {
		for _, r := range rows {
			query.After = r.Number
			if p.json {
				p.print(requestEvent(r))
			} else {
				p.line("%s", requestLine(r))
			}
		}
		if !p.follow {
			return nil
		}
		select {
		case <-p.ctx.Done():
			return nil
		case <-time.After(logPause):
		}
		query.Limit = 0
		if rows, err = p.app.PracticeRequests(p.ctx, query); err != nil {
			if p.ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// requestLine is a request for a person; columns that scripts cut come first.
func requestLine(r app.PracticeRequest) string {
	answered := strconv.Itoa(r.Status)
	if r.Status == 0 {
		answered = "---"
	}
	return fmt.Sprintf("%s %s %7.1f ms  %-6s %s%s  %s %s", r.Time.Local().Format("15:04:05.000"), answered,
		float64(time.Duration(r.Duration).Microseconds())/1000, r.Method, r.Host, r.Path, r.CorrelationID, r.Code)
}

func requestEvent(r app.PracticeRequest) any {
	return struct {
		Event string `json:"event"`
		app.PracticeRequest
	}{"request", r}
}

// limits shows or chooses the SKU whose rates the serving process keeps.
func (p *practiceCall) limits(args []string) error {
	if len(args) > 1 {
		return wrongUse("unexpected argument %q", args[1])
	}
	var chosen app.PracticeLimits
	switch {
	case len(args) == 0:
		overview, err := p.app.PracticeOverview(p.ctx)
		if err != nil {
			return err
		}
		chosen = overview.Limits
	case args[0] != "none":
		chosen = app.PracticeLimits{SKU: args[0], Units: p.units}
		if !slices.Contains(app.PracticeSKUs(), chosen.SKU) {
			return wrongUse("the SKU is one of %v, or none", app.PracticeSKUs())
		}
		fallthrough
	default:
		if err := p.app.SetPracticeLimits(p.ctx, chosen); err != nil {
			return err
		}
	}
	switch {
	case p.json:
		p.print(chosen)
	case chosen.SKU == "":
		p.line("the practice cloud throttles nothing")
	default:
		p.line("the practice cloud throttles like %d of %s, and like DPS", chosen.Units, chosen.SKU)
	}
	return nil
}
