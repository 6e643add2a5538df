package practice

import (
	"net/http"

	"edgewright/provisioning/wire"
)

func (x *exchange) registryStatistics() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	var counted struct {
		Total    int `json:"totalDeviceCount"`
		Enabled  int `json:"enabledDeviceCount"`
		Disabled int `json:"disabledDeviceCount"`
	}
	for _, d := range x.hub.ordered {
		counted.Total++
		if d.Identity.Status == wire.StatusEnabled {
			counted.Enabled++
		} else {
			counted.Disabled++
		}
	}
	return x.json(http.StatusOK, counted)
}

// serviceStatistics is open to who may read the registry and to who may speak
// to devices: the SDKs offer it with both of their clients.
func (x *exchange) serviceStatistics() answer {
	if a := x.allow(registryRead | serviceConnect); a != nil {
		return *a
	}
	var counted struct {
		Connected int `json:"connectedDeviceCount"`
	}
	for _, d := range x.hub.ordered {
		if d.Identity.ConnectionState == wire.Connected {
			counted.Connected++
		}
	}
	return x.json(http.StatusOK, counted)
}
