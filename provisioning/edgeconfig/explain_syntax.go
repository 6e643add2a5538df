package edgeconfig

import (
	"bytes"
	"regexp"
)

var (
	yamlLine     = regexp.MustCompile(`^\s*(?:-\s+)?["']?[A-Za-z0-9_.-]+["']?\s*:(?:\s|$)`)
	keyLine      = regexp.MustCompile(`^\s*["']?([A-Za-z0-9_-]+)["']?\s*=\s*(.*)$`)
	bareWord     = regexp.MustCompile(`^[A-Za-z/\\][^"']*$`)
	pythonBool   = regexp.MustCompile(`^(?:True|TRUE|False|FALSE|yes|no|on|off)\s*(?:#.*)?$`)
	afterEquals  = regexp.MustCompile(`=\s*$`)
	openHeader   = regexp.MustCompile(`^\s*\[[^\]]*$`)
	singleQuote  = regexp.MustCompile(`^"[^"]*$|^'[^']*$`)
	curlyQuote   = []rune("“”„‘’«»")
	windowsSlash = regexp.MustCompile(`"[^"]*\\[^btnfruUex"\\][^"]*"`)
)

// explainSyntax says what is wrong with a line that the TOML parser refused at
// byte at, as far as it is one of the slips that people make. Nothing of the
// line's value is repeated.
func explainSyntax(line []byte, at int) (cause, fix string) {
	switch {
	case bytes.ContainsAny(line, string(curlyQuote)):
		return "the quotation marks are typographic ones", `Write straight quotes: "…".`
	case yamlLine.Match(line):
		return "a colon stands between key and value, as in YAML", "Write = instead: key = value. A file in the form of IoT Edge 1.1 goes through `iotedge config import`."
	case openHeader.Match(line) && !bytes.Contains(line, []byte("=")):
		return "the header of a table is not closed", "End it with ]."
	}
	match := keyLine.FindSubmatch(line)
	if match == nil || bytes.HasPrefix(match[2], []byte("{")) || bytes.HasPrefix(match[2], []byte("[")) {
		if at < len(line) && afterEquals.Match(line[:at]) && bareWord.Match(line[at:at+1]) {
			return "a value stands without quotes", `Put the text in quotes: "…".`
		}
		return "", ""
	}
	name := ""
	if knownNames[string(match[1])] {
		name = " of " + string(match[1])
	}
	value := bytes.TrimSpace(match[2])
	switch {
	case len(value) == 0 || value[0] == '#':
		return "the value" + name + " is missing", "Write a value after =, on the same line."
	case pythonBool.Match(value):
		return "the value" + name + " is not a TOML boolean", "Write true or false, in lower case and without quotes."
	case bareWord.Match(value) && at >= len(line)-len(value)-1:
		return "the value" + name + " stands without quotes", `Put the text in quotes: "…".`
	case singleQuote.Match(value):
		return "the quotes around the value" + name + " are not closed", "End the text with the same quote, on the same line."
	case windowsSlash.Match(value):
		return "a backslash in the value" + name + " begins an escape that TOML does not know", `Use single quotes, or write \\ for each backslash.`
	}
	return "", ""
}
