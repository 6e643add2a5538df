package mqtt

// Type is the type of a control packet (2.2.1).
type Type byte

// The types of packets.
const (
	Connect     Type = 1
	Connack     Type = 2
	Publish     Type = 3
	Puback      Type = 4
	Subscribe   Type = 8
	Suback      Type = 9
	Unsubscribe Type = 10
	Unsuback    Type = 11
	Pingreq     Type = 12
	Pingresp    Type = 13
	Disconnect  Type = 14
)

// String is the name of the type in capitals, as the standard writes it.
func (t Type) String() string {
	names := map[Type]string{Connect: "CONNECT", Connack: "CONNACK", Publish: "PUBLISH", Puback: "PUBACK", Subscribe: "SUBSCRIBE", Suback: "SUBACK",
		Unsubscribe: "UNSUBSCRIBE", Unsuback: "UNSUBACK", Pingreq: "PINGREQ", Pingresp: "PINGRESP", Disconnect: "DISCONNECT"}
	return names[t]
}

// Code is the return code of CONNACK (3.2.2.3).
type Code byte

// The return codes.
const (
	Accepted          Code = 0
	BadProtocol       Code = 1
	IdentifierRefused Code = 2
	Unavailable       Code = 3
	BadCredentials    Code = 4
	NotAuthorized     Code = 5
)

// Failure is the return code of SUBACK for a filter that is refused (3.9.3).
const Failure = 0x80

// Packet is a packet from a client. Which fields count depends on its type.
type Packet struct {
	Type Type
	// ID identifies Publish with QoS 1 and more, Puback, Subscribe and
	// Unsubscribe.
	ID uint16

	// Connect. Password is raw; the pointers are nil where the flag is not set.
	Level     byte // of the protocol; 4 is 3.1.1
	ClientID  string
	Username  *string
	Password  []byte
	Clean     bool
	KeepAlive uint16 // seconds, 0 for none
	Will      bool

	// Publish. QoS is 0 to 2.
	Topic   string
	Payload []byte
	QoS     byte
	Dup     bool
	Retain  bool

	// Filters are those of Subscribe and Unsubscribe.
	Filters []Filter
}

// Filter is a topic filter with the QoS that is asked for.
type Filter struct {
	Topic string
	QoS   byte
}
