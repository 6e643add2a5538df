package edgeconfig

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"edgewright/provisioning/secret"
)

// Mask gives the text of a config.toml with *** in the place of every secret:
// symmetric keys, the SharedAccessKey of connection strings, passwords, PINs in
// pkcs11 URIs, credentials in URLs, TPM authorisations, and environment
// variables whose names speak of secrets; in comments as well. All other bytes
// and all line breaks stay.
//
// What is not TOML is masked by its looks from the first bad statement on,
// rather too much than too little.
func Mask(data []byte) []byte {
	m := masker{source: newSource(data)}
	statements, good := scan(m.source)
	at := 0
	for _, st := range statements {
		if st.value == nil {
			continue
		}
		m.value(st.path, st.value)
		for _, token := range m.tokens {
			m.loose(at, token.start)
			at = token.end
		}
		m.tokens = m.tokens[:0]
	}
	m.loose(at, good)
	m.loose(max(at, good), len(m.text))
	return append(slices.Clone(m.mark), m.masked()...)
}

// masker gathers the ranges of a text that are not shown.
type masker struct {
	*source
	tokens []*value // scalars of the statement at hand, in order
	hidden []span
}

// span is a range of bytes.
type span struct{ start, end int }

func (m *masker) hide(start, end int) {
	if start < end {
		m.hidden = append(m.hidden, span{start, end})
	}
}

// value masks what is secret in a value by the key it has.
func (m *masker) value(path []string, v *value) {
	switch v.kind {
	case unstable.InlineTable:
		for _, inner := range v.members {
			m.value(slices.Concat(path, inner.path), inner.value)
		}
	case unstable.Array:
		for _, item := range v.items {
			m.value(path, item)
		}
	case unstable.String:
		m.tokens = append(m.tokens, v)
		m.quoted(path, v)
	default:
		m.tokens = append(m.tokens, v)
		if isSecretPath(path) {
			m.hide(v.start, v.end)
		}
	}
}

// quoted masks a string: all of it by its key, or what looks like a secret in
// it. A string with escapes is hidden whole, since its bytes are not its text.
func (m *masker) quoted(path []string, v *value) {
	quotes := 1
	if v.end-v.start >= 6 && (bytes.HasPrefix(m.text[v.start:], []byte(`"""`)) || bytes.HasPrefix(m.text[v.start:], []byte(`'''`))) {
		quotes = 3
	}
	start, end := v.start+quotes, v.end-quotes
	spans := secretsIn(v.text)
	if isSecretPath(path) || len(spans) == 0 && isConnectionName(path[len(path)-1]) {
		spans = []span{{0, len(v.text)}}
	}
	if string(m.text[start:end]) != v.text {
		if len(spans) > 0 && v.text != "" {
			m.hide(start, end)
		}
		return
	}
	for _, s := range spans {
		m.hide(start+s.start, start+s.end)
	}
}

// loose masks a part of the text that is not read as TOML: comments, and what
// comes after an error.
func (m *masker) loose(start, end int) {
	if start >= end {
		return
	}
	for _, s := range looseSecretsIn(string(m.text[start:end])) {
		m.hide(start+s.start, start+s.end)
	}
}

// masked writes *** for each hidden range, once per line that it touches.
func (m *masker) masked() []byte {
	slices.SortFunc(m.hidden, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var out bytes.Buffer
	at := 0
	for i := 0; i < len(m.hidden); i++ {
		whole := m.hidden[i]
		for i+1 < len(m.hidden) && m.hidden[i+1].start <= whole.end {
			i++
			whole.end = max(whole.end, m.hidden[i].end)
		}
		out.Write(m.text[at:whole.start])
		for j, line := range strings.Split(string(m.text[whole.start:whole.end]), "\n") {
			if j > 0 {
				out.WriteByte('\n')
			}
			kept := strings.TrimRight(line, "\r")
			if kept != "" {
				out.WriteString(secret.Mask)
			}
			out.WriteString(line[len(kept):])
		}
		at = whole.end
	}
	out.Write(m.text[at:])
	return out.Bytes()
}
