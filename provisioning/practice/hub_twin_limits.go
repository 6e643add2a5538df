package practice

import (
	"math"
	"strings"
	"unicode"
)

// The limits of a twin: bytes, and levels of objects below the top.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-device-twins
const (
	maxTagsSize       = 8 << 10
	maxPropertiesSize = 32 << 10
	maxTwinName       = 1 << 10
	maxTwinText       = 4 << 10
	maxTwinDepth      = 10
	maxTwinInteger    = 1<<52 - 1
	// beyondIntegers is where a number is no longer written as an integer.
	beyondIntegers = 1e21
)

// mergeWithin merges a patch into a part of a twin and refuses what breaks a
// limit. The hub's word for it, ArgumentInvalid, is assumed for each of them.
func mergeWithin(part string, limit int, target object, patch map[string]any) (object, *identityError) {
	if refused := checkMembers(part, patch, 0); refused != nil {
		return nil, refused
	}
	merged := target.merged(patch)
	if size := twinSize(merged); size > limit {
		return nil, invalid("%s has %d bytes; %d are allowed", part, size, limit)
	}
	return merged, nil
}

// checkMembers checks names, values and depth. Errors name the part only:
// names and values may be anything.
func checkMembers(part string, members map[string]any, depth int) *identityError {
	if depth > maxTwinDepth {
		return invalid("%s is deeper than %d levels", part, maxTwinDepth)
	}
	for name, value := range members {
		switch {
		case name == "":
			return invalid("a name in %s is empty", part)
		case len(name) > maxTwinName:
			return invalid("a name in %s has more than %d bytes", part, maxTwinName)
		case strings.ContainsAny(name, ".$# ") || strings.ContainsFunc(name, unicode.IsControl):
			return invalid("a name in %s has a control character, a space or one of . $ #", part)
		}
		if refused := checkValue(part, value, depth); refused != nil {
			return refused
		}
	}
	return nil
}

func checkValue(part string, value any, depth int) *identityError {
	switch value := value.(type) {
	case map[string]any:
		return checkMembers(part, value, depth+1)
	case []any:
		if depth >= maxTwinDepth {
			return invalid("%s is deeper than %d levels", part, maxTwinDepth)
		}
		for _, element := range value {
			if refused := checkValue(part, element, depth+1); refused != nil {
				return refused
			}
		}
	case string:
		if len(value) > maxTwinText {
			return invalid("a text in %s has more than %d bytes", part, maxTwinText)
		}
	case float64:
		if size := math.Abs(value); size > maxTwinInteger && size < beyondIntegers && value == math.Trunc(value) {
			return invalid("an integer in %s is beyond ±%d", part, int64(maxTwinInteger))
		}
	}
	return nil
}

// twinSize counts as the hub does: names and texts as UTF-8 without control
// characters, 8 bytes for a number, 4 for a boolean.
func twinSize(value any) int {
	size := 0
	switch value := value.(type) {
	case object:
		for _, m := range value {
			size += len(m.name) + twinSize(m.value)
		}
	case []any:
		for _, element := range value {
			size += twinSize(element)
		}
	case string:
		size = len(value)
		for _, r := range value {
			if unicode.IsControl(r) {
				size -= len(string(r))
			}
		}
	case bool:
		size = 4
	case float64:
		size = 8
	}
	return size
}
