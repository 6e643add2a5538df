package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// display speaks as much of the X11 protocol as it takes to see pixels and to
// press keys within a millisecond; a program started for each look would take
// longer than what is measured. Source: X Window System Protocol, version 11,
// appendix B, and the XTEST extension's protocol; numbers are the opcodes there.
type display struct {
	conn          net.Conn
	root          uint32
	width, height uint16
	minKey        byte
	keysyms       []uint32
	perKey        int
	xtest         byte
}

const (
	opGetInputFocus      = 43
	opGetImage           = 73
	opQueryExtension     = 98
	opGetKeyboardMapping = 101
)

// openDisplay connects to the local display that DISPLAY names, one without
// access control.
func openDisplay() (*display, error) {
	number, _, _ := strings.Cut(strings.TrimPrefix(os.Getenv("DISPLAY"), ":"), ".")
	conn, err := net.Dial("unix", "/tmp/.X11-unix/X"+number)
	if err != nil {
		return nil, err
	}
	d := &display{conn: conn}
	if err := d.greet(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return d, nil
}

func (d *display) greet() error {
	if _, err := d.conn.Write([]byte{'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		return err
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(d.conn, head); err != nil {
		return err
	}
	setup := make([]byte, 4*int(binary.LittleEndian.Uint16(head[6:])))
	if _, err := io.ReadFull(d.conn, setup); err != nil {
		return err
	}
	if head[0] != 1 {
		return errors.New("the display refuses: " + string(setup))
	}
	d.minKey = setup[26]
	vendor := (int(binary.LittleEndian.Uint16(setup[16:])) + 3) / 4 * 4
	screen := setup[32+vendor+8*int(setup[21]):]
	d.root = binary.LittleEndian.Uint32(screen)
	d.width, d.height = binary.LittleEndian.Uint16(screen[20:]), binary.LittleEndian.Uint16(screen[22:])

	keys := setup[27] - d.minKey + 1
	answer, err := d.ask(opGetKeyboardMapping, 0, []byte{d.minKey, keys, 0, 0})
	if err != nil {
		return err
	}
	d.perKey = int(answer[1])
	for at := 32; at+4 <= len(answer); at += 4 {
		d.keysyms = append(d.keysyms, binary.LittleEndian.Uint32(answer[at:]))
	}
	answer, err = d.ask(opQueryExtension, 0, append([]byte{5, 0, 0, 0}, "XTEST\x00\x00\x00"...))
	if err != nil {
		return err
	}
	if answer[8] != 1 {
		return errors.New("the display has no XTEST extension")
	}
	d.xtest = answer[9]
	return nil
}

// send writes one request; body is a whole number of four-byte units.
func (d *display) send(opcode, detail byte, body []byte) error {
	request := []byte{opcode, detail, 0, 0}
	binary.LittleEndian.PutUint16(request[2:], uint16(1+len(body)/4))
	if err := d.conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	_, err := d.conn.Write(append(request, body...))
	return err
}

// ask writes one request and reads its reply, which has at least 32 bytes.
func (d *display) ask(opcode, detail byte, body []byte) ([]byte, error) {
	if err := d.send(opcode, detail, body); err != nil {
		return nil, err
	}
	for {
		reply := make([]byte, 32)
		if _, err := io.ReadFull(d.conn, reply); err != nil {
			return nil, err
		}
		switch reply[0] {
		case 0:
			return nil, fmt.Errorf("the display answers request %d with error %d", opcode, reply[1])
		case 1:
			more := make([]byte, 4*int(binary.LittleEndian.Uint32(reply[4:])))
			_, err := io.ReadFull(d.conn, more)
			return append(reply, more...), err
		}
		// Anything else is an event, and none was asked for.
	}
}

// pixels reads a rectangle of what is on the screen, four bytes a pixel.
func (d *display) pixels(x, y, width, height uint16) ([]byte, error) {
	body := make([]byte, 16)
	binary.LittleEndian.PutUint32(body, d.root)
	for i, v := range []uint16{x, y, width, height} {
		binary.LittleEndian.PutUint16(body[4+2*i:], v)
	}
	binary.LittleEndian.PutUint32(body[12:], 0xffffffff)
	const zPixmap = 2
	answer, err := d.ask(opGetImage, zPixmap, body)
	if err != nil {
		return nil, err
	}
	return answer[32:], nil
}

// drawn tells whether a window has drawn into the middle line of the screen,
// which is black without one.
func (d *display) drawn() (bool, error) {
	line, err := d.pixels(0, d.height/2, d.width, 1)
	if err != nil {
		return false, err
	}
	lit := 0
	for i := 0; i+4 <= len(line); i += 4 {
		if line[i]|line[i+1]|line[i+2] != 0 {
			lit++
		}
	}
	return lit > int(d.width)/4, nil
}

// focus is the window that has the keyboard: 0 none, 1 the one under the mouse.
func (d *display) focus() (uint32, error) {
	answer, err := d.ask(opGetInputFocus, 0, nil)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(answer[8:]), nil
}

const keyControl = 0xffe3 // XK_Control_L; plain characters are their own keysyms

// press presses keys together, as a person would, and lets them go again.
func (d *display) press(keysyms ...uint32) error {
	const press, release = 2, 3
	var codes []byte
	for _, keysym := range keysyms {
		code, err := d.keycode(keysym)
		if err != nil {
			return err
		}
		codes = append(codes, code)
		if err := d.fake(press, code); err != nil {
			return err
		}
	}
	for i := len(codes) - 1; i >= 0; i-- {
		if err := d.fake(release, codes[i]); err != nil {
			return err
		}
	}
	return nil
}

// wheel turns the mouse wheel down by one notch at the middle of the screen.
func (d *display) wheel() error {
	const press, release, motion, down = 4, 5, 6, 5
	body := make([]byte, 32)
	body[0] = motion
	binary.LittleEndian.PutUint32(body[8:], d.root)
	binary.LittleEndian.PutUint16(body[20:], d.width/2)
	binary.LittleEndian.PutUint16(body[22:], d.height/2)
	if err := d.send(d.xtest, fakeInput, body); err != nil {
		return err
	}
	if err := d.fake(press, down); err != nil {
		return err
	}
	return d.fake(release, down)
}

const fakeInput = 2 // minor opcode of XTEST

func (d *display) fake(event, detail byte) error {
	body := make([]byte, 32)
	body[0], body[1] = event, detail
	return d.send(d.xtest, fakeInput, body)
}

// keycode finds the key that gives keysym without Shift.
func (d *display) keycode(keysym uint32) (byte, error) {
	for i := 0; i < len(d.keysyms); i += d.perKey {
		if d.keysyms[i] == keysym {
			return d.minKey + byte(i/d.perKey), nil
		}
	}
	return 0, fmt.Errorf("no key for keysym %#x", keysym)
}
