package wire

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseConnectionStringKinds(t *testing.T) {
	cases := []struct {
		text string
		want ConnectionString
		kind Kind
		host string
		port int
	}{
		{"HostName=hub.example.net;SharedAccessKeyName=iothubowner;SharedAccessKey=" + testKeyText,
			ConnectionString{HostName: "hub.example.net", PolicyName: "iothubowner"}, KindService, "hub.example.net", 443},
		{"HostName=d.azure-devices-provisioning.net;SharedAccessKeyName=provisioningserviceowner;SharedAccessKey=" + testKeyText,
			ConnectionString{HostName: "d.azure-devices-provisioning.net", PolicyName: "provisioningserviceowner"}, KindService, "d.azure-devices-provisioning.net", 443},
		{"HostName=hub.practice.test:8443;DeviceId=d1;SharedAccessKey=" + testKeyText,
			ConnectionString{HostName: "hub.practice.test:8443", DeviceID: "d1"}, KindDevice, "hub.practice.test", 8443},
		{"HostName=[::1]:8443;DeviceId=d=1;x509=true",
			ConnectionString{HostName: "[::1]:8443", DeviceID: "d=1", X509: true}, KindDeviceX509, "::1", 8443},
		{"HostName=h;DeviceId=d1;ModuleId=$edgeAgent;SharedAccessKey=" + testKeyText,
			ConnectionString{HostName: "h", DeviceID: "d1", ModuleID: "$edgeAgent"}, KindModule, "h", 443},
		{"HostName=h;DeviceId=d1;SharedAccessKey=" + testKeyText + ";GatewayHostName=g:443",
			ConnectionString{HostName: "h", DeviceID: "d1", GatewayHostName: "g:443"}, KindDevice, "h", 443},
		{"HostName=h;DeviceId=d1;ModuleId=m;x509=true;GatewayHostName=g",
			ConnectionString{HostName: "h", DeviceID: "d1", ModuleID: "m", X509: true, GatewayHostName: "g"}, KindModuleX509, "h", 443},
	}
	for _, c := range cases {
		got, err := ParseConnectionString(" " + c.text + ";\r\n")
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if !got.X509 {
			c.want.Key = testKey(t)
			if !got.Key.Equal(c.want.Key) {
				t.Errorf("%s: another key", c.text)
			}
		}
		got.Key, c.want.Key = c.want.Key, got.Key
		if fmt.Sprint(got) != fmt.Sprint(c.want) || got.Kind() != c.kind || got.Host() != c.host || got.Port() != c.port {
			t.Errorf("%s: got %v, %s, %s, %d", c.text, got, got.Kind(), got.Host(), got.Port())
		}
		if got.Text().RevealString() != c.text && got.GatewayHostName == "" {
			t.Errorf("written back as %s", got.Text().RevealString())
		}
		if again, err := ParseConnectionString(got.Text().RevealString()); err != nil || again.Text().RevealString() != got.Text().RevealString() {
			t.Errorf("%s: text is not read back: %v", c.text, err)
		}
	}
}

func TestParseConnectionStringRefuses(t *testing.T) {
	const key = ";SharedAccessKey=c2VjcmV0"
	for text, names := range map[string]string{
		"":                                       "empty",
		"nothing":                                "equals sign",
		"HostName=h;HostName=i;DeviceId=d" + key: "HostName is given twice",
		"HostName=h;DeviceId=d;Color=c2VjcmV0":   "unknown",
		"hostname=h;DeviceId=d" + key:            "written HostName",
		"HostName=;DeviceId=d" + key:             "HostName is empty",
		"DeviceId=d" + key:                       "HostName is missing",
		"HostName=h":                             "DeviceId or SharedAccessKeyName is missing",
		"HostName=h;DeviceId=d":                  "SharedAccessKey or x509=true is missing",
		"HostName=h;SharedAccessKeyName=p":       "SharedAccessKey is missing",
		"HostName=h" + key:                       "needs DeviceId or SharedAccessKeyName",
		"HostName=h;ModuleId=m;SharedAccessKeyName=p" + key:           "ModuleId needs DeviceId",
		"HostName=h;x509=true":                                        "x509 needs DeviceId",
		"HostName=h;DeviceId=d;x509=true" + key:                       "exclude each other",
		"HostName=h;DeviceId=d;x509=false":                            "x509",
		"HostName=h;DeviceId=d;SharedAccessKeyName=p" + key:           "exclude each other",
		"HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0!":             "SharedAccessKey is not base64",
		"HostName=h;DeviceId=d;SharedAccessKey===":                    "SharedAccessKey is not base64",
		"HostName=h;DeviceId=a b" + key:                               "DeviceId is not",
		"HostName=https://h;DeviceId=d" + key:                         "HostName is not",
		"HostName=h:0;DeviceId=d" + key:                               "HostName is not",
		"HostName=h:99999;DeviceId=d" + key:                           "HostName is not",
		"HostName=h;DeviceId=d;GatewayHostName=g/x" + key:             "GatewayHostName is not",
		"HostName=h;DeviceId=d;SharedAccessSignature=c2VjcmV0":        "SharedAccessSignature",
		"HostName=h;SharedAccessKeyName=p;GatewayHostName=g" + key:    "GatewayHostName needs DeviceId",
		"HostName=h;;DeviceId=d" + key:                                "equals sign",
		"HostName=" + strings.Repeat("h", 5000) + ";DeviceId=d" + key: "longer",
	} {
		_, err := ParseConnectionString(text)
		if err == nil {
			t.Errorf("%s: accepted", text)
			continue
		}
		if !strings.Contains(err.Error(), names) {
			t.Errorf("%s: error %q does not say %q", text, err, names)
		}
		if strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%s: error shows the value: %v", text, err)
		}
	}
}

func FuzzParseConnectionString(f *testing.F) {
	f.Add("HostName=h:8443;DeviceId=d;ModuleId=m;SharedAccessKey=QUFBQQ==;GatewayHostName=g")
	f.Add("HostName=h;SharedAccessKeyName=p;SharedAccessKey=QUFBQQ==")
	f.Add("HostName=h;DeviceId=d;x509=true")
	f.Add("=;==;HostName")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConnectionString(text)
		if err != nil {
			return
		}
		if c.Host() == "" || c.Port() == 0 || c.X509 == !c.Key.IsEmpty() {
			t.Errorf("accepted %q", text)
		}
		again, err := ParseConnectionString(c.Text().RevealString())
		if err != nil || again.Text().RevealString() != c.Text().RevealString() {
			t.Errorf("%q is not read back: %v", text, err)
		}
	})
}
