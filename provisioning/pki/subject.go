package pki

import (
	"crypto/x509/pkix"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isPlain tells text that is shown as it is: UTF-8 without line breaks, control
// characters and marks that turn the direction of writing, and no blank at
// either end. Names go into tables, terminals and comparisons by eye.
func isPlain(text string) bool {
	return utf8.ValidString(text) && strings.TrimSpace(text) == text && !strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}

// checkSubject holds a name against the upper bounds of RFC 5280, A.1, which
// count characters.
func checkSubject(name pkix.Name) error {
	one := func(text string) []string {
		if text == "" {
			return nil
		}
		return []string{text}
	}
	if name.CommonName == "" || utf8.RuneCountInString(name.CommonName) > maxCommonName {
		return refuse("the common name has 1 to %d characters", maxCommonName)
	}
	for _, part := range []struct {
		what   string
		values []string
		most   int
	}{
		{"common name", one(name.CommonName), maxCommonName}, {"organization", name.Organization, 64}, {"organizational unit", name.OrganizationalUnit, 64},
		{"locality", name.Locality, 128}, {"state or province", name.Province, 128}, {"street", name.StreetAddress, 128}, {"postal code", name.PostalCode, 40},
		{"serial number of the subject", one(name.SerialNumber), 64},
	} {
		for _, value := range part.values {
			switch {
			case !isPlain(value):
				return refuse("the %s %q has a blank at an end or a character that does not print", part.what, shortened(value))
			case value == "" || utf8.RuneCountInString(value) > part.most:
				return refuse("the %s has 1 to %d characters", part.what, part.most)
			}
		}
	}
	for _, country := range name.Country {
		if len(country) != 2 || strings.ContainsFunc(country, func(c rune) bool { return c < 'A' || c > 'Z' }) {
			return refuse("the country %q is no code of two capital letters", shortened(country))
		}
	}
	return nil
}

// shortened keeps a name in an error to what a line holds.
func shortened(text string) string {
	if runes := []rune(text); len(runes) > 80 {
		return string(runes[:80]) + "..."
	}
	return text
}
