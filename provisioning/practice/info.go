package practice

import (
	"encoding/json"
	"path/filepath"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// Info is where the practice cloud is and what opens it. Hosts carry their
// port unless it is 443, as do the host names in connection strings.
type Info struct {
	HTTPS      string // address to dial, such as 127.0.0.1:8443
	MQTT       string // address reserved for MQTT
	CAFile     string // PEM file of the CA
	CAPEM      []byte // its content
	IDScope    string
	HubHost    string // the default hub
	DPSHost    string // DPS service plane
	GlobalHost string // DPS device plane
	// HubConnectionString is that of policy iothubowner of the default hub,
	// DPSConnectionString that of policy provisioningserviceowner.
	HubConnectionString secret.Value
	DPSConnectionString secret.Value
	// Hubs has the iothubowner connection string of every hub, by host.
	Hubs map[string]secret.Value
	// ARMToken is the Bearer token of the routes of Azure Resource Manager.
	ARMToken secret.Value
	// Names are all DNS names, without port.
	Names []string
}

// Info describes c; it needs no serving.
func (c *Cloud) Info() Info {
	s := c.settings()
	info := Info{HTTPS: s.HTTPS, MQTT: s.MQTT, CAFile: filepath.Join(c.dir, caFile), CAPEM: s.caPEM(), IDScope: s.IDScope,
		HubHost: s.withPort(defaultHub + "." + domain), DPSHost: s.withPort(dpsName), GlobalHost: s.withPort(globalName),
		Hubs: map[string]secret.Value{}, Names: s.names()}
	for _, hub := range s.Hubs {
		host := s.withPort(hub + "." + domain)
		info.Hubs[host] = serviceString(host, policyHubOwner, s.HubKeys[hub][policyHubOwner])
	}
	info.HubConnectionString = info.Hubs[info.HubHost]
	info.DPSConnectionString = serviceString(info.DPSHost, policyDPSOwner, s.DPSKey)
	info.ARMToken = secret.FromString(s.ARMToken.Secret().RevealBase64())
	return info
}

// PolicyConnectionString gives the connection string of a policy of a hub (a
// host of Info.Hubs), such as registryRead; false if there is none.
func (c *Cloud) PolicyConnectionString(host, policy string) (secret.Value, bool) {
	for hub, keys := range c.settings().HubKeys {
		if key, ok := keys[policy]; ok && c.settings().withPort(hub+"."+domain) == host {
			return serviceString(host, policy, key), true
		}
	}
	return secret.Value{}, false
}

func serviceString(host, policy string, keys wire.SymmetricKey) secret.Value {
	return wire.ConnectionString{HostName: host, PolicyName: policy, Key: keys.PrimaryKey.Secret()}.Text()
}

// MarshalJSON writes the members of `practice show` with masked keys.
func (i Info) MarshalJSON() ([]byte, error) { return i.JSON(false) }

// JSON writes the members of `practice show`, with keys if asked.
func (i Info) JSON(showSecrets bool) ([]byte, error) {
	shown := func(text secret.Value) string {
		if showSecrets {
			return text.RevealString()
		}
		return maskKey(text)
	}
	token := secret.Mask
	if showSecrets {
		token = i.ARMToken.RevealString()
	}
	return json.Marshal(struct {
		HTTPS               string `json:"https"`
		MQTT                string `json:"mqtt"`
		CAFile              string `json:"ca_file"`
		IDScope             string `json:"id_scope"`
		HubHost             string `json:"hub_host"`
		DPSHost             string `json:"dps_host"`
		GlobalHost          string `json:"global_host"`
		HubConnectionString string `json:"hub_connection_string"`
		DPSConnectionString string `json:"dps_connection_string"`
		ARMToken            string `json:"arm_token"`
	}{i.HTTPS, i.MQTT, i.CAFile, i.IDScope, i.HubHost, i.DPSHost, i.GlobalHost, shown(i.HubConnectionString), shown(i.DPSConnectionString), token})
}

// maskKey writes a connection string with its key masked.
func maskKey(text secret.Value) string {
	parsed, err := wire.ParseConnectionString(text.RevealString())
	if err != nil {
		return secret.Mask
	}
	parsed.Key = secret.Value{}
	return parsed.Text().RevealString() + ";SharedAccessKey=" + secret.Mask
}
