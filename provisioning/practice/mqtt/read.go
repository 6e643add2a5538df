package mqtt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// ErrMalformed is the kind of every error of Read that is the client's doing;
// the connection is to be closed then (4.8).
var ErrMalformed = errors.New("malformed MQTT packet")

// ErrTooLarge is a packet larger than the limit.
var ErrTooLarge = errors.New("MQTT packet too large")

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// Reader is what packets are read from.
type Reader interface {
	io.Reader
	io.ByteReader
}

// Read takes the next packet, whose variable header and payload have at most
// limit bytes. It gives io.EOF at the end between two packets and
// io.ErrUnexpectedEOF inside of one. The packet owns its memory.
func Read(r Reader, limit int) (Packet, error) {
	first, err := r.ReadByte()
	if err != nil {
		return Packet{}, err
	}
	length, err := readLength(r)
	if err != nil {
		return Packet{}, err
	}
	if length > limit {
		return Packet{}, ErrTooLarge
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return Packet{}, unexpected(err)
	}
	return parse(first, body)
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readLength reads the remaining length: at most four bytes, seven bits each
// (2.2.3).
func readLength(r io.ByteReader) (length int, err error) {
	for shift := 0; shift < 28; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, unexpected(err)
		}
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			return length, nil
		}
	}
	return 0, malformed("the remaining length has more than four bytes")
}

// wantedFlags are the lower bits of the first byte (2.2.2).
var wantedFlags = map[Type]byte{Connect: 0, Puback: 0, Subscribe: 2, Unsubscribe: 2, Pingreq: 0, Disconnect: 0}

func parse(first byte, body []byte) (Packet, error) {
	p := Packet{Type: Type(first >> 4)}
	b := &buffer{rest: body}
	if p.Type == Publish {
		return p, p.parsePublish(first, b)
	}
	flags, known := wantedFlags[p.Type]
	if !known {
		return p, malformed(fmt.Sprintf("type %d is not one for a server", p.Type))
	}
	if first&0x0f != flags {
		return p, malformed("reserved flags are set")
	}
	var err error
	switch p.Type {
	case Connect:
		err = p.parseConnect(b)
	case Puback:
		p.ID, err = b.id()
	case Subscribe, Unsubscribe:
		err = p.parseFilters(b)
	}
	if err == nil && len(b.rest) > 0 {
		err = malformed("bytes are left over")
	}
	return p, err
}

func (p *Packet) parseConnect(b *buffer) error {
	name, err := b.text()
	if err != nil {
		return err
	}
	fixed, err := b.take(4) // level, flags, keep alive
	if err != nil {
		return err
	}
	if name != "MQTT" && name != "MQIsdp" {
		return malformed("the protocol is not MQTT")
	}
	flags := fixed[1]
	p.Level, p.Clean, p.Will, p.KeepAlive = fixed[0], flags&2 != 0, flags&4 != 0, binary.BigEndian.Uint16(fixed[2:])
	if name == "MQTT" && p.Level == 4 && flags&1 != 0 {
		return malformed("the reserved flag of CONNECT is set")
	}
	if !p.Will && flags&0x38 != 0 || flags>>3&3 == 3 {
		return malformed("the flags of the will")
	}
	if p.ClientID, err = b.text(); err != nil {
		return err
	}
	if p.Will {
		if _, err := b.text(); err != nil {
			return err
		}
		if _, err := b.bytes(); err != nil {
			return err
		}
	}
	if flags&0x80 != 0 {
		username, err := b.text()
		if err != nil {
			return err
		}
		p.Username = &username
	}
	if flags&0x40 != 0 {
		if p.Username == nil {
			return malformed("a password without a user name")
		}
		p.Password, err = b.bytes()
	}
	return err
}

func (p *Packet) parsePublish(first byte, b *buffer) error {
	p.Dup, p.QoS, p.Retain = first&8 != 0, first>>1&3, first&1 != 0
	if p.QoS == 3 || p.QoS == 0 && p.Dup {
		return malformed("the flags of PUBLISH")
	}
	var err error
	if p.Topic, err = b.text(); err != nil {
		return err
	}
	if p.Topic == "" || !isTopicName(p.Topic) {
		return malformed("the topic name")
	}
	if p.QoS > 0 {
		if p.ID, err = b.id(); err != nil {
			return err
		}
	}
	p.Payload = b.rest
	return nil
}

// isTopicName refuses wildcards (3.3.2.1).
func isTopicName(topic string) bool {
	for i := range len(topic) {
		if topic[i] == '#' || topic[i] == '+' {
			return false
		}
	}
	return true
}

func (p *Packet) parseFilters(b *buffer) (err error) {
	if p.ID, err = b.id(); err != nil {
		return err
	}
	for len(b.rest) > 0 {
		var f Filter
		if f.Topic, err = b.text(); err != nil {
			return err
		}
		if f.Topic == "" {
			return malformed("an empty topic filter")
		}
		if p.Type == Subscribe {
			qos, err := b.take(1)
			if err != nil {
				return err
			}
			if f.QoS = qos[0]; f.QoS > 2 {
				return malformed("the QoS of a topic filter")
			}
		}
		p.Filters = append(p.Filters, f)
	}
	if len(p.Filters) == 0 {
		return malformed("no topic filter")
	}
	return nil
}

// buffer is what of a packet is still to be read.
type buffer struct{ rest []byte }

func (b *buffer) take(n int) ([]byte, error) {
	if len(b.rest) < n {
		return nil, malformed("it ends early")
	}
	taken := b.rest[:n]
	b.rest = b.rest[n:]
	return taken, nil
}

func (b *buffer) bytes() ([]byte, error) {
	length, err := b.take(2)
	if err != nil {
		return nil, err
	}
	return b.take(int(binary.BigEndian.Uint16(length)))
}

// text reads a UTF-8 string (1.5.3).
func (b *buffer) text() (string, error) {
	raw, err := b.bytes()
	if err != nil {
		return "", err
	}
	if !utf8.Valid(raw) {
		return "", malformed("a string is not UTF-8")
	}
	for _, c := range raw {
		if c == 0 {
			return "", malformed("a string has a null character")
		}
	}
	return string(raw), nil
}

func (b *buffer) id() (uint16, error) {
	raw, err := b.take(2)
	if err != nil {
		return 0, err
	}
	id := binary.BigEndian.Uint16(raw)
	if id == 0 {
		return 0, malformed("the packet identifier is 0")
	}
	return id, nil
}
