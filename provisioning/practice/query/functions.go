package query

import (
	"slices"
	"strings"
)

type function struct {
	arguments int
	apply     func(arguments []any) any
}

// functions by their names in lower case.
var functions = map[string]function{
	"is_defined":     {1, func(a []any) any { return a[0] != missing }},
	"is_null":        {1, func(a []any) any { return a[0] == nil }},
	"is_number":      {1, isA[float64]},
	"is_string":      {1, isA[string]},
	"is_bool":        {1, isA[bool]},
	"is_object":      {1, isObject},
	"array_contains": {2, arrayContains},
	"startswith":     {2, ofTexts(strings.HasPrefix)},
	"starts_with":    {2, ofTexts(strings.HasPrefix)},
	"endswith":       {2, ofTexts(strings.HasSuffix)},
	"ends_with":      {2, ofTexts(strings.HasSuffix)},
	"contains":       {2, ofTexts(strings.Contains)},
}

func isA[T any](a []any) any {
	_, ok := a[0].(T)
	return ok
}

func isObject(a []any) any {
	switch a[0].(type) {
	case map[string]any, Object:
		return true
	}
	return false
}

// arrayContains is missing where the first argument is no array.
func arrayContains(a []any) any {
	array, ok := a[0].([]any)
	if !ok || !isScalar(a[1]) {
		return missing
	}
	return slices.ContainsFunc(array, func(element any) bool { return isScalar(element) && element == a[1] })
}

// ofTexts makes a function of two texts; it is missing for other values.
func ofTexts(f func(text, part string) bool) func([]any) any {
	return func(a []any) any {
		text, first := a[0].(string)
		part, second := a[1].(string)
		if !first || !second {
			return missing
		}
		return f(text, part)
	}
}
