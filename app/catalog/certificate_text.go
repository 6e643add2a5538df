package catalog

import (
	"fmt"
	"strings"
)

// minHex is from how many digits on a word is looked for among serial numbers and
// thumbprints.
const minHex = 3

// certificateText is the condition for a text that is searched, "" for none. Words
// of three characters or more go through a trigram index of subject, device and
// profile; one that is of hexadecimal digits may as well begin a serial number or
// a thumbprint, each of which has an index of its own.
func certificateText(typed string) (where string, args []any) {
	text := words(typed)
	if digits, ok := pastedThumbprint(typed); ok {
		text = searchWords{long: []string{digits}}
	}
	if len(text.long) > 0 {
		hits := fmt.Sprintf("SELECT * FROM (SELECT rowid FROM certificate_text WHERE certificate_text MATCH ? LIMIT %d)", hitLimit)
		args = append(args, text.match())
		for i, word := range text.long {
			digits, ok := hexDigits(word)
			if !ok || len(digits) < minHex {
				continue
			}
			others, otherArgs := "", []any(nil)
			for k, other := range text.long {
				if k != i {
					others += ` AND subject || char(10) || device_id || char(10) || profile LIKE ? ESCAPE '\'`
					otherArgs = append(otherArgs, likePattern(other))
				}
			}
			for _, column := range []string{"sha256", "sha1", "serial"} {
				// "G" comes behind all digits.
				hits += fmt.Sprintf(" UNION ALL SELECT * FROM (SELECT number FROM certificate WHERE %s >= ? AND %s < ? || 'G'%s LIMIT %d)", column, column, others, hitLimit)
				args = append(append(args, digits, digits), otherArgs...)
			}
		}
		where = and(where, "number IN ("+hits+")")
	}
	if text.prefix != "" {
		where = and(where, "subject COLLATE NOCASE >= ? AND subject COLLATE NOCASE < ?")
		args = append(args, text.prefix, text.prefix+"\U0010ffff")
	}
	for _, word := range text.short {
		where = and(where, `(subject LIKE ? ESCAPE '\' OR device_id LIKE ? ESCAPE '\')`)
		args = append(args, likePattern(word), likePattern(word))
	}
	return where, args
}

// hexDigits are the digits of a word as the catalog writes them, also of one with
// colons between them, as openssl prints thumbprints.
func hexDigits(word string) (digits string, ok bool) {
	digits = strings.ToUpper(strings.ReplaceAll(word, ":", ""))
	return digits, digits != "" && strings.Trim(digits, "0123456789ABCDEF") == ""
}

// pastedThumbprint is a whole SHA-1 or SHA-256 thumbprint, also with blanks
// between its digits, as Windows shows them.
func pastedThumbprint(typed string) (digits string, ok bool) {
	digits, ok = hexDigits(strings.Join(strings.Fields(typed), ""))
	return digits, ok && (len(digits) == 40 || len(digits) == 64)
}
