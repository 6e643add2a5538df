package wire

import "strings"

// EscapeSegment encodes an ID as one segment of a URL path: everything but
// letters, digits and "-_.~" as %XX, as the services' own clients do
// ($edgeAgent arrives as %24edgeAgent). The dots of "." and ".." are encoded
// too, so that no path is cleaned on its way.
func EscapeSegment(id string) string {
	if id == "." || id == ".." {
		return strings.Repeat("%2E", len(id))
	}
	return escapeComponent(id)
}
