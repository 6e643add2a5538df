package catalog

import "time"

// exchangeColumns are the columns of a CSV export in their order.
var exchangeColumns = []string{"device_id", "hub_host", "registration_id", "state", "platform", "provisioning", "authentication", "cloud", "enrollment",
	"group", "target", "host_name", "machine_key", "runtime", "certificate_ends", "last_proof", "tags", "facts", "plan", "note", "uuid", "created", "updated"}

// textField gives the field of a device that a column of text stands for.
func (d *Device) textField(column string) *string {
	switch column {
	case "device_id":
		return &d.DeviceID
	case "hub_host":
		return &d.HubHost
	case "registration_id":
		return &d.RegistrationID
	case "state":
		return &d.State
	case "platform":
		return &d.Platform
	case "provisioning":
		return &d.Provisioning
	case "authentication":
		return &d.Authentication
	case "cloud":
		return &d.Cloud
	case "enrollment":
		return &d.Enrollment
	case "group":
		return &d.Group
	case "target":
		return &d.Target
	case "host_name":
		return &d.HostName
	case "machine_key":
		return &d.MachineKey
	case "runtime":
		return &d.RuntimeVersion
	case "tags":
		return &d.Tags
	case "facts":
		return &d.Facts
	case "plan":
		return &d.Plan
	case "note":
		return &d.Note
	case "uuid":
		return &d.UUID
	}
	return nil
}

// timeField gives the field that a column of time stands for.
func (d *Device) timeField(column string) **time.Time {
	switch column {
	case "certificate_ends":
		return &d.CertificateEnds
	case "last_proof":
		return &d.LastProof
	}
	return nil
}

// ownTimeField gives the field of a time that every row has.
func (d *Device) ownTimeField(column string) *time.Time {
	switch column {
	case "created":
		return &d.Created
	case "updated":
		return &d.Updated
	}
	return nil
}
