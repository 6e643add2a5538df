package query

import (
	"slices"
	"strconv"
	"strings"
)

// The limits of a query: bytes, levels of brackets and NOT, and conditions.
const (
	maxLength = 16 << 10
	maxDepth  = 64
	maxTerms  = 256
)

var (
	keywords   = []string{"select", "from", "where", "group", "by", "and", "or", "not", "in", "nin", "as", "true", "false", "null"}
	operators  = []string{"=", "!=", "<>", "<", "<=", ">", ">="}
	aggregates = []string{"count", "avg", "sum", "min", "max"}
)

// parser reads by recursive descent, one token ahead.
type parser struct {
	lexer
	token token
	depth int
	terms int
	paths []*path
}

// Parse reads a query. The error is an *Error.
func Parse(text string) (*Query, error) {
	p := &parser{lexer: lexer{source: text}}
	if len(text) > maxLength {
		return nil, p.fail(0, "the query has more than %d bytes", maxLength)
	}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	return q, nil
}

func (p *parser) query() (*Query, *Error) {
	q := &Query{}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expectKeyword("select"); err != nil {
		return nil, err
	}
	if err := p.selectList(q); err != nil {
		return nil, err
	}
	if err := p.expectKeyword("from"); err != nil {
		return nil, err
	}
	if err := p.source(q); err != nil {
		return nil, err
	}
	if p.isKeyword("where") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		var err *Error
		if q.where, err = p.or(); err != nil {
			return nil, err
		}
	}
	if err := p.groupBy(q); err != nil {
		return nil, err
	}
	if p.isSymbol(";") {
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if p.token.kind != tokenEnd {
		return nil, p.unexpected("the end of the query")
	}
	for _, path := range p.paths {
		path.dropSource(q.Source)
	}
	return q, p.checkColumns(q)
}

func (p *parser) selectList(q *Query) *Error {
	if p.isKeyword("top") {
		if err := p.advance(); err != nil {
			return err
		}
		n, err := strconv.ParseInt(p.token.text, 10, 31)
		if p.token.kind != tokenNumber || err != nil || n < 1 {
			return p.unexpected("a positive number")
		}
		q.Top = int(n)
		if err := p.advance(); err != nil {
			return err
		}
	}
	if p.isSymbol("*") {
		return p.advance()
	}
	for {
		c, err := p.column()
		if err != nil {
			return err
		}
		q.columns = append(q.columns, c)
		if more, err := p.skip(","); err != nil || !more {
			return err
		}
	}
}

// column reads a path or an aggregate and its name. A path without one is
// called by its last member, an aggregate $1, $2, … (assumed).
func (p *parser) column() (column, *Error) {
	c := column{at: p.token.at}
	var err *Error
	if word := p.calls(); slices.Contains(aggregates, word) {
		c.aggregate = word
		if err := p.advance(); err != nil {
			return c, err
		}
		if _, err := p.skip("("); err != nil {
			return c, err
		}
		if word != "count" {
			if c.from, err = p.path(); err != nil {
				return c, err
			}
		}
		if closed, err := p.skip(")"); err != nil || !closed {
			return c, firstError(err, p.unexpected(")"))
		}
	} else {
		if c.from, err = p.path(); err != nil {
			return c, err
		}
		c.name = c.from.names[len(c.from.names)-1]
	}
	if p.isKeyword("as") {
		if err := p.advance(); err != nil {
			return c, err
		}
		if p.token.kind != tokenName && p.token.kind != tokenText {
			return c, p.unexpected("a name")
		}
		c.name = p.token.text
		return c, p.advance()
	}
	return c, nil
}

func (p *parser) source(q *Query) *Error {
	at := p.token.at
	named, err := p.path()
	if err != nil {
		return err
	}
	p.paths = p.paths[:len(p.paths)-1]
	q.Source = Source(strings.ToLower(strings.Join(named.names, ".")))
	if q.Source != Devices && q.Source != Modules && q.Source != Jobs {
		return p.fail(at, "FROM is devices, devices.modules or devices.jobs")
	}
	return nil
}

func (p *parser) groupBy(q *Query) *Error {
	if !p.isKeyword("group") {
		return nil
	}
	if err := p.advance(); err != nil {
		return err
	}
	if err := p.expectKeyword("by"); err != nil {
		return err
	}
	for {
		by, err := p.path()
		if err != nil {
			return err
		}
		q.groupBy = append(q.groupBy, by)
		if more, err := p.skip(","); err != nil || !more {
			return err
		}
	}
}

// checkColumns gives aggregates their names and refuses what has no meaning.
func (p *parser) checkColumns(q *Query) *Error {
	if len(q.groupBy) > 0 && q.Whole() {
		return p.fail(0, "SELECT * cannot be grouped")
	}
	aggregated, unnamed := q.Aggregated(), 0
	seen := map[string]bool{}
	for i := range q.columns {
		c := &q.columns[i]
		if c.name == "" {
			unnamed++
			c.name = "$" + strconv.Itoa(unnamed)
		}
		if seen[c.name] {
			return p.fail(c.at, "two columns have the same name; name one with AS")
		}
		seen[c.name] = true
		if aggregated && c.aggregate == "" && !slices.ContainsFunc(q.groupBy, c.from.equal) {
			return p.fail(c.at, "a column beside an aggregate stands in GROUP BY too")
		}
	}
	return nil
}

// path reads members joined by dots or in brackets: a.b, a['b'], a[[b]].
func (p *parser) path() (*path, *Error) {
	made := &path{}
	switch {
	case p.token.kind == tokenName && !slices.Contains(keywords, strings.ToLower(p.token.text)), p.token.kind == tokenMember:
		made.names = append(made.names, p.token.text)
		if err := p.advance(); err != nil {
			return nil, err
		}
	case !p.isSymbol("["):
		return nil, p.unexpected("the path of a member")
	}
	for {
		name, err := p.member()
		if err != nil {
			return nil, err
		}
		if name == nil {
			p.paths = append(p.paths, made)
			return made, nil
		}
		if made.names = append(made.names, *name); len(made.names) > maxDepth {
			return nil, p.fail(p.token.at, "the path has more than %d members", maxDepth)
		}
	}
}

// member reads the next member of a path; nil if it has ended.
func (p *parser) member() (*string, *Error) {
	dotted, err := p.skip(".")
	if err != nil {
		return nil, err
	}
	name := p.token.text
	switch {
	case p.token.kind == tokenMember, dotted && p.token.kind == tokenName:
		return &name, p.advance()
	case p.isSymbol("["):
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.token.kind != tokenText {
			return nil, p.unexpected("the name of a member in quotes")
		}
		name = p.token.text
		if err := p.advance(); err != nil {
			return nil, err
		}
		if closed, err := p.skip("]"); err != nil || !closed {
			return nil, firstError(err, p.unexpected("]"))
		}
		return &name, nil
	case dotted:
		return nil, p.unexpected("the name of a member")
	}
	return nil, nil
}

func (p *parser) advance() *Error {
	next, err := p.next()
	if err == nil {
		p.token = next
	}
	return err
}

// calls gives the word at which the parser stands, in lower case, if a bracket
// follows it.
func (p *parser) calls() string {
	if p.token.kind != tokenName {
		return ""
	}
	ahead := p.lexer
	// An error comes again when the parser gets there.
	if after, err := ahead.next(); err != nil || after.kind != tokenSymbol || after.text != "(" {
		return ""
	}
	return strings.ToLower(p.token.text)
}

func (p *parser) isKeyword(word string) bool {
	return p.token.kind == tokenName && strings.EqualFold(p.token.text, word)
}

func (p *parser) isSymbol(symbol string) bool {
	return p.token.kind == tokenSymbol && p.token.text == symbol
}

// skip passes a symbol if it stands here.
func (p *parser) skip(symbol string) (bool, *Error) {
	if !p.isSymbol(symbol) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expectKeyword(word string) *Error {
	if !p.isKeyword(word) {
		return p.unexpected(strings.ToUpper(word))
	}
	return p.advance()
}

func (p *parser) unexpected(wanted string) *Error {
	if p.token.kind == tokenEnd {
		return p.fail(p.token.at, "the query ends where %s is expected", wanted)
	}
	return p.fail(p.token.at, "%s is expected", wanted)
}

// firstError gives the first of errors that is one.
func firstError(errors ...*Error) *Error {
	for _, err := range errors {
		if err != nil {
			return err
		}
	}
	return nil
}
