package practice

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"edgewright/provisioning/wire"
)

// configurationContent is what a configuration writes into twins: one of the
// three. Keys are paths such as properties.desired.modules.temp.
type configurationContent struct {
	DeviceContent  map[string]json.RawMessage            `json:"deviceContent,omitempty"`
	ModulesContent map[string]map[string]json.RawMessage `json:"modulesContent,omitempty"` // by module
	ModuleContent  map[string]json.RawMessage            `json:"moduleContent,omitempty"`
}

// configurationKind is whose twins a configuration writes.
type configurationKind int

const (
	configureDevices configurationKind = iota
	configureModules
	configureEdge
)

// assignment sets a part of desired properties as a whole; the path is below
// properties.desired, and empty for all of it.
type assignment struct {
	path  []string
	value any
}

// parsedContent is content that can be applied. own is for the target's own
// twin, modules for those of an edge device.
type parsedContent struct {
	kind    configurationKind
	own     []assignment
	modules map[string][]assignment
}

const desiredPath = "properties.desired"

func badContent(format string, args ...any) *identityError {
	refused := invalid(format, args...)
	refused.name = "InvalidConfigurationContent"
	return refused
}

// parse checks the content: one kind, known paths, and the limits of a twin.
func (c configurationContent) parse() (parsedContent, *identityError) {
	given := 0
	for _, has := range []bool{len(c.DeviceContent) > 0, len(c.ModulesContent) > 0, len(c.ModuleContent) > 0} {
		if has {
			given++
		}
	}
	if given != 1 {
		return parsedContent{}, badContent("content has one of deviceContent, modulesContent and moduleContent")
	}
	var p parsedContent
	var refused *identityError
	switch {
	case len(c.DeviceContent) > 0:
		p.kind = configureDevices
		p.own, refused = parseAssignments(c.DeviceContent)
	case len(c.ModuleContent) > 0:
		p.kind = configureModules
		p.own, refused = parseAssignments(c.ModuleContent)
	default:
		p.kind, p.modules = configureEdge, map[string][]assignment{}
		for _, id := range slices.Sorted(maps.Keys(c.ModulesContent)) {
			if err := wire.ValidateModuleID(id); err != nil {
				return p, badContent("modulesContent: %s", err)
			}
			if p.modules[id], refused = parseAssignments(c.ModulesContent[id]); refused != nil {
				return p, refused
			}
		}
	}
	return p, refused
}

func parseAssignments(members map[string]json.RawMessage) ([]assignment, *identityError) {
	made := make([]assignment, 0, len(members))
	for _, key := range slices.Sorted(maps.Keys(members)) {
		rest, known := strings.CutPrefix(key, desiredPath)
		if !known || rest != "" && !strings.HasPrefix(rest, ".") {
			return nil, badContent("a path of the content does not begin with %s", desiredPath)
		}
		var a assignment
		if rest != "" {
			a.path = strings.Split(rest[1:], ".")
		}
		var value any
		if err := json.Unmarshal(members[key], &value); err != nil {
			return nil, badContent("content: %s", wire.CleanMessage(err.Error()))
		}
		a.value = withoutNulls(value)
		if _, isObject := a.value.(map[string]any); !isObject && rest == "" {
			return nil, badContent("%s is not an object", desiredPath)
		}
		if _, refused := mergeWithin("content", maxPropertiesSize, nil, assign(nil, a)); refused != nil {
			refused.name = "InvalidConfigurationContent"
			return nil, refused
		}
		made = append(made, a)
	}
	return made, nil
}

// withoutNulls leaves out members that are null: they say that there is none.
func withoutNulls(value any) any {
	members, isObject := value.(map[string]any)
	if !isObject {
		return value
	}
	kept := make(map[string]any, len(members))
	for name, member := range members {
		if member != nil {
			kept[name] = withoutNulls(member)
		}
	}
	return kept
}

// isFull tells a deployment that stands by itself; others are layers on top of
// one.
func (p parsedContent) isFull() bool {
	return p.kind == configureEdge && slices.ContainsFunc(p.modules["$edgeAgent"], func(a assignment) bool { return len(a.path) == 0 })
}

// assign gives properties after an assignment, without changing those given.
func assign(properties map[string]any, a assignment) map[string]any {
	if len(a.path) == 0 {
		whole, _ := a.value.(map[string]any)
		return maps.Clone(whole)
	}
	next := maps.Clone(properties)
	if next == nil {
		next = map[string]any{}
	}
	if len(a.path) == 1 {
		delete(next, a.path[0])
		if a.value != nil {
			next[a.path[0]] = a.value
		}
		return next
	}
	inner, _ := next[a.path[0]].(map[string]any)
	next[a.path[0]] = assign(inner, assignment{a.path[1:], a.value})
	return next
}

// covers tells whether a writes over all that b writes.
func (a assignment) covers(b assignment) bool {
	return len(a.path) <= len(b.path) && slices.Equal(a.path, b.path[:len(a.path)])
}

// isCovered tells whether each of some assignments is written over by a higher
// one, so that nothing of them is left.
func isCovered(all, higher []assignment) bool {
	return !slices.ContainsFunc(all, func(b assignment) bool {
		return !slices.ContainsFunc(higher, func(a assignment) bool { return a.covers(b) })
	})
}
