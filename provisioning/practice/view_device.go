package practice

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// ErrNoSuch says that a view or an action names something that is not there.
var ErrNoSuch = errors.New("the practice cloud has no such thing")

// DeviceView is one device, its own key material left out.
type DeviceView struct {
	DeviceRow
	StatusReason string    `json:"status_reason"`
	Since        time.Time `json:"since"`  // of the connection state, zero for never
	Parent       string    `json:"parent"` // ID of the edge device above it
	GenerationID string    `json:"generation_id"`
	// CameBy is the registration that made it, nil for one made by hand.
	CameBy  *RegistrationRow `json:"came_by"`
	Modules []ModuleRow      `json:"module_list"`
	// Of is the module whose twin this is, empty for the device.
	Of   string   `json:"of"`
	Twin TwinView `json:"twin"`
}

// ModuleRow is a module in a list.
type ModuleRow struct {
	ID             string    `json:"module"`
	Connected      bool      `json:"connected"`
	LastActivity   time.Time `json:"last_activity"`
	ManagedBy      string    `json:"managed_by"`
	Authentication string    `json:"authentication"`
}

// TwinView is a twin; its parts are JSON objects without the $ members,
// indented by two spaces.
type TwinView struct {
	Version         int64  `json:"version"`
	DesiredVersion  int64  `json:"desired_version"`
	ReportedVersion int64  `json:"reported_version"`
	Tags            string `json:"tags"`
	Desired         string `json:"desired"`
	Reported        string `json:"reported"`
}

// Device looks at a device, and at the twin of one of its modules if that is
// not empty. It gives ErrNoSuch where hub, device or module is missing.
func (c *Cloud) Device(ctx context.Context, hub, device, module string) (view DeviceView, err error) {
	found := false
	err = c.look(ctx, func() {
		h, d, m := c.find(hub, device, module)
		if found = d != nil && (module == "" || m != nil); !found {
			return
		}
		view = DeviceView{DeviceRow: h.row(d), StatusReason: d.Identity.StatusReason, Since: d.Identity.ConnectionStateUpdatedTime.Moment(),
			Parent: h.parentOf(d), GenerationID: d.Identity.GenerationID, CameBy: c.cameBy(hub, device), Modules: []ModuleRow{}, Of: module}
		for _, id := range sortedIDs(d.modules) {
			i := d.modules[id].Identity
			view.Modules = append(view.Modules, ModuleRow{ID: id, Connected: i.ConnectionState == wire.Connected, LastActivity: i.LastActivityTime.Moment(),
				ManagedBy: i.ManagedBy, Authentication: i.Authentication.Type})
		}
		t := twinOf(d, m)
		view.Twin = TwinView{Version: t.Version, DesiredVersion: t.DesiredVersion, ReportedVersion: t.ReportedVersion,
			Tags: indented(t.Tags), Desired: indented(t.Desired), Reported: indented(t.Reported)}
	})
	if err != nil {
		return DeviceView{}, err
	}
	if !found {
		return DeviceView{}, ErrNoSuch
	}
	return view, nil
}

// find gives what the three name, nil from the first that is missing on.
func (c *Cloud) find(hub, device, module string) (*hub, *device, *module) {
	h := c.state.hubs[hub]
	if h == nil {
		return nil, nil, nil
	}
	d := h.devices[device]
	if d == nil {
		return h, nil, nil
	}
	return h, d, d.modules[module]
}

// parentOf is the edge device whose scope is that of a leaf or a parent scope
// of an edge device; empty for none.
func (h *hub) parentOf(d *device) string {
	if !d.Identity.IsEdge() {
		return h.scopes[d.Identity.DeviceScope]
	}
	for _, scope := range d.Identity.ParentScopes {
		if id := h.scopes[scope]; id != "" && id != d.Identity.DeviceID {
			return id
		}
	}
	return ""
}

// cameBy finds the registration record of a device: nearly always under its
// own ID.
func (c *Cloud) cameBy(hub, device string) *RegistrationRow {
	id := strings.ToLower(device)
	r := c.state.registrations[id]
	if r == nil || r.Hub != hub || r.State.DeviceID != device {
		r = nil
		for other, record := range c.state.registrations {
			if record.Hub == hub && record.State.DeviceID == device {
				id, r = other, record
				break
			}
		}
	}
	if r == nil {
		return nil
	}
	row := r.row(id)
	return &row
}

func indented(o object) string {
	if len(o) == 0 {
		return "{}"
	}
	raw, _ := json.MarshalIndent(o, "", "  ") // was JSON before
	return string(raw)
}

// DeviceConnectionStrings are those of a device and its modules that prove
// themselves by a key, with the primary key; the device's own is under "".
func (c *Cloud) DeviceConnectionStrings(ctx context.Context, hub, device string) (map[string]secret.Value, error) {
	var all map[string]secret.Value
	err := c.look(ctx, func() {
		h, d, _ := c.find(hub, device, "")
		if d == nil {
			return
		}
		all = map[string]secret.Value{}
		text := wire.ConnectionString{HostName: c.settings().withPort(h.host), DeviceID: device}
		add := func(module string, by *wire.Authentication) {
			if by.Type == wire.AuthSAS && by.SymmetricKey != nil {
				text.ModuleID, text.Key = module, by.SymmetricKey.PrimaryKey.Secret()
				all[module] = text.Text()
			}
		}
		add("", d.Identity.Authentication)
		for id, m := range d.modules {
			add(id, m.Identity.Authentication)
		}
	})
	if err == nil && all == nil {
		err = ErrNoSuch
	}
	return all, err
}

// PolicyString is a shared access policy with what opens it.
type PolicyString struct {
	Hub    string // label; empty for DPS
	Policy string
	Text   secret.Value // connection string
}

// PolicyStrings are the connection strings of all policies: hub by hub, then
// that of DPS.
func (c *Cloud) PolicyStrings() []PolicyString {
	var all []PolicyString
	s := c.settings()
	for _, label := range s.Hubs {
		for _, policy := range hubPolicies {
			all = append(all, PolicyString{label, policy.name, serviceString(s.withPort(label+"."+domain), policy.name, s.HubKeys[label][policy.name])})
		}
	}
	return append(all, PolicyString{"", policyDPSOwner, serviceString(s.withPort(dpsName), policyDPSOwner, s.DPSKey)})
}
