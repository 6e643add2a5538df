package computer

import (
	"fmt"
	"strings"

	fynelang "fyne.io/fyne/v2/lang"

	"edgewright/hostdetect"
	"edgewright/ui/frame"
	"edgewright/ui/widgets"
)

// orUnknown is a value, or the word for not having found out.
func orUnknown(value string) string {
	if value == "" {
		return fynelang.X("fact.unknown", "not found out")
	}
	return value
}

func join(parts ...string) string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ", ")
}

func machine(r hostdetect.Report) []widgets.Fact {
	var disk string
	for _, d := range r.Disks {
		if d.Path == "/var" || disk == "" {
			disk = fynelang.X("fact.free", "{{.Size}} free on {{.Path}}", map[string]any{"Size": hostdetect.Size(d.Free), "Path": d.Path})
		}
	}
	memory := ""
	if r.Memory.Total > 0 {
		memory = hostdetect.Size(r.Memory.Total)
	}
	systemd := ""
	if r.Systemd.Version != "" {
		systemd = "systemd " + r.Systemd.Version
	}
	return []widgets.Fact{
		{Label: fynelang.X("fact.system", "System"), Value: orUnknown(join(r.OS.Pretty, r.Arch.Userland))},
		{Label: fynelang.X("fact.kernel", "Kernel"), Value: orUnknown(join(r.Kernel, systemd))},
		{Label: fynelang.X("fact.memory", "Memory, disk"), Value: orUnknown(join(memory, disk))},
		{Label: fynelang.X("fact.processor", "Processor"), Value: orUnknown(processor(r.CPU))},
		{Label: fynelang.X("fact.runsin", "Runs in"), Value: virt(r.Virt)},
	}
}

func processor(c hostdetect.CPU) string {
	if c.Count == 0 {
		return c.Model
	}
	return strings.TrimSpace(fmt.Sprintf("%d x %s", c.Count, c.Model))
}

func virt(v hostdetect.Virt) string {
	switch v.Kind {
	case hostdetect.BareMetal:
		return fynelang.X("fact.bare", "bare metal")
	case hostdetect.VM:
		return join(fynelang.X("fact.vm", "a virtual machine"), v.Name)
	case hostdetect.Container:
		return join(fynelang.X("fact.container", "a container"), v.Name)
	case hostdetect.WSL:
		return "WSL"
	}
	return orUnknown("")
}

func runtime(r hostdetect.Report, advice hostdetect.Advice) []widgets.Fact {
	edge := widgets.Fact{Label: fynelang.X("fact.runtime", "Runtime"), Value: fynelang.X("fact.none", "none")}
	if r.Runtime.Kind != hostdetect.RuntimeNone && r.Runtime.Kind != "" {
		edge.Value = strings.TrimSpace(r.Runtime.Kind + " " + r.Runtime.Version)
	}
	for _, way := range advice.Ways {
		if way.Platform == "linux" && edge.Value != "" {
			edge.Status = frame.Support(way.Support.State, way.Support.Until)
			break
		}
	}
	engine := fynelang.X("fact.none", "none")
	for _, e := range r.Engines {
		engine = strings.TrimSpace(e.Kind + " " + e.Version)
		break
	}
	provisioned := fynelang.X("fact.notyet", "not yet")
	switch r.Provisioning.Config {
	case hostdetect.Found:
		provisioned = join(fynelang.X("fact.yes", "yes"), r.Provisioning.Source, r.Provisioning.Authentication)
	case hostdetect.Unknown:
		provisioned = orUnknown("")
	}
	return []widgets.Fact{edge,
		{Label: fynelang.X("fact.identity", "Identity service"), Value: orNone(r.Runtime.Identity)},
		{Label: fynelang.X("fact.engine", "Container engine"), Value: engine},
		{Label: fynelang.X("fact.provisioned", "Provisioned"), Value: provisioned},
	}
}

func orNone(value string) string {
	if value == "" {
		return fynelang.X("fact.none", "none")
	}
	return value
}

func security(r hostdetect.Report) []widgets.Fact {
	tpm := widgets.Fact{Label: "TPM", Value: fynelang.X("fact.none", "none")}
	if r.TPM.State == hostdetect.Found {
		tpm.Value = join(r.TPM.Version, r.TPM.Vendor, r.TPM.Description)
		tpm.Status = widgets.Status{State: widgets.Good, Word: fynelang.X("fact.ready", "ready")}
	} else if r.TPM.State == hostdetect.Unknown {
		tpm.Value = orUnknown("")
	}
	nodes := ""
	for _, n := range r.TPM.Nodes {
		nodes = join(nodes, n.Path+" "+n.Owner+":"+n.Group+" "+n.Mode)
	}
	clock := widgets.Fact{Label: fynelang.X("fact.time", "Time"), Value: orUnknown(r.Clock.Service)}
	if r.Clock.Known {
		clock.Value = hostdetect.OffsetText(r.Clock.Offset, r.Clock.Error)
	}
	if r.Clock.Synchronized == hostdetect.Found {
		clock.Status = widgets.Status{State: widgets.Good, Word: fynelang.X("fact.synchronised", "synchronised")}
	}
	facts := []widgets.Fact{tpm}
	if nodes != "" {
		facts = append(facts, widgets.Fact{Label: fynelang.X("fact.nodes", "Who may open it"), Value: nodes, Mono: true})
	}
	return append(facts, clock, widgets.Fact{Label: fynelang.X("fact.store", "Credential store"), Value: orNone(r.Store.Name)})
}

func network(r hostdetect.Report) []widgets.Fact {
	address := ""
	for _, i := range r.Interfaces {
		for _, a := range i.Addresses {
			if plain, _, _ := strings.Cut(a, "/"); address == "" && i.Name != "lo" {
				address = plain + " (" + i.Name + ")"
			}
		}
	}
	proxy := fynelang.X("fact.none", "none")
	for _, p := range r.Proxies {
		proxy = p.URL
		break
	}
	return []widgets.Fact{
		{Label: fynelang.X("fact.hostname", "Host name"), Value: orUnknown(r.Hostname), Copy: r.Hostname != ""},
		{Label: fynelang.X("fact.address", "Address"), Value: orNone(address)},
		{Label: fynelang.X("fact.proxy", "Proxy"), Value: proxy},
	}
}
