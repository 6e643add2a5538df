package practice

import (
	"bytes"
	"encoding/json"

	"edgewright/provisioning/wire"
)

// exportSlice is how many devices are read in one transaction.
const exportSlice = 500

// exportedItem is a line of an export: a device or one of its modules.
type exportedItem struct {
	ID             string               `json:"id"`
	ModuleID       string               `json:"moduleId,omitempty"`
	ETag           string               `json:"eTag"`
	Status         string               `json:"status,omitempty"`
	StatusReason   string               `json:"statusReason,omitempty"`
	ManagedBy      string               `json:"managedBy,omitempty"`
	Authentication any                  `json:"authentication"`
	TwinETag       string               `json:"twinETag"`
	Tags           json.RawMessage      `json:"tags"`
	Properties     *wire.TwinProperties `json:"properties"`
	Capabilities   *wire.Capabilities   `json:"capabilities,omitempty"`
	DeviceScope    string               `json:"deviceScope,omitempty"`
	ParentScopes   []string             `json:"parentScopes,omitempty"`
}

// export writes one JSON object per line: each device, then its modules.
func (r *jobRun) export() error {
	out := r.output.Writer(r.ctx, r.job.OutputBlobName)
	for next, more := "", true; more; {
		var lines bytes.Buffer
		if err := r.step(func(t *transaction, j *job) {
			at, _ := t.hub.at(next)
			end := min(at+exportSlice, len(t.hub.ordered))
			for _, d := range t.hub.ordered[at:end] {
				r.exportDevice(&lines, d)
			}
			if more = end < len(t.hub.ordered); more {
				next = t.hub.ordered[end].Identity.DeviceID
				j.Progress = 100 * end / len(t.hub.ordered)
			}
		}); err != nil {
			return err
		}
		if _, err := out.Write(lines.Bytes()); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil || !r.job.IncludeConfigurations {
		return err
	}
	return r.exportConfigurations()
}

func (r *jobRun) exportDevice(lines *bytes.Buffer, d *device) {
	line := exportedTwin(d, nil)
	line.ETag, line.Status, line.StatusReason = d.Identity.ETag, d.Identity.Status, d.Identity.StatusReason
	line.Authentication = r.exportedAuthentication(d.Identity.Authentication)
	line.Capabilities, line.DeviceScope, line.ParentScopes = d.Identity.Capabilities, d.Identity.DeviceScope, d.Identity.ParentScopes
	writeLine(lines, line)
	for _, id := range sortedIDs(d.modules) {
		m := d.modules[id]
		line := exportedTwin(d, m)
		line.ModuleID, line.ETag, line.ManagedBy = id, m.Identity.ETag, m.Identity.ManagedBy
		line.Authentication = r.exportedAuthentication(m.Identity.Authentication)
		writeLine(lines, line)
	}
}

func exportedTwin(d *device, m *module) exportedItem {
	t := twinOf(d, m)
	return exportedItem{ID: d.Identity.DeviceID, TwinETag: encodeTwinETag(t.ETag), Tags: appendObject(nil, t.Tags),
		Properties: &wire.TwinProperties{Desired: t.desiredHalf().append(nil), Reported: t.reportedHalf().append(nil)}}
}

// exportedAuthentication shows keys as null if they are to be left out.
func (r *jobRun) exportedAuthentication(a *wire.Authentication) any {
	if !r.job.ExcludeKeysInExport || a.SymmetricKey == nil {
		return a
	}
	return struct {
		Type         string         `json:"type"`
		SymmetricKey map[string]any `json:"symmetricKey"`
	}{a.Type, map[string]any{"primaryKey": nil, "secondaryKey": nil}}
}

func writeLine(lines *bytes.Buffer, value any) {
	encoded, _ := json.Marshal(value) // our own types
	lines.Write(encoded)
	lines.WriteByte('\n')
}

// exportConfigurations writes them without metrics' results, one per line.
func (r *jobRun) exportConfigurations() error {
	var lines bytes.Buffer
	if err := r.step(func(t *transaction, _ *job) {
		for _, id := range sortedIDs(t.hub.configurations) {
			shown := t.hub.shownConfiguration(t.hub.configurations[id])
			shown.SystemMetrics, shown.Metrics.Results = nil, nil
			writeLine(&lines, shown)
		}
	}); err != nil {
		return err
	}
	out := r.output.Writer(r.ctx, r.job.ConfigurationsBlobName)
	if _, err := out.Write(lines.Bytes()); err != nil {
		return err
	}
	return out.Close()
}
