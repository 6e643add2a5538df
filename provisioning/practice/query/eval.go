package query

import (
	"cmp"
	"slices"
	"strings"
)

// absent is the type of missing, the value of what does not exist or has no
// meaning.
type absent struct{}

var missing any = absent{}

// node is a part of a condition.
type node interface {
	eval(document Object) any
}

type constant struct{ value any }

func (c constant) eval(Object) any { return c.value }

// path leads to a member by its name and those of the objects around it.
type path struct{ names []string }

func (p *path) eval(document Object) any {
	var value any = document
	for _, name := range p.names {
		exists := false
		switch object := value.(type) {
		case map[string]any:
			value, exists = object[name]
		case Object:
			value, exists = object.Member(name)
		}
		if !exists {
			return missing
		}
	}
	return value
}

func (p *path) equal(other *path) bool { return slices.Equal(p.names, other.names) }

// dropSource shortens a path that begins with the collection: devices.jobs.jobId
// is jobId, and so is devices.deviceId the deviceId of a module, as the CLI of
// Azure writes it.
func (p *path) dropSource(source Source) {
	for _, name := range strings.Split(string(source), ".") {
		if len(p.names) == 1 || !strings.EqualFold(p.names[0], name) {
			return
		}
		p.names = p.names[1:]
	}
}

// logical is AND or OR: decisive is the value of an operand that settles it.
type logical struct {
	operands []node
	decisive bool
}

func (l logical) eval(document Object) any {
	var result any = !l.decisive
	for _, operand := range l.operands {
		switch operand.eval(document) {
		case l.decisive:
			return l.decisive
		case !l.decisive:
		default:
			result = missing
		}
	}
	return result
}

type negation struct{ operand node }

func (n negation) eval(document Object) any {
	if value, ok := n.operand.eval(document).(bool); ok {
		return !value
	}
	return missing
}

type comparison struct {
	operator    string
	left, right node
}

func (c comparison) eval(document Object) any {
	left, right := c.left.eval(document), c.right.eval(document)
	if !isScalar(left) || !isScalar(right) {
		return missing
	}
	switch c.operator {
	case "=":
		return left == right
	case "!=", "<>":
		return left != right
	}
	order, comparable := 0, false
	switch left := left.(type) {
	case float64:
		if right, same := right.(float64); same {
			order, comparable = cmp.Compare(left, right), true
		}
	case string:
		if right, same := right.(string); same {
			order, comparable = strings.Compare(left, right), true
		}
	}
	if !comparable {
		return missing
	}
	switch c.operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// isScalar tells values that can be compared with = and !=; those of different
// types are different.
func isScalar(value any) bool {
	switch value.(type) {
	case nil, bool, float64, string:
		return true
	}
	return false
}

// membership is IN.
type membership struct {
	operand node
	list    map[any]bool
}

func (m membership) eval(document Object) any {
	value := m.operand.eval(document)
	if !isScalar(value) {
		return missing
	}
	return m.list[value]
}

type call struct {
	apply     func(arguments []any) any
	arguments []node
}

func (c call) eval(document Object) any {
	var values [2]any // the most that a function has
	for i, argument := range c.arguments {
		values[i] = argument.eval(document)
	}
	return c.apply(values[:len(c.arguments)])
}
