package command

import (
	"fmt"
	"io"
	"strings"
)

// properties are flags of the form name=value.
type properties map[string]string

// String implements flag.Value.
func (p properties) String() string { return "" }

// Set implements flag.Value.
func (p properties) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("write NAME=VALUE")
	}
	p[name] = value
	return nil
}

// mostSent is how much of standard input is read, one byte more than a hub
// takes.
const mostSent = 64<<10 + 1

// send queues a cloud-to-device message: that of --text, or standard input.
func (p *practiceCall) send(args []string) error {
	body := []byte(p.text)
	if p.text == "" {
		var err error
		if body, err = io.ReadAll(io.LimitReader(p.In, mostSent)); err != nil {
			return fmt.Errorf("read the message: %w", err)
		}
	}
	id, err := p.app.SendPracticeMessage(p.ctx, p.theHub(), args[0], body, p.properties)
	if err != nil {
		return err
	}
	if p.json {
		p.print(map[string]string{"device": args[0], "hub": p.theHub(), "message": id})
		return nil
	}
	p.line("message %s waits for %s", id, args[0])
	return nil
}
