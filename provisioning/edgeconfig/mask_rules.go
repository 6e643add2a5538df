package edgeconfig

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
)

// secretWords are parts of names, lower case and without separators, that say
// that the value is a secret.
var secretWords = []string{"password", "passwd", "passphrase", "secret", "token", "credential", "symmetrickey", "accesskey", "privatekey", "apikey", "pinvalue"}

// secretNames are whole names of that kind. "value" is the key in
// symmetric_key and device_id_pk wherever it is put by mistake; the last two
// are the TPM's.
var secretNames = []string{"value", "pin", "auth", "endorsement", "owner", "deviceidpk", "primarykey", "secondarykey"}

func plainName(name string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(name))
}

func isSecretName(name string) bool {
	name = plainName(name)
	return slices.Contains(secretNames, name) ||
		slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}

// isSecretPath tells whether a value is a secret by its key. In the table of a
// symmetric key everything is but the URI of a file.
func isSecretPath(path []string) bool {
	name := path[len(path)-1]
	if isSecretName(name) {
		return true
	}
	for _, table := range path[:len(path)-1] {
		if plain := plainName(table); plain == "symmetrickey" || plain == "deviceidpk" || plain == "hierarchyauthorization" {
			return name != "uri"
		}
	}
	return false
}

func isConnectionName(name string) bool { return strings.Contains(plainName(name), "connectionstring") }

// inText finds secrets inside of strings. The first group is the secret. All
// but the last are bounded by what ends a part of a connection string, a URI
// query or a token; credentials of a URL reach to the last @.
var inText = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(?:SharedAccessKey|AccountKey|SharedSecret)\s*=([^;]+)`),
	regexp.MustCompile(`(?i)[?&;\s]sig=([^&;]+)`),
	regexp.MustCompile(`(?i)pin-value\s*=([^&;?]+)`),
	regexp.MustCompile(`(?s)://(.*)@`),
}

// environment is "NAME=value", as in the Env list of createOptions.
var environment = regexp.MustCompile(`(?s)^([A-Za-z_][A-Za-z0-9_]*)=(.+)$`)

// secretsIn finds the secrets in a string of which nothing is known.
func secretsIn(text string) []span {
	var spans []span
	for _, pattern := range inText {
		spans = appendGroups(spans, pattern, text)
	}
	if match := environment.FindStringSubmatchIndex(text); match != nil && isSecretName(text[match[2]:match[3]]) {
		spans = append(spans, span{match[4], match[5]})
	}
	if looksLikeKey(text) {
		spans = append(spans, span{0, len(text)})
	}
	for _, match := range looseBase64.FindAllStringIndex(text, -1) {
		// Without padding it may be a path.
		if text[match[1]-1] == '=' && looksLikeKey(text[match[0]:match[1]]) {
			spans = append(spans, span{match[0], match[1]})
		}
	}
	return spans
}

func appendGroups(spans []span, pattern *regexp.Regexp, text string) []span {
	for _, match := range pattern.FindAllStringSubmatchIndex(text, -1) {
		if match[2] < match[3] {
			spans = append(spans, span{match[2], match[3]})
		}
	}
	return spans
}

// looksLikeKey tells whether text is the base64 of 16 to 64 bytes, which is
// what symmetric keys are. Without padding it must mix cases and digits, as
// long words and paths do not.
func looksLikeKey(text string) bool {
	bare := strings.TrimRight(text, "=")
	raw, err := base64.RawStdEncoding.DecodeString(bare)
	if err != nil || len(raw) < 16 || len(raw) > 64 {
		return false
	}
	return len(bare) < len(text) ||
		strings.ContainsAny(bare, "0123456789") && strings.ToLower(bare) != bare && strings.ToUpper(bare) != bare
}

// Patterns for text that is not read as TOML. They end at a quote, at white
// space or at the end of the line.
var (
	looseText = []*regexp.Regexp{
		regexp.MustCompile(`(?i)(?:SharedAccessKey|AccountKey|SharedSecret)\s*=\s*([^;"'\s]+)`),
		regexp.MustCompile(`(?i)\bsig=([^&;"'\s]+)`),
		regexp.MustCompile(`(?i)pin-value\s*=\s*([^&;?"'\s]+)`),
		regexp.MustCompile(`://([^"'\n]*)@`),
	}
	looseBase64 = regexp.MustCompile(`[A-Za-z0-9+/]{22,}={0,2}`)
	// looseAssignment is a name with what follows it: a string in triple or
	// single quotes, closed or not, or the rest of the line. An inline table is
	// left to the names in it.
	looseAssignment = regexp.MustCompile(`([A-Za-z0-9_][A-Za-z0-9_.-]*)["']?[ \t]*[=:][ \t]*(?:` +
		`"""((?s:.*?))(?:"""|\z)|'''((?s:.*?))(?:'''|\z)|` +
		`"((?:[^"\\\n]|\\[^\n])*)|'([^'\n]*)|([^\s{"'\[][^\n]*))`)
)

// boundedName is a name whose bare value looseText finds, with its end.
var boundedName = regexp.MustCompile(`(?i)^(?:SharedAccessKey|AccountKey|SharedSecret|pin-value)$`)

// maskedBefore is a bare value that Mask has been at, with a comment.
var maskedBefore = regexp.MustCompile(`^\*\*\*\s*(?:#.*)?$`)

// looseSecretsIn finds what may be a secret in text that is not TOML.
func looseSecretsIn(text string) []span {
	var spans []span
	for _, pattern := range looseText {
		spans = appendGroups(spans, pattern, text)
	}
	for _, match := range looseBase64.FindAllStringIndex(text, -1) {
		if looksLikeKey(text[match[0]:match[1]]) {
			spans = append(spans, span{match[0], match[1]})
		}
	}
	for at := 0; at < len(text); {
		match := looseAssignment.FindStringSubmatchIndex(text[at:])
		if match == nil {
			break
		}
		next := at + match[3] // names may stand in the value, as in prose or a connection string
		name := text[at+match[2] : at+match[3]]
		for group := 4; group < len(match); group += 2 {
			start, end := match[group], match[group+1]
			if start < 0 {
				continue
			}
			value := text[at+start : at+end]
			if maskedBefore.MatchString(value) || group == len(match)-2 && boundedName.MatchString(name) {
				continue
			}
			if isSecretName(name[strings.LastIndexByte(name, '.')+1:]) || isConnectionName(name) && len(secretsIn(value)) == 0 {
				spans = append(spans, span{at + start, at + end})
				next = at + end
			}
		}
		at = next
	}
	return spans
}
