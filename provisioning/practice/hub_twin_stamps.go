package practice

import (
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
func (s stamps) after(before, now stamp, changed object, patch map[string]any) stamps {
	var next stamps
	keep := func(name string, a *aged) {
		if next == nil {
			next = stamps{}
		}
		next[name] = a
	}
	for _, m := range changed {
		own := s[m.name]
		if own == nil {
			own = &aged{stamp: before}
		}
		given, touched := patch[m.name]
		if !touched {
			keep(m.name, own)
			continue
		}
		members, isObject := m.value.(object)
		changes, merges := given.(map[string]any)
		if !isObject || !merges {
			continue
		}
		if older := own.Older.after(own.stamp, now, members, changes); older != nil {
			keep(m.name, &aged{now, older})
		}
	}
	return next
}

// of gives the stamps of a member of an object whose stamp is own.
func (s stamps) of(name string, own stamp) aged {
	if a := s[name]; a != nil {
		return *a
	}
	return aged{stamp: own}
}

// appendMetadata writes the $metadata of an object whose stamp is own.
func appendMetadata(b []byte, o object, own stamp, older stamps) []byte {
	b = append(b, `{"$lastUpdated":"`...)
	b = wire.AppendTime(b, own.At)
	b = append(b, `","$lastUpdatedVersion":`...)
	b = strconv.AppendInt(b, own.Version, 10)
	for _, m := range o {
		b = append(appendText(append(b, ','), m.name), ':')
		members, _ := m.value.(object)
		inner := older.of(m.name, own)
		b = appendMetadata(b, members, inner.stamp, inner.Older)
	}
	return append(b, '}')
}

// appendMembers opens an object and writes its members, each with a comma
// behind it.
func appendMembers(b []byte, o object) []byte {
	b = appendObject(b, o)
	if len(o) == 0 {
		return b[:len(b)-1]
	}
	b[len(b)-1] = ','
	return b
}

// appendVersion ends an object that appendMembers began.
func appendVersion(b []byte, version int64) []byte {
	return append(strconv.AppendInt(append(b, `"$version":`...), version, 10), '}')
}
