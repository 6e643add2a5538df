package devices

import (
	"time"

	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/provisioning"
	uilang "edgewright/ui/lang"
	"edgewright/ui/provision"
	"edgewright/ui/runs"
	"edgewright/ui/widgets"
)

// The columns. Those that can be sorted have the names of the catalog's orders.
const (
	columnDevice      = "device"
	columnState       = "state"
	columnWay         = "way"
	columnWhere       = "target"
	columnRuntime     = "runtime"
	columnCertificate = "certificate"
	columnProof       = "proof"
	columnCloud       = "cloud"
	columnHub         = "hub"
	columnHost        = "host"
	columnGroup       = "group"
)

func columns() []widgets.TableColumn {
	return []widgets.TableColumn{
		{ID: columnDevice, Title: lang.X("devices.device", "Device"), Width: 124, Sortable: true, Fixed: true},
		{ID: columnState, Title: lang.X("devices.state", "State"), Width: 126, Sortable: true},
		{ID: columnWay, Title: lang.X("devices.way", "Way"), Width: 112, Sortable: true},
		{ID: columnWhere, Title: lang.X("devices.where", "Where"), Width: 114, Sortable: true},
		{ID: columnRuntime, Title: lang.X("devices.runtime", "IoT Edge"), Width: 66, Sortable: true},
		{ID: columnCertificate, Title: lang.X("devices.certificate", "Certificate ends"), Width: 108, Sortable: true},
		{ID: columnProof, Title: lang.X("devices.proof", "Last proof"), Width: 112, Sortable: true},
		{ID: columnCloud, Title: lang.X("devices.cloud", "Cloud"), Width: 90, Sortable: true, Hidden: true},
		{ID: columnHub, Title: lang.X("devices.hub", "Hub"), Width: 160, Hidden: true},
		{ID: columnHost, Title: lang.X("devices.host", "Host name"), Width: 110, Hidden: true},
		{ID: columnGroup, Title: lang.X("devices.group", "Group"), Width: 90, Hidden: true},
	}
}

// row is a device with its texts, made once.
type row struct {
	uuid  string
	cells map[string]widgets.TableCell
}

func newRow(d app.Device, now time.Time) row {
	text := func(s string) widgets.TableCell { return widgets.TableCell{Text: s} }
	return row{uuid: d.UUID, cells: map[string]widgets.TableCell{
		columnDevice:      {Text: d.DeviceID, Bold: true},
		columnState:       {Status: Status(d.State)},
		columnWay:         text(wayName(d)),
		columnWhere:       text(runs.Where(d.Target)),
		columnRuntime:     text(orNone(d.RuntimeVersion)),
		columnCertificate: text(ends(d.CertificateEnds, now)),
		columnProof:       text(lastProof(d.LastProof, now)),
		columnCloud:       text(d.Cloud),
		columnHub:         text(d.HubHost),
		columnHost:        text(orNone(d.HostName)),
		columnGroup:       text(orNone(d.Group)),
	}}
}

// rows are the devices that are shown, in their order.
type rows struct {
	list []row
	at   map[string]int
}

func newRows(devices []app.Device, now time.Time) rows {
	r := rows{list: make([]row, len(devices)), at: make(map[string]int, len(devices))}
	for i, device := range devices {
		r.list[i] = newRow(device, now)
		r.at[device.UUID] = i
	}
	return r
}

// Len implements widgets.TableRows.
func (r rows) Len() int { return len(r.list) }

// Identity implements widgets.TableRows.
func (r rows) Identity(i int) string { return r.list[i].uuid }

// Find implements widgets.TableRows.
func (r rows) Find(uuid string) int {
	if i, ok := r.at[uuid]; ok {
		return i
	}
	return -1
}

// Cell implements widgets.TableRows.
func (r rows) Cell(i int, column string) widgets.TableCell { return r.list[i].cells[column] }

// Status is the pill of a device's state.
func Status(state string) widgets.Status {
	switch state {
	case app.StateProven:
		return widgets.Status{State: widgets.Good, Word: lang.X("device.proven", "proven")}
	case app.StateRehearsed:
		return widgets.Status{State: widgets.Good, Word: lang.X("device.rehearsed", "rehearsed")}
	case app.StateConfigured:
		return widgets.Status{State: widgets.Advice, Word: lang.X("device.configured", "configured")}
	case app.StateDiffers:
		return widgets.Status{State: widgets.Care, Word: lang.X("device.differs", "differs")}
	case app.StateRenewSoon:
		return widgets.Status{State: widgets.Care, Word: lang.X("device.renew", "renew soon")}
	case app.StateUnsupported:
		return widgets.Status{State: widgets.Care, Word: lang.X("device.unsupported", "unsupported")}
	case app.StateFailed:
		return widgets.Status{State: widgets.Bad, Word: lang.X("device.failed", "failed")}
	case app.StateReplaced:
		return widgets.Status{State: widgets.Neutral, Word: lang.X("device.replaced", "replaced")}
	}
	return widgets.Status{State: widgets.Neutral, Word: state}
}

// wayName is platform, provisioning and authentication as one says them.
func wayName(d app.Device) string {
	if d.Platform == "" {
		return orNone("")
	}
	return provision.PlatformName(provisioning.Platform(d.Platform)) + " " + provision.MethodName(provisioning.Method(d.Provisioning)) + " " +
		provision.AuthenticationName(provisioning.Authentication(d.Authentication))
}

func orNone(value string) string {
	if value == "" {
		return lang.X("fact.none", "none")
	}
	return value
}

// soon is how long before its end a certificate is counted in days.
const soon = 30 * 24 * time.Hour

// ends says when a certificate ends.
func ends(at *time.Time, now time.Time) string {
	if at == nil {
		return orNone("")
	}
	left := at.Sub(now)
	day := at.In(now.Location()).Format(time.DateOnly)
	switch {
	case left < 0:
		return lang.X("devices.ended", "ended {{.Day}}", map[string]any{"Day": day})
	case left < 24*time.Hour:
		return lang.X("devices.ends.today", "within a day")
	case left < soon:
		days := int(left / (24 * time.Hour))
		return lang.XN("devices.ends.days", "in {{.Days}} days", days, map[string]any{"Days": days})
	}
	return day
}

func lastProof(at *time.Time, now time.Time) string {
	if at == nil {
		return lang.X("devices.never", "never")
	}
	return uilang.Moment(*at, now)
}
