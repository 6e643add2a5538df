package practice

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"edgewright/provisioning/practice/query"
	"edgewright/provisioning/wire"
)

// How many configurations a hub has: the free tier less than the others.
const (
	maxConfigurations     = 100
	maxFreeConfigurations = 20
)

// configurationID is what an ID may be.
var configurationID = regexp.MustCompile(`^[a-z0-9\-+%_*!']{1,128}$`)

func (x *exchange) configurationNotFound() answer {
	return x.hubError("ConfigurationNotFound", "The configuration "+wire.CleanMessage(x.vars["id"])+" does not exist.")
}

// listConfigurations gives the newest first (assumed); top outside 1 to 100
// counts as 100 (assumed). That configurations take the rights of the registry
// is assumed: the SDKs have them in the registry manager.
func (x *exchange) listConfigurations() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	top, err := strconv.Atoi(x.r.URL.Query().Get("top"))
	if err != nil || top < 1 || top > maxConfigurations {
		top = maxConfigurations
	}
	x.measure()
	all := slices.Clone(x.hub.ranked)
	slices.SortFunc(all, func(a, b *configuration) int { return int(b.Made - a.Made) })
	list := []wireConfiguration{}
	for _, c := range all[:min(top, len(all))] {
		list = append(list, x.hub.shownConfiguration(c))
	}
	return x.json(http.StatusOK, list)
}

func (x *exchange) getConfiguration() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	c := x.hub.configurations[x.vars["id"]]
	if c == nil {
		return x.configurationNotFound()
	}
	x.measure()
	return x.json(http.StatusOK, x.hub.shownConfiguration(c))
}

// putConfiguration creates without If-Match and updates with it. An update
// keeps the content, whatever the body says.
func (x *exchange) putConfiguration() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	id := x.vars["id"]
	var given wireConfiguration
	if a := x.decode(&given); a != nil {
		return *a
	}
	match, there := x.r.Header.Get("If-Match"), x.hub.configurations[id]
	switch {
	case given.ID != "" && given.ID != id:
		return x.hubError("ArgumentInvalid", "id of the body is not that of the path.")
	case match == "" && there != nil:
		return x.hubError("ConfigurationAlreadyExists", "The configuration "+id+" exists.")
	case match != "" && there == nil:
		return x.configurationNotFound()
	case match != "" && !configurationMatches(match, there):
		return x.hubError("PreconditionFailed", "The etag is not the configuration's; it is sent in quotes.")
	}
	if refused := x.writeConfiguration(id, given, there); refused != nil {
		return x.hubError(refused.name, refused.text)
	}
	return x.json(http.StatusOK, x.hub.shownConfiguration(x.hub.configurations[id]))
}

// writeConfiguration makes a configuration, or updates there, by what a caller
// gave, and begins to roll it out. The caller has checked the etag.
func (t *transaction) writeConfiguration(id string, given wireConfiguration, there *configuration) *identityError {
	switch {
	case !configurationID.MatchString(id):
		return invalid("the ID of a configuration has 1 to 128 small letters, digits and - + %% _ * ! '")
	case there == nil && len(t.hub.configurations) >= t.configurationLimit():
		return &identityError{"ConfigurationCountLimitExceeded", "The hub has " + strconv.Itoa(t.configurationLimit()) + " configurations."}
	}
	next, refused := t.writtenConfiguration(given, there)
	if refused != nil {
		return refused
	}
	next.ID = id
	t.hub.setConfiguration(id, next)
	t.store(configurationKey(t.hub, id), next)
	t.configurationsChanged()
	return nil
}

func (t *transaction) configurationLimit() int {
	if t.c.Limits().SKU == "F1" {
		return maxFreeConfigurations
	}
	return maxConfigurations
}

// configurationMatches compares If-Match. Unlike those of identities, an etag
// counts in quotes only.
func configurationMatches(match string, c *configuration) bool {
	match = strings.TrimSpace(match)
	return match == "*" || match == `"*"` || match == `"`+encodeETag(c.ETag)+`"`
}

// writtenConfiguration makes the configuration that a caller gave.
func (t *transaction) writtenConfiguration(given wireConfiguration, there *configuration) (*configuration, *identityError) {
	if given.Content == nil {
		return nil, badContent("content is missing")
	}
	if given.Priority < 0 {
		return nil, invalid("priority is negative")
	}
	next := &configuration{SchemaVersion: given.SchemaVersion, Labels: given.Labels, Content: *given.Content, TargetCondition: given.TargetCondition,
		Priority: given.Priority, Updated: t.now}
	if given.Metrics != nil {
		next.Metrics = given.Metrics.Queries
	}
	if there != nil {
		next.Content, next.Created, next.Made, next.ETag = there.Content, there.Created, there.Made, there.ETag+1
	} else {
		next.Created, next.Made, next.ETag = t.now, t.c.state.ticks(t.now), 1
	}
	if next.SchemaVersion == "" {
		next.SchemaVersion = "1.0" // assumed; the SDKs send it
	}
	return next, next.prepare()
}

func (x *exchange) deleteConfiguration() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	c, match := x.hub.configurations[x.vars["id"]], x.r.Header.Get("If-Match")
	switch {
	case c == nil:
		return x.configurationNotFound()
	case match != "" && !configurationMatches(match, c):
		return x.hubError("PreconditionFailed", "The etag is not the configuration's; it is sent in quotes.")
	}
	x.removeConfiguration(c)
	return x.noContent()
}

func (t *transaction) removeConfiguration(c *configuration) {
	t.hub.setConfiguration(c.ID, nil)
	t.store(configurationKey(t.hub, c.ID), nil)
	t.configurationsChanged()
}

// testQueries tells what is wrong with a target condition and queries of
// metrics. Unlike a configuration it does not take *.
func (x *exchange) testQueries() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	var given struct {
		TargetCondition     string            `json:"targetCondition"`
		CustomMetricQueries map[string]string `json:"customMetricQueries"`
	}
	if a := x.decode(&given); a != nil {
		return *a
	}
	var result struct {
		TargetConditionError    string            `json:"targetConditionError,omitempty"`
		CustomMetricQueryErrors map[string]string `json:"customMetricQueryErrors"`
	}
	result.CustomMetricQueryErrors = map[string]string{}
	if strings.TrimSpace(given.TargetCondition) == allDevices {
		result.TargetConditionError = "* is no condition"
	} else if _, err := parseCondition(given.TargetCondition); err != nil {
		result.TargetConditionError = err.Error()
	}
	for name, text := range given.CustomMetricQueries {
		if _, err := query.Parse(text); err != nil {
			result.CustomMetricQueryErrors[name] = err.Error()
		}
	}
	return x.json(http.StatusOK, result)
}

// applyConfiguration sets the modules of one edge device: their desired
// properties, and the identities of those that are to run. The deployments that
// target the device stay, and write again when others apply (assumed).
func (x *exchange) applyConfiguration() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	d := x.hub.devices[x.vars["device"]]
	if d == nil {
		return *x.deviceNotFound(x.vars["device"])
	}
	var given configurationContent
	if a := x.decode(&given); a != nil {
		return *a
	}
	parsed, refused := given.parse()
	switch {
	case refused != nil:
		return x.hubError(refused.name, refused.text)
	case !d.Identity.IsEdge():
		return x.hubError("ArgumentInvalid", "The device is no edge device.")
	case parsed.kind != configureEdge || parsed.modules["$edgeAgent"] == nil:
		return x.hubError("InvalidConfigurationContent", "modulesContent with $edgeAgent is missing.")
	}
	// Nothing is kept of content that breaks a limit.
	for id, all := range parsed.modules {
		var before object
		if m := d.modules[id]; m != nil {
			before = m.Twin.Desired
		}
		next := before.decoded()
		for _, a := range all {
			next = assign(next, a)
		}
		if _, refused := mergeWithin(desiredPath, maxPropertiesSize, nil, next); refused != nil {
			return x.hubError("InvalidConfigurationContent", refused.text)
		}
	}
	if refused := x.deployModules(d, parsed.modules); refused != nil {
		return x.hubError(refused.name, refused.text)
	}
	return x.noContent()
}
