package daemontest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Packet types of MQTT 3.1.1, the high nibble of the first byte.
const (
	packetConnect   = 1
	packetConnAck   = 2
	packetPublish   = 3
	packetPubAck    = 4
	packetSubscribe = 8
	packetSubAck    = 9
	packetPingReq   = 12
	packetPingResp  = 13
)

// MQTT is a connection of a device or module, MQTT 3.1.1 over TLS.
type MQTT struct {
	net.Conn
	// Messages are what the cloud sends, in order. It is closed with the
	// connection.
	Messages <-chan Message

	writing sync.Mutex
	mu      sync.Mutex
	nextID  uint16
	waiting map[uint16]chan []byte // by packet ID: the acknowledgement's rest
	err     error                  // why the connection ended
	ended   chan struct{}
}

// Message is a PUBLISH from the cloud.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
}

// ConnectOptions are the fields of CONNECT.
type ConnectOptions struct {
	ClientID, User, Password string // no password field where it is empty
	Clean                    bool
	KeepAlive                time.Duration // 180 s if 0
}

// RefusedError is a CONNACK with a code other than 0.
type RefusedError struct{ Code byte }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the connection was refused with code %d", e.Code)
}

// Connect dials a listener for MQTT by address, as host says its name.
func (n Network) Connect(ctx context.Context, address, host string, o ConnectOptions) (*MQTT, error) {
	config := n.tls()
	config.ServerName = host
	raw, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if deadline, limited := ctx.Deadline(); limited {
		_ = raw.SetDeadline(deadline)
	}
	c, err := Handshake(raw, o)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	_ = raw.SetDeadline(time.Time{})
	return c, nil
}

// Handshake speaks MQTT over a connection that is open already.
func Handshake(raw net.Conn, o ConnectOptions) (*MQTT, error) {
	flags := byte(0x80)
	if o.Clean {
		flags |= 0x02
	}
	if o.Password != "" {
		flags |= 0x40
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 180 * time.Second
	}
	body := append(field("MQTT"), 4, flags)
	body = binary.BigEndian.AppendUint16(body, uint16(o.KeepAlive.Seconds()))
	body = append(body, field(o.ClientID)...)
	body = append(body, field(o.User)...)
	if o.Password != "" {
		body = append(body, field(o.Password)...)
	}
	messages := make(chan Message, 64)
	c := &MQTT{Conn: raw, Messages: messages, waiting: map[uint16]chan []byte{}, ended: make(chan struct{})}
	if err := c.write(packetConnect<<4, body); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(raw, 512)
	head, ack, err := readPacket(in)
	if err != nil {
		return nil, fmt.Errorf("no CONNACK: %w", err)
	}
	if head>>4 != packetConnAck || len(ack) != 2 || ack[0] > 1 {
		return nil, fmt.Errorf("CONNACK is % x % x", head, ack)
	}
	if ack[1] != 0 {
		return nil, &RefusedError{ack[1]}
	}
	go c.receive(in, messages)
	return c, nil
}

// field is a string with its length in front.
func field(text string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(text))), text...)
}

func (c *MQTT) write(head byte, body []byte) error {
	packet := []byte{head}
	for n := len(body); ; {
		b := byte(n % 128)
		if n /= 128; n > 0 {
			packet = append(packet, b|0x80)
			continue
		}
		packet = append(packet, b)
		break
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.Conn.Write(append(packet, body...))
	return err
}

func readPacket(in *bufio.Reader) (head byte, body []byte, err error) {
	if head, err = in.ReadByte(); err != nil {
		return 0, nil, err
	}
	length := 0
	for shift := 0; ; shift += 7 {
		b, err := in.ReadByte()
		if err != nil {
			return 0, nil, err
		}
		if shift > 21 {
			return 0, nil, errors.New("a length of more than four bytes")
		}
		length |= int(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	body = make([]byte, length)
	_, err = io.ReadFull(in, body)
	return head, body, err
}

// receive reads until the connection ends.
func (c *MQTT) receive(in *bufio.Reader, messages chan<- Message) {
	err := func() error {
		for {
			head, body, err := readPacket(in)
			if err != nil {
				return err
			}
			switch head >> 4 {
			case packetPublish:
				m, id, err := readPublish(head, body)
				if err != nil {
					return err
				}
				if m.QoS == 1 {
					if err := c.write(packetPubAck<<4, binary.BigEndian.AppendUint16(nil, id)); err != nil {
						return err
					}
				}
				messages <- m
			case packetPubAck, packetSubAck:
				if len(body) < 2 {
					return errors.New("an acknowledgement without packet ID")
				}
				c.acknowledged(binary.BigEndian.Uint16(body), body[2:])
			case packetPingResp:
				c.acknowledged(0, nil)
			default:
				return fmt.Errorf("a packet of type %d", head>>4)
			}
		}
	}()
	c.mu.Lock()
	c.err = err
	c.mu.Unlock()
	close(c.ended)
	close(messages)
	_ = c.Conn.Close()
}

func readPublish(head byte, body []byte) (m Message, id uint16, err error) {
	topic, rest, err := cut(body)
	if err != nil {
		return m, 0, err
	}
	m = Message{Topic: string(topic), QoS: head >> 1 & 3, Payload: rest}
	if head&1 != 0 {
		return m, 0, errors.New("a retained message")
	}
	if m.QoS > 0 {
		if m.QoS > 1 || len(rest) < 2 {
			return m, 0, errors.New("a PUBLISH with QoS 2, or without packet ID")
		}
		id, m.Payload = binary.BigEndian.Uint16(rest), rest[2:]
	}
	return m, id, nil
}

func (c *MQTT) acknowledged(id uint16, rest []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ack := c.waiting[id]; ack != nil {
		delete(c.waiting, id)
		ack <- rest
	}
}

// expect reserves a packet ID, or 0 for a ping, and the acknowledgement's
// channel.
func (c *MQTT) expect(ping bool) (uint16, chan []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := uint16(0)
	if !ping {
		if c.nextID++; c.nextID == 0 {
			c.nextID = 1
		}
		id = c.nextID
	}
	ack := make(chan []byte, 1)
	c.waiting[id] = ack
	return id, ack
}

func (c *MQTT) await(ctx context.Context, ack chan []byte) ([]byte, error) {
	select {
	case rest := <-ack:
		return rest, nil
	case <-c.ended:
		c.mu.Lock()
		defer c.mu.Unlock()
		return nil, fmt.Errorf("the cloud closed the connection: %w", c.err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Subscribe asks for a topic filter and gives the granted QoS, 0x80 for a
// refusal.
func (c *MQTT) Subscribe(ctx context.Context, filter string, qos byte) (byte, error) {
	id, ack := c.expect(false)
	body := append(binary.BigEndian.AppendUint16(nil, id), field(filter)...)
	if err := c.write(packetSubscribe<<4|2, append(body, qos)); err != nil {
		return 0, err
	}
	granted, err := c.await(ctx, ack)
	if err != nil {
		return 0, err
	}
	if len(granted) != 1 {
		return 0, fmt.Errorf("SUBACK for one filter has % x", granted)
	}
	return granted[0], nil
}

// Publish sends a message and, with QoS 1, waits for its acknowledgement.
func (c *MQTT) Publish(ctx context.Context, topic string, payload []byte, qos byte) error {
	body := field(topic)
	if qos == 0 {
		return c.write(packetPublish<<4, append(body, payload...))
	}
	id, ack := c.expect(false)
	body = append(binary.BigEndian.AppendUint16(body, id), payload...)
	if err := c.write(packetPublish<<4|qos<<1, body); err != nil {
		return err
	}
	_, err := c.await(ctx, ack)
	return err
}

// Ping waits for the answer to a PINGREQ.
func (c *MQTT) Ping(ctx context.Context) error {
	_, ack := c.expect(true)
	if err := c.write(packetPingReq<<4, nil); err != nil {
		return err
	}
	_, err := c.await(ctx, ack)
	return err
}

// Close ends the connection as a client does that goes on purpose. The cloud
// may have closed it first.
func (c *MQTT) Close() error {
	_ = c.write(14<<4, nil)
	if err := c.Conn.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
