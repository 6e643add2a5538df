package edgeconfig

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// table checks a table of the file against the schema: names, versions, types,
// forms and groups.
func (l *linter) table(schema *Table, path string, e *entry) {
	variant := schema.variant(e.text(schema.Tag))
	for _, kid := range e.kids {
		field := join(path, keyText(kid.name))
		key := schema.key(kid.name)
		if key == nil {
			l.unknown(schema, path, field, e, kid)
			continue
		}
		if variant != nil && key.Name != schema.Tag && !slices.Contains(variant.Keys, key.Name) {
			l.care(field, kid, fmt.Sprintf("%s is not read with %s = %q", key.Name, schema.Tag, variant.Word), "Remove it, or choose the "+schema.Tag+" that it belongs to.")
			continue
		}
		l.lifetime(key, field, kid)
		l.key(schema, key, field, kid)
	}
	for _, key := range schema.Keys {
		if key.Required && !e.has(key.Name) {
			l.missing(schema, path, e, key.Name)
		}
	}
	if variant != nil {
		for _, name := range variant.Requires {
			if !e.has(name) {
				l.missing(schema, path, e, name)
			}
		}
	}
	for _, group := range schema.Groups {
		l.group(group, path, e)
	}
}

func (l *linter) missing(schema *Table, path string, e *entry, name string) {
	if path == "" {
		l.error(name, e, "the file has no ["+name+"] section, the only one that must be there", "Add [provisioning] with its source.")
		return
	}
	l.error(join(path, name), e, untagged("["+path+"] lacks "+name, schema.Enum), "Add "+name+".")
}

// group checks keys that only work together.
func (l *linter) group(group Group, path string, e *entry) {
	var lacks []string
	for _, name := range group.Keys {
		if !e.has(name) {
			lacks = append(lacks, name)
		}
	}
	switch {
	case len(lacks) == 0:
	case group.Fatal:
		l.error(path, e, fmt.Sprintf("[%s] needs all of %s; %s not there", path, strings.Join(group.Keys, ", "), are(lacks)),
			"Add "+strings.Join(lacks, ", ")+", or remove the whole table to take the defaults.")
	case len(lacks) < len(group.Keys):
		l.care(path, e, fmt.Sprintf("%s takes %s together; %s not there, so the runtime drops the others without a word", group.Means, strings.Join(group.Keys, " and "), are(lacks)),
			"Add "+strings.Join(lacks, ", ")+".")
	}
}

func are(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, ", ") + " are"
}

// lifetime checks that the runtime's version reads the key.
func (l *linter) lifetime(key *Key, field string, e *entry) {
	if l.version.Before(key.Since) {
		l.care(field, e, fmt.Sprintf("%s is read by IoT Edge %s and later; %s ignores it", key.Name, key.Since, l.version), "Remove it, or update the runtime.")
	}
	if !key.Until.IsZero() && key.Until.Before(l.version) {
		l.care(field, e, fmt.Sprintf("%s was read up to IoT Edge %s; %s ignores it", key.Name, key.Until, l.version), "Remove it.")
	}
}

// key checks type and form of a known key.
func (l *linter) key(schema *Table, key *Key, field string, e *entry) {
	if !key.takes(e) {
		l.wrongType(schema, key, field, e)
		return
	}
	switch {
	case e.isTable() && key.Table != nil:
		l.table(key.Table, field, e)
	case len(e.tables) > 0 && key.Table != nil:
		for _, table := range e.tables {
			l.table(key.Table, field, table)
		}
	case e.isTable() && (key.Type == TextMap || key.Type == ListMap):
		l.textMap(key, field, e)
	case e.isText():
		l.words(schema, key, field, e)
		l.form(key.Form, field, e, e.value)
	case key.Type == TextList:
		for _, item := range e.texts() {
			l.form(key.Form, field, e, item)
		}
	default:
		l.limits(key, field, e)
	}
}

// takes tells whether e is of the key's type.
func (key *Key) takes(e *entry) bool {
	_, isNumber := e.number()
	switch key.Type {
	case Text:
		return e.isText()
	case Number:
		return isNumber
	case Flag:
		return e.leaf && e.value.kind == unstable.Bool
	case TextList:
		return e.isTextList()
	case TextOrList:
		return e.isText() || e.isTextList()
	case TextOrTable:
		return e.isText() || e.isTable()
	case TextOrCount:
		return e.isText() || isNumber
	case TableList:
		return len(e.tables) > 0 || e.leaf && e.value.kind == unstable.Array && len(e.value.items) == 0
	default:
		return e.isTable()
	}
}

func (e *entry) isTextList() bool {
	return e.leaf && e.value.kind == unstable.Array && len(e.texts()) == len(e.value.items)
}

func (l *linter) wrongType(schema *Table, key *Key, field string, e *entry) {
	problem := fmt.Sprintf("%s is %s and not %s", key.Name, e.typeName(), key.Type)
	fix := "Write " + string(key.Type) + "."
	switch {
	case key.Name == "createOptions":
		fix = "Write the options as a TOML table with the Docker API's names: createOptions = { HostConfig = { … } }."
	case key.Type == Number && e.isText():
		fix = "Remove the quotes."
	case key.Type == Text && e.leaf && !e.isText():
		fix = "Put the value in quotes."
	case key.Type == Flag && e.isText():
		fix = "Write true or false without quotes."
	case key.Table == symmetricKeyTable:
		fix = "Write " + key.Name + ` = { value = "…" }, with the key in base64.`
	}
	l.error(field, e, untagged(problem, schema.Enum), fix)
}

func (e *entry) typeName() string {
	switch {
	case len(e.tables) > 0:
		return string(TableList)
	case e.isTable():
		return string(SubTable)
	}
	switch e.value.kind {
	case unstable.String:
		return string(Text)
	case unstable.Integer:
		return string(Number)
	case unstable.Bool:
		return string(Flag)
	case unstable.Array:
		return "a list"
	case unstable.Float:
		return "a fraction"
	default:
		return "a date or time"
	}
}

// textMap checks the values of a table whose names are free.
func (l *linter) textMap(key *Key, field string, e *entry) {
	for _, kid := range e.kids {
		where := join(field, keyText(kid.name))
		switch {
		case kid.isText():
			l.form(key.Form, where, kid, kid.value)
		case key.Type == ListMap && kid.isTextList():
		default:
			l.error(where, kid, fmt.Sprintf("a value in [%s] is %s and not a string", field, kid.typeName()), "Put it in quotes.")
		}
	}
}

// words checks strings of which only a few are taken.
func (l *linter) words(schema *Table, key *Key, field string, e *entry) {
	if len(key.Words) == 0 || slices.Contains(key.Words, e.value.text) {
		return
	}
	fix := "Write " + alternatives(key.Words) + "."
	for _, word := range key.Words {
		if plainName(word) == plainName(e.value.text) {
			fix = fmt.Sprintf("Write %q; upper and lower case and underscores matter.", word)
		}
	}
	l.error(field, e, untagged("the value of "+key.Name+" is none that the runtime knows", schema.Enum), fix)
}

func alternatives(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = fmt.Sprintf("%q", word)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}

// limits checks numbers.
func (l *linter) limits(key *Key, field string, e *entry) {
	n, isNumber := e.number()
	if !isNumber || key.Min == 0 && key.Max == 0 {
		return
	}
	switch {
	case n < key.Min && !l.version.Before(key.MinSince):
		l.error(field, e, fmt.Sprintf("%s is less than %d", key.Name, key.Min), fmt.Sprintf("Write %d or more.", key.Min))
	case n < 0 || n > key.Max:
		l.error(field, e, fmt.Sprintf("%s is out of its range", key.Name), fmt.Sprintf("Write a number from %d to %d.", key.Min, key.Max))
	}
}
