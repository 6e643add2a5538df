package query

import "slices"

// or reads the weakest binding level of a condition.
func (p *parser) or() (node, *Error) { return p.joined("or", p.and) }

func (p *parser) and() (node, *Error) { return p.joined("and", p.not) }

// joined reads operands with a keyword between them.
func (p *parser) joined(keyword string, operand func() (node, *Error)) (node, *Error) {
	first, err := operand()
	if err != nil || !p.isKeyword(keyword) {
		return first, err
	}
	all := []node{first}
	for p.isKeyword(keyword) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		next, err := operand()
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	return logical{operands: all, decisive: keyword == "or"}, nil
}

func (p *parser) not() (node, *Error) {
	if !p.isKeyword("not") {
		return p.comparison()
	}
	operand, err := p.nested(p.not)
	return negation{operand}, err
}

// nested passes over a token and reads what stands a level deeper behind it.
func (p *parser) nested(read func() (node, *Error)) (node, *Error) {
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := p.advance(); err != nil {
		return nil, err
	}
	return read()
}

// enter counts a level of nesting.
func (p *parser) enter() (leave func(), err *Error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.token.at, "the condition is nested deeper than %d levels", maxDepth)
	}
	return func() { p.depth-- }, nil
}

func (p *parser) comparison() (node, *Error) {
	if p.terms++; p.terms > maxTerms {
		return nil, p.fail(p.token.at, "the query has more than %d conditions", maxTerms)
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	negated := p.isKeyword("not")
	if negated {
		if err := p.advance(); err != nil {
			return nil, err
		}
		if !p.isKeyword("in") {
			return nil, p.unexpected("IN")
		}
	}
	switch {
	case p.isKeyword("in"), p.isKeyword("nin"):
		negated = negated || p.isKeyword("nin")
		list, err := p.list()
		if err != nil {
			return nil, err
		}
		if negated {
			return negation{membership{left, list}}, nil
		}
		return membership{left, list}, nil
	case p.token.kind == tokenSymbol && slices.Contains(operators, p.token.text):
		operator := p.token.text
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := p.operand()
		return comparison{operator, left, right}, err
	}
	return left, nil
}

// list reads the literals behind IN, in round or square brackets.
func (p *parser) list() (map[any]bool, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	closing, known := map[string]string{"(": ")", "[": "]"}[p.token.text]
	if p.token.kind != tokenSymbol || !known {
		return nil, p.unexpected("a list of values in brackets")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	values := map[any]bool{}
	for {
		value, isLiteral := p.literal()
		if !isLiteral {
			return nil, p.unexpected("a text, number, true, false or null")
		}
		values[value] = true
		if err := p.advance(); err != nil {
			return nil, err
		}
		more, err := p.skip(",")
		if err != nil {
			return nil, err
		}
		if more {
			continue
		}
		if closed, err := p.skip(closing); err != nil || !closed {
			return nil, firstError(err, p.unexpected(closing))
		}
		return values, nil
	}
}

// literal gives the value of the token at which the parser stands, if it has
// one.
func (p *parser) literal() (value any, isLiteral bool) {
	switch {
	case p.token.kind == tokenText:
		return p.token.text, true
	case p.token.kind == tokenNumber:
		return p.token.number, true
	case p.isKeyword("true"):
		return true, true
	case p.isKeyword("false"):
		return false, true
	case p.isKeyword("null"):
		return nil, true
	}
	return nil, false
}

func (p *parser) operand() (node, *Error) {
	if value, isLiteral := p.literal(); isLiteral {
		return constant{value}, p.advance()
	}
	if word := p.calls(); word != "" && !slices.Contains(keywords, word) {
		return p.call(word)
	}
	if !p.isSymbol("(") {
		return p.path()
	}
	inside, err := p.nested(p.or)
	if err != nil {
		return nil, err
	}
	if closed, err := p.skip(")"); err != nil || !closed {
		return nil, firstError(err, p.unexpected(")"))
	}
	return inside, nil
}

// call reads a function with its arguments.
func (p *parser) call(name string) (node, *Error) {
	known, ok := functions[name]
	if !ok {
		return nil, p.fail(p.token.at, "the function is not offered here")
	}
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	at := p.token.at
	if err := p.advance(); err != nil {
		return nil, err
	}
	if _, err := p.skip("("); err != nil {
		return nil, err
	}
	made := call{apply: known.apply}
	for !p.isSymbol(")") {
		argument, err := p.operand()
		if err != nil {
			return nil, err
		}
		made.arguments = append(made.arguments, argument)
		if more, err := p.skip(","); err != nil {
			return nil, err
		} else if !more && !p.isSymbol(")") {
			return nil, p.unexpected(")")
		}
	}
	if len(made.arguments) != known.arguments {
		return nil, p.fail(at, "the function has %d arguments", known.arguments)
	}
	return made, p.advance()
}
