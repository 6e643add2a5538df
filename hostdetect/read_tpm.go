package hostdetect

import (
	"fmt"
	"strings"
)

// readTPM reads what sysfs and the device nodes show without opening the
// chip. Version files exist since Linux 5.6; before, a resource manager's node
// means 2.0.
func (g *gathering) readTPM(r *Report) {
	t := &r.TPM
	t.State = Unknown
	how := "folder /sys/class/tpm"
	if !g.has("tpm") {
		r.unknown(FactTPM, how, g.why("/sys/class/tpm"))
		return
	}
	chip := false
	for _, line := range g.lines("tpm") {
		key, value, _ := strings.Cut(line, " ")
		value = strings.TrimSpace(value)
		switch key {
		case "chip":
			chip = true
		case "tpm_version_major":
			t.Version = map[string]string{"1": "1.2", "2": "2.0"}[value]
		case "description":
			t.Description = value
		case "modalias":
			t.Vendor = tpmVendor(value)
		case "node":
			f := strings.Fields(value)
			if len(f) < 2 || !strings.HasPrefix(f[0], "/dev/tpm") {
				continue
			}
			n := TPMNode{Path: f[0], Open: f[1] == "yes"}
			if len(f) >= 5 {
				n.Owner, n.Group, n.Mode = f[2], f[3], f[4]
			}
			t.Nodes = append(t.Nodes, n)
			if t.Version == "" && strings.HasPrefix(f[0], "/dev/tpmrm") {
				t.Version = "2.0"
			}
		}
	}
	if !chip && len(t.Nodes) == 0 {
		t.State = Absent
		r.absent(FactTPM, how)
		return
	}
	t.State = Found
	r.found(FactTPM, t.summary(), how)
	if len(t.Nodes) == 0 {
		r.Facts[len(r.Facts)-1].Why = "the chip is there, a device node is not"
	}
}

// giveTPM takes over what the caller knows.
func (r *Report) giveTPM(t TPM) {
	const how = "practice device"
	r.TPM = t
	if t.State == Absent {
		r.absent(FactTPM, how)
		return
	}
	r.found(FactTPM, t.summary(), how)
}

func (t TPM) summary() string {
	value := t.Version
	if value == "" {
		value = "present"
	}
	if t.Vendor != "" {
		value += ", " + t.Vendor
	}
	for _, n := range t.Nodes {
		value += fmt.Sprintf("; %s %s:%s %s", n.Path, n.Owner, n.Group, n.Mode)
	}
	return value
}

// tpmVendor reads a maker, and where it stands there a model, out of a device's
// modalias: "acpi:IFX1522:", "of:NtpmT(null)Cinfineon,slb9670". MSFT0101 is the
// generic name and tells nothing.
func tpmVendor(modalias string) string {
	lower := strings.ToLower(modalias)
	for _, v := range []struct{ id, name string }{
		{"infineon,", "Infineon"}, {"st,", "STMicroelectronics"}, {"nuvoton,", "Nuvoton"}, {"atmel,", "Atmel"},
	} {
		if _, model, ok := strings.Cut(lower, "c"+v.id); ok {
			model, _, _ = strings.Cut(model, "c")
			return strings.TrimSpace(v.name + " " + strings.ToUpper(strings.TrimSpace(model)))
		}
	}
	for _, v := range []struct{ id, name string }{
		{"acpi:ifx", "Infineon"}, {"acpi:stm", "STMicroelectronics"}, {"acpi:ntc", "Nuvoton"}, {"acpi:npct", "Nuvoton"},
		{"acpi:intc", "Intel"}, {"acpi:amd", "AMD"}, {"acpi:google", "Google"},
	} {
		if strings.HasPrefix(lower, v.id) {
			return v.name
		}
	}
	return ""
}

// MayOpen says whether a user may open a TPM that is in its own hands: by
// owner, by a group that carries its name or lists it, or because everybody
// may. The package's udev rule makes aziottpm the owner.
func (r Report) MayOpen(user string) bool {
	for _, n := range r.TPM.Nodes {
		if len(n.Mode) < 3 {
			continue
		}
		mode := n.Mode[len(n.Mode)-3:]
		const readWrite = "67"
		switch {
		case n.Owner == user && strings.ContainsRune(readWrite, rune(mode[0])):
			return true
		case strings.ContainsRune(readWrite, rune(mode[2])):
			return true
		case strings.ContainsRune(readWrite, rune(mode[1])) && r.inGroup(user, n.Group):
			return true
		}
	}
	return false
}

func (r Report) inGroup(user, group string) bool {
	if user == group {
		return true
	}
	for _, g := range r.Users.Groups {
		if g.Name != group {
			continue
		}
		for _, m := range g.Members {
			if m == user {
				return true
			}
		}
	}
	return false
}
