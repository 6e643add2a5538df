package practice

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"edgewright/provisioning/practice/query"
	"edgewright/provisioning/wire"
)

// configuration is an automatic configuration of devices, of modules, or an
// edge deployment, as stored. It is replaced, never changed in place, but for
// what is not stored.
type configuration struct {
	ID, SchemaVersion string
	Labels            map[string]string `json:",omitempty"`
	Content           configurationContent
	TargetCondition   string
	Priority          int
	Metrics           map[string]string `json:",omitempty"` // queries by name
	Created, Updated  time.Time
	ETag              uint64
	// Made tells it from others of the same ID, and which of two is newer.
	Made int64

	parsed   parsedContent
	audience *query.Query // nil targets nothing
	metrics  map[string]*query.Query
	results  map[string]int64 // of metrics, from the last time they were measured
}

// prepare parses what is stored as text.
func (c *configuration) prepare() *identityError {
	var refused *identityError
	if c.parsed, refused = c.Content.parse(); refused != nil {
		return refused
	}
	audience, err := parseCondition(c.TargetCondition)
	if err == nil && audience != nil && (audience.Source == query.Modules) != (c.parsed.kind == configureModules) {
		err = errWrongSource
	}
	if err != nil {
		return &identityError{"InvalidConfigurationTargetCondition", err.Error()}
	}
	c.audience = audience
	c.metrics = map[string]*query.Query{}
	for name, text := range c.Metrics {
		if c.metrics[name], err = query.Parse(text); err != nil {
			return &identityError{"InvalidConfigurationCustomMetricsQuery", wire.CleanMessage(name) + ": " + err.Error()}
		}
	}
	return nil
}

// targets tells whether the target condition holds for a twin. Edge
// deployments are for edge devices only, and modules of the runtime are no
// targets of module configurations (assumed).
func (c *configuration) targets(document *twinDocument) bool {
	switch {
	case c.audience == nil:
		return false
	case c.parsed.kind == configureEdge && !document.d.Identity.IsEdge():
		return false
	}
	return c.audience.Matches(document)
}

// configurationMetrics are queries with their results.
type configurationMetrics struct {
	Results map[string]int64  `json:"results"`
	Queries map[string]string `json:"queries"`
}

// wireConfiguration is a configuration in requests and answers.
type wireConfiguration struct {
	ID                 string                `json:"id"`
	SchemaVersion      string                `json:"schemaVersion,omitempty"`
	Labels             map[string]string     `json:"labels,omitempty"`
	Content            *configurationContent `json:"content,omitempty"`
	TargetCondition    string                `json:"targetCondition"`
	CreatedTimeUTC     *wire.Time            `json:"createdTimeUtc,omitempty"`
	LastUpdatedTimeUTC *wire.Time            `json:"lastUpdatedTimeUtc,omitempty"`
	Priority           int                   `json:"priority"`
	SystemMetrics      *configurationMetrics `json:"systemMetrics,omitempty"`
	Metrics            *configurationMetrics `json:"metrics,omitempty"`
	ETag               string                `json:"etag,omitempty"`
}

// shownConfiguration is the configuration with its metrics.
func (h *hub) shownConfiguration(c *configuration) wireConfiguration {
	shown := wireConfiguration{ID: c.ID, SchemaVersion: c.SchemaVersion, Labels: c.Labels, Content: &c.Content,
		TargetCondition: c.TargetCondition, Priority: c.Priority, CreatedTimeUTC: wire.At(c.Created), LastUpdatedTimeUTC: wire.At(c.Updated),
		SystemMetrics: h.systemMetrics(c), ETag: encodeETag(c.ETag),
		Metrics: &configurationMetrics{Results: map[string]int64{}, Queries: map[string]string{}}}
	for name, text := range c.Metrics {
		shown.Metrics.Queries[name] = text
		shown.Metrics.Results[name] = c.results[name]
	}
	return shown
}

// systemMetrics gives the counts with the queries that give them.
//
// https://learn.microsoft.com/azure/iot-edge/how-to-monitor-iot-edge-deployments
func (h *hub) systemMetrics(c *configuration) *configurationMetrics {
	counts := h.counts(c)
	results := map[string]int64{"targetedCount": counts.targeted, "appliedCount": counts.applied}
	own := "configurations.[[" + c.ID + "]].status = 'Applied'"
	queries := map[string]string{}
	switch c.parsed.kind {
	case configureDevices:
		queries["targetedCount"] = "SELECT deviceId FROM devices" + whereOf(c.TargetCondition)
		queries["appliedCount"] = "SELECT deviceId FROM devices WHERE " + own
	case configureModules:
		queries["targetedCount"] = "SELECT deviceId, moduleId " + c.TargetCondition
		queries["appliedCount"] = "SELECT deviceId, moduleId FROM devices.modules WHERE " + own
	case configureEdge:
		results["reportedSuccessfulCount"], results["reportedFailedCount"] = counts.succeeded, counts.failed
		edge := " WHERE capabilities.iotEdge = true"
		if where := whereOf(c.TargetCondition); where != "" {
			edge += " AND (" + strings.TrimPrefix(where, " WHERE ") + ")"
		}
		agent := "SELECT deviceId FROM devices.modules WHERE moduleId = '$edgeAgent' AND " + own
		reported := agent + " AND properties.desired.$version = properties.reported.lastDesiredVersion AND properties.reported.lastDesiredStatus.code "
		queries["targetedCount"] = "SELECT deviceId FROM devices" + edge
		queries["appliedCount"] = agent
		queries["reportedSuccessfulCount"], queries["reportedFailedCount"] = reported+"= 200", reported+"!= 200"
	}
	if c.audience == nil {
		delete(queries, "targetedCount")
	}
	return &configurationMetrics{results, queries}
}

// whereOf is a target condition over devices as the end of a query.
func whereOf(condition string) string {
	if condition = strings.TrimSpace(condition); condition == "" || condition == allDevices {
		return ""
	}
	return " WHERE " + condition
}

// byPriority orders configurations from the lowest priority to the highest; of
// two with the same the newer one is the higher.
func byPriority(a, b *configuration) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Made, b.Made))
}

// setConfiguration makes a configuration known, or with nil forgets it.
func (h *hub) setConfiguration(id string, c *configuration) {
	delete(h.configurations, id)
	h.ranked = slices.DeleteFunc(slices.Clone(h.ranked), func(old *configuration) bool { return old.ID == id })
	if c == nil {
		return
	}
	h.configurations[id] = c
	at, _ := slices.BinarySearchFunc(h.ranked, c, byPriority)
	h.ranked = slices.Insert(h.ranked, at, c)
}

// takeConfiguration reads a stored one.
func (h *hub) takeConfiguration(plain []byte) error {
	c := &configuration{}
	if err := json.Unmarshal(plain, c); err != nil {
		return err
	}
	if refused := c.prepare(); refused != nil {
		return errors.New(refused.text)
	}
	h.setConfiguration(c.ID, c)
	return nil
}
