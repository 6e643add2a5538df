package ui

import (
	"edgewright/ui/computer"
	"edgewright/ui/frame"
	"edgewright/ui/provision"
)

// makers make the pages of the rail.
var makers = map[frame.ID]func(*frame.Context) frame.Page{
	frame.Computer:  func(c *frame.Context) frame.Page { return computer.New(c) },
	frame.Provision: func(c *frame.Context) frame.Page { return provision.New(c) },
}
