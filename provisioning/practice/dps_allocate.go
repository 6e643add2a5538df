package practice

import (
	"hash/fnv"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"edgewright/provisioning/wire"
)

// Values of allocationPolicy.
const (
	allocateHashed     = "hashed"
	allocateGeoLatency = "geoLatency"
	allocateStatic     = "static"
	allocateCustom     = "custom"
)

// completeAllocation checks how an enrollment's devices get their hub.
func (c *Cloud) completeAllocation(e enrollment) *refusal {
	switch *e.allocation {
	case "", allocateHashed, allocateStatic, allocateGeoLatency:
	case allocateCustom:
		given := *e.custom
		switch {
		case given == nil || given.WebhookURL == "" || given.APIVersion == "":
			return badRequest("allocationPolicy custom needs customAllocationDefinition with webhookUrl and apiVersion.")
		case !c.mayCall(given.WebhookURL):
			return badRequest("customAllocationDefinition.webhookUrl is not an address of this computer, such as http://127.0.0.1:7071/api/allocate; the practice cloud calls no other unless it listens anywhere.")
		}
	default:
		return badRequest("allocationPolicy is hashed, geoLatency, static or custom.")
	}
	for _, host := range append(slices.Clone(*e.hubs), *e.hubHost) {
		if _, known := c.settings().hubByHost(host); host != "" && !known {
			return badRequest("iotHubs and iotHubHostName name hubs of the practice cloud only; " + wire.CleanMessage(host) + " is none.")
		}
	}
	return nil
}

// mayCall tells whether a webhook's URL stays on this computer, or may leave it.
func (c *Cloud) mayCall(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return false
	}
	if c.anywhere || strings.EqualFold(u.Hostname(), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}

// linkedHubs are the labels of the hubs that an enrollment's devices may get,
// never none.
func (s *settings) linkedHubs(e enrollment) []string {
	hosts := slices.Clone(*e.hubs)
	if *e.hubHost != "" {
		hosts = []string{*e.hubHost}
	}
	labels := make([]string, 0, len(hosts))
	for _, host := range hosts {
		if label, known := s.hubByHost(host); known && !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		return s.Hubs
	}
	return labels
}

// allocate picks a hub for all policies but custom. static takes the first of
// the list. Hashing gives hubs of equal weight equal chances; geoLatency does the
// same, as the service hashes over hubs of the same latency, which all hubs on
// one computer have.
//
// https://learn.microsoft.com/azure/iot-dps/how-to-use-allocation-policies
func (c *Cloud) allocate(id string, e enrollment) string {
	labels := c.settings().linkedHubs(e)
	if *e.allocation == allocateStatic {
		return labels[0]
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id)) // never fails
	return labels[int(hash.Sum32()%uint32(len(labels)))]
}
