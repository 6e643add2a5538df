package practice

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"edgewright/provisioning/wire"
)

// stamp is when properties were last changed, and the version that made.
type stamp struct {
	At      time.Time
	Version int64
}

// stamps has, by name, the members of an object that are older than it, or
// that hold something older. All others have the stamp of the object itself:
// a twin that was written once needs none.
type stamps map[string]*aged

// aged is the stamp of a property and, if it is an object, those of its
// members.
type aged struct {
	stamp
	Older stamps `json:",omitempty"`
}

// after gives the stamps of an object, as it was at before, once a patch has
// changed it at now.
func (s stamps) after(before, now stamp, object, patch map[string]any) stamps {
	var next stamps
	keep := func(name string, a *aged) {
		if next == nil {
			next = stamps{}
		}
		next[name] = a
	}
	for name, value := range object {
		own := s[name]
		if own == nil {
			own = &aged{stamp: before}
		}
		given, touched := patch[name]
		if !touched {
			keep(name, own)
			continue
		}
		members, isObject := value.(map[string]any)
		changes, merges := given.(map[string]any)
		if !isObject || !merges {
			continue
		}
		if older := own.Older.after(own.stamp, now, members, changes); older != nil {
			keep(name, &aged{now, older})
		}
	}
	return next
}

// appendMetadata writes the $metadata of an object whose stamp is own.
func appendMetadata(b []byte, object map[string]any, own stamp, older stamps) []byte {
	b = append(b, `{"$lastUpdated":"`...)
	b = wire.AppendTime(b, own.At)
	b = append(b, `","$lastUpdatedVersion":`...)
	b = strconv.AppendInt(b, own.Version, 10)
	for _, name := range sortedIDs(object) {
		b = append(appendText(append(b, ','), name), ':')
		members, _ := object[name].(map[string]any)
		inner := aged{stamp: own}
		if a := older[name]; a != nil {
			inner = *a
		}
		b = appendMetadata(b, members, inner.stamp, inner.Older)
	}
	return append(b, '}')
}

// appendProperties writes one half of a twin as the service plane shows it.
func appendProperties(b []byte, properties map[string]any, own stamp, older stamps) []byte {
	b = appendMembers(b, properties)
	b = append(b, `"$metadata":`...)
	b = append(appendMetadata(b, properties, own, older), ',')
	return appendVersion(b, own.Version)
}

// appendMembers opens an object and writes its members, each with a comma
// behind it.
func appendMembers(b []byte, object map[string]any) []byte {
	if len(object) == 0 {
		return append(b, '{')
	}
	encoded := encodeObject(object)
	return append(append(b, encoded[:len(encoded)-1]...), ',')
}

// appendVersion ends an object that appendMembers began.
func appendVersion(b []byte, version int64) []byte {
	return append(strconv.AppendInt(append(b, `"$version":`...), version, 10), '}')
}

func appendText(b []byte, text string) []byte {
	if !slices.ContainsFunc([]byte(text), func(c byte) bool { return c < 0x20 || c > 0x7e || c == '"' || c == '\\' }) {
		return append(append(append(b, '"'), text...), '"')
	}
	quoted, _ := json.Marshal(text) // never fails
	return append(b, quoted...)
}

func encodeObject(object map[string]any) json.RawMessage {
	raw, _ := json.Marshal(object) // was JSON before
	return raw
}
