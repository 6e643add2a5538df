package app

import (
	"fmt"
	"strconv"
	"strings"

	"edgewright/provisioning"
)

// ReadMintRange reads a range of devices such as line-7-{0001..0500}: one pair
// of braces with two numbers, the first of which says how wide they are written.
// Group, Edge CA and days of all of them are those of like.
func ReadMintRange(pattern string, like MintRow) ([]MintRow, error) {
	before, rest, open := strings.Cut(pattern, "{")
	inner, after, closed := strings.Cut(rest, "}")
	from, to, two := strings.Cut(inner, "..")
	if !open || !closed || !two || strings.ContainsAny(before+after, "{}") {
		return nil, invalidRange(fmt.Sprintf("The range %q has no part such as {0001..0500}.", pattern))
	}
	first, err := rangeNumber(from)
	if err != nil {
		return nil, err
	}
	last, err := rangeNumber(to)
	if err != nil {
		return nil, err
	}
	switch {
	case last < first:
		return nil, invalidRange(fmt.Sprintf("The range ends at %s, before it begins at %s.", to, from))
	case last-first >= maxMinted:
		return nil, invalidRange(fmt.Sprintf("The range has more than %d devices.", maxMinted))
	case len(from) > 1 && from[0] == '0' && len(to) != len(from):
		return nil, invalidRange(fmt.Sprintf("The numbers %s and %s are not of one width.", from, to))
	}
	if like.Days == 0 {
		like.Days = defaultMintDays
	}
	rows := make([]MintRow, 0, last-first+1)
	for n := first; n <= last; n++ {
		row := like
		row.Line, row.ID = n-first+1, fmt.Sprintf("%s%0*d%s", before, len(from), n, after)
		if err := provisioning.CheckDeviceID(row.ID, mintCell); err != nil {
			return nil, invalidRange(sentence(err))
		}
		rows = append(rows, row)
	}
	for column, value := range map[string]string{"group": like.Group, "hostname": like.Hostname, "days": strconv.Itoa(like.Days)} {
		if problem, fix := (&MintRow{}).set(column, value); problem != "" {
			return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: problem, Hint: fix}
		}
	}
	return rows, nil
}

// maxRangeDigits keeps the numbers of a range far from overflow.
const maxRangeDigits = 9

func rangeNumber(text string) (int, error) {
	if text == "" || len(text) > maxRangeDigits || strings.Trim(text, "0123456789") != "" {
		return 0, invalidRange(fmt.Sprintf("%q is no number of 1 to %d digits.", text, maxRangeDigits))
	}
	return strconv.Atoi(text)
}

func invalidRange(message string) error {
	return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: message, Hint: "Write a range such as line-7-{0001..0500}."}
}
