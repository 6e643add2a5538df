package ui

import (
	"edgewright/ui/certificates"
	"edgewright/ui/clouds"
	"edgewright/ui/computer"
	"edgewright/ui/devices"
	"edgewright/ui/frame"
	"edgewright/ui/provision"
	"edgewright/ui/runs"
	"edgewright/ui/settings"
)

// makers make the pages of the rail.
var makers = map[frame.ID]func(*frame.Context) frame.Page{
	frame.Computer:     func(c *frame.Context) frame.Page { return computer.New(c) },
	frame.Provision:    func(c *frame.Context) frame.Page { return provision.New(c) },
	frame.Devices:      func(c *frame.Context) frame.Page { return devices.New(c) },
	frame.Certificates: func(c *frame.Context) frame.Page { return certificates.New(c) },
	frame.Runs:         func(c *frame.Context) frame.Page { return runs.New(c) },
	frame.Clouds:       func(c *frame.Context) frame.Page { return clouds.New(c) },
	frame.Settings:     func(c *frame.Context) frame.Page { return settings.New(c) },
}
