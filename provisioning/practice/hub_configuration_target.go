package practice

import (
	"errors"
	"strings"

	"edgewright/provisioning/practice/query"
)

// allDevices is the condition that holds for all devices.
const allDevices = "*"

var (
	errWrongSource = errors.New("the condition is about devices where modules are configured, or the other way round")
	errNoCondition = errors.New("only a condition may stand here, no columns, groups or TOP")
)

// parseCondition reads a target condition: what stands behind WHERE in a query
// over devices, FROM devices.modules with or without WHERE, or * for all
// devices. An empty one targets nothing and is nil.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-automatic-device-management
func parseCondition(condition string) (*query.Query, error) {
	condition = strings.TrimSpace(condition)
	text := "SELECT * FROM devices WHERE " + condition
	switch words := strings.Fields(strings.ToLower(condition)); {
	case len(words) == 0:
		return nil, nil
	case condition == allDevices:
		text = "SELECT * FROM devices"
	case words[0] == "from":
		text = "SELECT * " + condition
	}
	parsed, err := query.Parse(text)
	switch {
	case err != nil:
		return nil, err
	case !parsed.Whole() || parsed.Aggregated() || parsed.Top > 0 || parsed.Source == query.Jobs:
		return nil, errNoCondition
	}
	return parsed, nil
}
