package mqtt

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
)

const testLimit = 1 << 16

func read(raw []byte) (Packet, error) {
	return Read(bufio.NewReader(bytes.NewReader(raw)), testLimit)
}

// connect is a CONNECT of client c, user u, password p, keep alive 180.
var connect = []byte("\x10\x15\x00\x04MQTT\x04\xc2\x00\xb4\x00\x01c\x00\x01u\x00\x03pwd")

func TestReadsWhatClientsSend(t *testing.T) {
	user := "u"
	for name, c := range map[string]struct {
		raw  []byte
		want Packet
	}{
		"connect":     {connect, Packet{Type: Connect, Level: 4, ClientID: "c", Username: &user, Password: []byte("pwd"), Clean: true, KeepAlive: 180}},
		"will":        {[]byte("\x10\x14\x00\x04MQTT\x04\x04\x00\x00\x00\x02id\x00\x01t\x00\x01m"), Packet{Type: Connect, Level: 4, ClientID: "id", Will: true}},
		"publish":     {[]byte("\x30\x05\x00\x01thi"), Packet{Type: Publish, Topic: "t", Payload: []byte("hi")}},
		"publish 1":   {[]byte("\x3a\x05\x00\x01t\x00\x07"), Packet{Type: Publish, Topic: "t", QoS: 1, Dup: true, ID: 7, Payload: []byte{}}},
		"subscribe":   {[]byte("\x82\x09\x00\x01\x00\x04$a/#\x01"), Packet{Type: Subscribe, ID: 1, Filters: []Filter{{"$a/#", 1}}}},
		"unsubscribe": {[]byte("\xa2\x05\x00\x02\x00\x01a"), Packet{Type: Unsubscribe, ID: 2, Filters: []Filter{{Topic: "a"}}}},
		"puback":      {[]byte("\x40\x02\x01\x02"), Packet{Type: Puback, ID: 258}},
		"ping":        {[]byte("\xc0\x00"), Packet{Type: Pingreq}},
		"disconnect":  {[]byte("\xe0\x00"), Packet{Type: Disconnect}},
	} {
		got, err := read(c.raw)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestRefusesWhatBreaksTheStandard(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"nothing":             {"", io.EOF},
		"half":                {"\x30", io.ErrUnexpectedEOF},
		"cut":                 {string(connect[:12]), io.ErrUnexpectedEOF},
		"length":              {"\x30\xff\xff\xff\xff\x01", ErrMalformed},
		"large":               {"\x30\xff\xff\x7f", ErrTooLarge},
		"type 0":              {"\x00\x00", ErrMalformed},
		"type 15":             {"\xf0\x00", ErrMalformed},
		"a server's":          {"\x20\x02\x00\x00", ErrMalformed},
		"flags":               {"\xc1\x00", ErrMalformed},
		"QoS 3":               {"\x36\x05\x00\x01t\x00\x01", ErrMalformed},
		"wildcard":            {"\x30\x03\x00\x01#", ErrMalformed},
		"no topic":            {"\x30\x02\x00\x00", ErrMalformed},
		"not UTF-8":           {"\x30\x03\x00\x01\xff", ErrMalformed},
		"null":                {"\x30\x03\x00\x01\x00", ErrMalformed},
		"ID 0":                {"\x40\x02\x00\x00", ErrMalformed},
		"no filter":           {"\x82\x02\x00\x01", ErrMalformed},
		"filter QoS":          {"\x82\x06\x00\x01\x00\x01a\x03", ErrMalformed},
		"left over":           {"\x40\x03\x00\x01\x00", ErrMalformed},
		"protocol":            {"\x10\x0d\x00\x04HTTP\x04\x02\x00\x00\x00\x01c", ErrMalformed},
		"reserved":            {"\x10\x0d\x00\x04MQTT\x04\x03\x00\x00\x00\x01c", ErrMalformed},
		"password, no user":   {"\x10\x10\x00\x04MQTT\x04\x42\x00\x00\x00\x01c\x00\x01p", ErrMalformed},
		"will, no will":       {"\x10\x0d\x00\x04MQTT\x04\x22\x00\x00\x00\x01c", ErrMalformed},
		"string beyond":       {"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x09c", ErrMalformed},
		"subscribe, no QoS":   {"\x82\x05\x00\x01\x00\x01a", ErrMalformed},
		"publish, ID missing": {"\x32\x04\x00\x01t\x00", ErrMalformed},
	} {
		if _, err := read([]byte(c.raw)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestWritesAsTheStandardSays(t *testing.T) {
	for want, got := range map[string][]byte{
		"\x20\x02\x01\x00":           NewConnack(Accepted, true),
		"\x20\x02\x00\x05":           NewConnack(NotAuthorized, true),
		"\x30\x04\x00\x01tm":         NewPublish("t", []byte("m"), 0, false, 9),
		"\x3a\x06\x00\x01t\x00\x09m": NewPublish("t", []byte("m"), 1, true, 9),
		"\x40\x02\x00\x07":           NewPuback(7),
		"\x90\x04\x00\x07\x01\x80":   NewSuback(7, []byte{1, Failure}),
		"\xb0\x02\x00\x07":           NewUnsuback(7),
		"\xd0\x00":                   NewPingresp(),
	} {
		if string(got) != want {
			t.Errorf("%x, want %x", got, want)
		}
	}
	long := NewPublish("t", make([]byte, 300), 0, false, 0)
	if p, err := read(long); err != nil || len(p.Payload) != 300 || long[1] != 0xaf || long[2] != 2 {
		t.Errorf("a long one: %x, %v", long[:3], err)
	}
}

// FuzzPackets looks for input that makes Read panic or give what the standard
// forbids.
func FuzzPackets(f *testing.F) {
	f.Add(connect)
	for _, seed := range []string{"\x30\x05\x00\x01thi", "\x32\x05\x00\x01t\x00\x07", "\x82\x09\x00\x01\x00\x04$a/#\x01", "\xa2\x05\x00\x02\x00\x01a", "\x40\x02\x01\x02", "\xc0\x00", "\xe0\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := read(raw)
		if err != nil {
			return
		}
		switch p.Type {
		case Publish:
			again, err := read(NewPublish(p.Topic, p.Payload, min(p.QoS, 1), p.Dup && p.QoS > 0, p.ID))
			if p.QoS < 2 && (err != nil || again.Topic != p.Topic || !bytes.Equal(again.Payload, p.Payload) || again.ID != p.ID) {
				t.Errorf("%+v came back as %+v, %v", p, again, err)
			}
		case Subscribe, Unsubscribe:
			if p.ID == 0 || len(p.Filters) == 0 {
				t.Errorf("%+v", p)
			}
		case Connect:
			if p.Password != nil && p.Username == nil {
				t.Errorf("%+v", p)
			}
		}
	})
}
