package practice

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestLoadKeepsOrderAndAll(t *testing.T) {
	b := open(t, Options{})
	b.fleet(5*loadChunk + 3)
	ids := func() (ids []string) {
		b.want(b.hubDo("GET", "/devices/device-000000", ""), 200, "")
		b.act(func(x *transaction) {
			for _, d := range x.hub.ordered {
				ids = append(ids, fmt.Sprint(d.Identity.DeviceID, " ", sortedIDs(d.modules)))
			}
		})
		return ids
	}
	before := ids()
	b = b.reopened()
	if after := ids(); len(after) != 5*loadChunk+3 || !reflect.DeepEqual(after, before) {
		t.Errorf("%d devices after the restart, or in another order", len(after))
	}
}

func TestLoadNamesWhatCannotBeRead(t *testing.T) {
	for name, test := range map[string]struct {
		key   objectKey
		plain string
		says  string
	}{
		"no JSON":         {objectKey{kindDevice, "hub/device-000099"}, `{`, "read device/hub/device-000099"},
		"unknown hub":     {objectKey{kindDevice, "nohub/d"}, `{"Identity":{"deviceId":"d"}}`, "hub nohub is unknown"},
		"another device":  {objectKey{kindDevice, "hub/device-000001"}, `{"Identity":{"deviceId":"d"}}`, "another device's"},
		"lost module":     {objectKey{kindModule, "hub/none/m"}, `{"Identity":{"moduleId":"m"}}`, "its device is missing"},
		"no JSON, module": {objectKey{kindModule, "hub/device-000000/m"}, `[]`, "read module/hub/device-000000/m"},
		"no JSON, group":  {objectKey{kindGroup, "g"}, `[]`, "read group/g"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, Options{})
			b.fleet(3 * loadChunk)
			if err := b.store.submit([]write{{test.key, []byte(test.plain)}}, nil).wait(); err != nil {
				t.Fatal(err)
			}
			b = b.reopened()
			if _, err := b.enter(t.Context()); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v", err)
			}
		})
	}
}
