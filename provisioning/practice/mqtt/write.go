package mqtt

import "encoding/binary"

// header begins a packet of a length.
func header(t Type, flags byte, length int) []byte {
	b := append(make([]byte, 0, length+5), byte(t)<<4|flags)
	for {
		part := byte(length & 0x7f)
		if length >>= 7; length == 0 {
			return append(b, part)
		}
		b = append(b, part|0x80)
	}
}

// NewConnack answers Connect.
func NewConnack(code Code, sessionPresent bool) []byte {
	present := byte(0)
	if sessionPresent && code == Accepted {
		present = 1
	}
	return append(header(Connack, 0, 2), present, byte(code))
}

// NewPublish sends a message; id counts with QoS 1 only. The topic has at most
// 65,535 bytes.
func NewPublish(topic string, payload []byte, qos byte, dup bool, id uint16) []byte {
	flags, length := qos<<1, 2+len(topic)+len(payload)
	if dup {
		flags |= 8
	}
	if qos > 0 {
		length += 2
	}
	b := binary.BigEndian.AppendUint16(header(Publish, flags, length), uint16(len(topic)))
	b = append(b, topic...)
	if qos > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	return append(b, payload...)
}

// NewPuback answers Publish with QoS 1.
func NewPuback(id uint16) []byte {
	return binary.BigEndian.AppendUint16(header(Puback, 0, 2), id)
}

// NewSuback answers Subscribe with a code for each filter.
func NewSuback(id uint16, codes []byte) []byte {
	return append(binary.BigEndian.AppendUint16(header(Suback, 0, 2+len(codes)), id), codes...)
}

// NewUnsuback answers Unsubscribe.
func NewUnsuback(id uint16) []byte {
	return binary.BigEndian.AppendUint16(header(Unsuback, 0, 2), id)
}

// NewPingresp answers Pingreq.
func NewPingresp() []byte { return header(Pingresp, 0, 0) }
