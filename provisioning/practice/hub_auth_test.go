package practice

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

func TestPolicyRights(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	calls := map[string]call{
		"read":  {method: "GET", path: "/devices/d"},
		"list":  {method: "GET", path: "/devices"},
		"mods":  {method: "GET", path: "/devices/d/modules"},
		"write": {method: "PUT", path: "/devices/d", body: "{}", header: map[string]string{"If-Match": "*"}},
		"twin":  {method: "GET", path: "/twins/d"},
		"tags":  {method: "PATCH", path: "/twins/d", body: "{}"},
		"send":  {method: "POST", path: "/devices/d/messages/events"},
	}
	allowed := map[string]string{
		"iothubowner":       "read list mods write twin tags send",
		"service":           "twin tags",
		"device":            "send",
		"registryRead":      "read list mods",
		"registryReadWrite": "read list mods write",
	}
	for policy, can := range allowed {
		for name, c := range calls {
			c.auth = b.policyToken(policy)
			r := b.do(c)
			if got, want := r.status < 300, strings.Contains(can, name); got != want {
				t.Errorf("%s %s: %d, allowed should be %v", policy, name, r.status, want)
			}
			if r.status >= 300 {
				b.want(r, 401, "IotHubUnauthorizedAccess")
			}
		}
	}
}

// sign writes a token as other clients do: members in any order, the resource
// encoded or not.
func sign(key secret.Value, sr, skn string, se int64, order string) string {
	mac := hmac.New(sha256.New, key.Reveal())
	mac.Write([]byte(sr + "\n" + strconv.FormatInt(se, 10)))
	member := map[byte]string{'r': "sr=" + sr, 's': "sig=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))),
		'e': "se=" + strconv.FormatInt(se, 10), 'n': "skn=" + skn}
	var parts []string
	for i := range len(order) {
		parts = append(parts, member[order[i]])
	}
	return "SharedAccessSignature " + strings.Join(parts, "&")
}

func TestTokensAreVerified(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2"}})
	d := b.makeDevice("Dev-1", true)
	other := b.makeDevice("other", false)
	host, se := b.Info().HubHost, b.clock.Now().Add(time.Minute).Unix()
	bare := "hub.practice.test"
	pair := d.Authentication.SymmetricKey
	owner := b.chosen.Load().HubKeys["hub"][policyHubOwner]
	foreign := b.chosen.Load().HubKeys["line2"][policyHubOwner]
	primary := pair.PrimaryKey.Secret()
	for _, test := range []struct {
		name, auth string
		ok         bool
	}{
		{"primary, plain", sign(primary, host+"/devices/Dev-1", "", se, "rse"), true},
		{"secondary", sign(pair.SecondaryKey.Secret(), host+"/devices/Dev-1", "", se, "rse"), true},
		{"encoded", sign(primary, url.QueryEscape(host+"/devices/Dev-1"), "", se, "rse"), true},
		{"encoded in lower case", sign(primary, strings.ToLower(url.QueryEscape(host+"/devices/Dev-1")), "", se, "esr"), true},
		{"lower case as identityd", sign(primary, bare+"/devices/dev-1", "", se, "rse"), true},
		{"other order", sign(primary, host+"/devices/Dev-1", "", se, "esr"), true},
		{"policy with port", sign(owner.PrimaryKey.Secret(), host, policyHubOwner, se, "rsen"), true},
		{"policy without port", sign(owner.SecondaryKey.Secret(), bare, policyHubOwner, se, "rsne"), true},
		{"policy for the device", sign(owner.PrimaryKey.Secret(), host+"/devices/Dev-1", policyHubOwner, se, "rsen"), true},
		{"none", "", false},
		{"bearer", "Bearer x.y.z", false},
		{"expired", sign(primary, host+"/devices/Dev-1", "", se-120, "rse"), false},
		{"other device's key", sign(other.Authentication.SymmetricKey.PrimaryKey.Secret(), host+"/devices/Dev-1", "", se, "rse"), false},
		{"other device", sign(other.Authentication.SymmetricKey.PrimaryKey.Secret(), host+"/devices/other", "", se, "rse"), false},
		{"prefix that is no segment", sign(primary, host+"/devices/Dev", "", se, "rse"), false},
		{"device key for the whole hub", sign(primary, host, "", se, "rse"), false},
		{"device key for all devices", sign(primary, host+"/devices", "", se, "rse"), false},
		{"device key with a policy's name", sign(primary, host+"/devices/Dev-1", policyHubOwner, se, "rsen"), false},
		{"policy key without its name", sign(owner.PrimaryKey.Secret(), host, "", se, "rse"), false},
		{"policy of another hub", sign(foreign.PrimaryKey.Secret(), host, policyHubOwner, se, "rsen"), false},
		{"host of another hub", sign(owner.PrimaryKey.Secret(), "line2.practice.test", policyHubOwner, se, "rsen"), false},
		{"policy for another device", sign(owner.PrimaryKey.Secret(), host+"/devices/other", policyHubOwner, se, "rsen"), false},
		{"unknown policy", sign(owner.PrimaryKey.Secret(), host, "owner", se, "rsen"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := b.do(call{method: "GET", path: "/devices/Dev-1/modules", auth: test.auth})
			if test.ok {
				b.want(r, 200, "")
				return
			}
			b.want(r, 401, "IotHubUnauthorizedAccess")
		})
	}
	// A device reads neither its identity nor its twin over HTTPS.
	b.want(b.do(call{method: "GET", path: "/devices/Dev-1", auth: b.deviceToken(d)}), 401, "IotHubUnauthorizedAccess")
	b.want(b.do(call{method: "GET", path: "/twins/Dev-1", auth: b.deviceToken(d)}), 401, "IotHubUnauthorizedAccess")
}

func TestDisabledOrMissingDeviceIs401(t *testing.T) {
	b := open(t, Options{})
	_, k := key(5, 32)
	body := `{"authentication":{"symmetricKey":{"primaryKey":"` + k + `","secondaryKey":"` + k + `"}},"status":"`
	d := into[wire.Device](t, b.want(b.hubDo("PUT", "/devices/d", body+`enabled"}`), 200, ""))
	events := call{method: "POST", path: "/devices/d/messages/events", auth: b.deviceToken(d)}
	b.want(b.do(events), 204, "")
	b.want(b.hubDo("PUT", "/devices/d", body+`disabled"}`, "If-Match", "*"), 200, "")
	b.want(b.do(events), 401, "IotHubUnauthorizedAccess")
	b.want(b.do(call{method: "GET", path: "/devices/d/modules", auth: b.deviceToken(d)}), 401, "IotHubUnauthorizedAccess")
	b.want(b.hubDo("GET", "/devices/d/modules", ""), 401, "IotHubUnauthorizedAccess")
	b.want(b.hubDo("GET", "/devices/none/modules", ""), 401, "IotHubUnauthorizedAccess")
	b.want(b.hubDo("GET", "/devices/d", ""), 200, "")
}

// the calls of the device's identity service, in its order and form
func TestIdentityServiceManagesModules(t *testing.T) {
	b := open(t, Options{})
	d := b.makeDevice("edge", true)
	auth := sign(d.Authentication.SymmetricKey.PrimaryKey.Secret(), "hub.practice.test/devices/edge", "", b.clock.Now().Add(30*time.Second).Unix(), "rse")
	do := func(method, path, body, match string) reply {
		return b.do(call{method: method, path: path + "?api-version=2017-11-08-preview", body: body, auth: auth, header: map[string]string{"If-Match": match}})
	}
	if list := into[[]wire.Module](t, b.want(do("GET", "/devices/edge/modules", "", ""), 200, "")); len(list) != 2 || list[0].GenerationID == "" {
		t.Errorf("list %+v", list)
	}
	made := into[wire.Module](t, b.want(do("PUT", "/devices/edge/modules/temp", `{"moduleId":"temp","deviceId":"edge","managedBy":"iotEdge"}`, ""), 200, ""))
	if made.GenerationID == "" || made.ManagedBy != "iotEdge" || made.Authentication.Type != "sas" {
		t.Errorf("made %+v", made)
	}
	b.want(do("PUT", "/devices/edge/modules/temp", `{"moduleId":"temp","deviceId":"edge"}`, ""), 409, "ModuleAlreadyExistsOnDevice")
	_, k := key(7, 32)
	sas := `{"moduleId":"ID","deviceId":"edge","managedBy":"iotEdge","authentication":{"type":"sas","symmetricKey":{"primaryKey":"` + k + `","secondaryKey":"` + k + `"}}}`
	for _, id := range []string{"temp", "$edgeAgent", "$edgeHub"} {
		m := into[wire.Module](t, b.want(do("PUT", "/devices/edge/modules/"+wire.EscapeSegment(id), strings.ReplaceAll(sas, "ID", id), "*"), 200, ""))
		if m.Authentication.SymmetricKey.PrimaryKey.Secret().RevealBase64() != k {
			t.Errorf("%s has other keys", id)
		}
	}
	if m := into[wire.Module](t, b.want(do("PUT", "/devices/edge/modules/temp", `{"authentication":{"type":"none"}}`, "*"), 200, "")); m.Authentication.Type != "sas" || m.ManagedBy != "" {
		t.Errorf("none became %+v", m)
	}
	x509 := `{"authentication":{"type":"x509","x509Thumbprint":{"primaryThumbprint":"` + strings.Repeat("ab", 32) + `"}}}`
	if m := into[wire.Module](t, b.want(do("PUT", "/devices/edge/modules/temp", x509, "*"), 200, "")); m.Authentication.Type != "x509" {
		t.Errorf("identityd cannot read type %s", m.Authentication.Type)
	}
	if m := into[wire.Module](t, b.want(b.hubDo("GET", "/devices/edge/modules/temp", ""), 200, "")); m.Authentication.Type != "selfSigned" {
		t.Errorf("the service plane shows type %s", m.Authentication.Type)
	}
	b.want(do("PUT", "/devices/edge/modules/$mine", `{}`, ""), 400, "ArgumentInvalid")
	b.want(do("PUT", "/devices/edge/modules/none", `{}`, "*"), 404, "ModuleNotFound")
	b.want(do("GET", "/devices/edge/modules/none", "", ""), 404, "ModuleNotFound")
	b.want(do("DELETE", "/devices/edge/modules/temp", "", ""), 412, "PreconditionFailed")
	b.want(do("DELETE", "/devices/edge/modules/temp", "", "MQ=="), 412, "PreconditionFailed")
	b.want(do("DELETE", "/devices/edge/modules/temp", "", "*"), 204, "")
	b.want(do("DELETE", "/devices/edge/modules/temp", "", "*"), 404, "ModuleNotFound")
	b.want(do("DELETE", "/devices/edge/modules/$edgeHub", "", "*"), 400, "ArgumentInvalid")
	for i := range maxModules {
		b.want(do("PUT", "/devices/edge/modules/m"+strconv.Itoa(i), `{}`, ""), 200, "")
	}
	b.want(do("PUT", "/devices/edge/modules/more", `{}`, ""), 413, "TooManyModulesOnDevice")

	// All of it survives, and goes with the device.
	c := b.reopened()
	if list := into[[]wire.Module](t, c.hubDo("GET", "/devices/edge/modules", "")); len(list) != maxModules+2 {
		t.Errorf("%d modules after a restart", len(list))
	}
	c.want(c.hubDo("DELETE", "/devices/edge", "", "If-Match", "*"), 204, "")
	c = c.reopened()
	c.makeDevice("edge", false)
	if r := c.hubDo("GET", "/devices/edge/modules", ""); r.body != "[]" {
		t.Errorf("modules outlived their device: %s", r.body)
	}
}

func TestHubsAreApart(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2", "line3.practice.test"}})
	b.makeDevice("d", false)
	if hosts := b.Info().Hubs; len(hosts) != 3 {
		t.Fatalf("hosts %v", hosts)
	}
	second := strings.Replace(b.Info().HubHost, "hub.", "line2.", 1)
	text := b.Info().Hubs[second]
	parsed, err := wire.ParseConnectionString(text.RevealString())
	if err != nil {
		t.Fatal(err)
	}
	auth := b.token(second, parsed.Key, policyHubOwner)
	b.want(b.do(call{method: "GET", path: "/devices/d", host: second, auth: auth}), 404, "DeviceNotFound")
	b.want(b.do(call{method: "GET", path: "/devices/d", auth: auth}), 401, "IotHubUnauthorizedAccess")
	b.want(b.do(call{method: "GET", path: "/devices/d", host: "nobody.practice.test", auth: auth}), 401, "IotHubNotFound")
	b.want(b.do(call{method: "GET", path: "/devices/d", host: "127.0.0.1:8443", auth: b.owner()}), 200, "")
}
