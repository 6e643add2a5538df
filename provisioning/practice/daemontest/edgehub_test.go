package daemontest_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"edgewright/provisioning/practice/daemontest"
)

// edge makes an edge device beneath another, if given, whose $edgeHub has a key.
func (s *stage) edge(id, parent string) daemontest.EdgeHub {
	s.Helper()
	parents := ""
	if parent != "" {
		parents = `"` + s.scopeOf(parent) + `"`
	}
	s.owner("PUT", "/devices/"+id, `{"deviceId":"`+id+`","capabilities":{"iotEdge":true},"parentScopes":[`+parents+`]}`, nil)
	key := []byte("the key of edgeHub of " + id)
	text := base64.StdEncoding.EncodeToString(key)
	s.owner("PUT", "/devices/"+id+"/modules/$edgeHub", `{"moduleId":"$edgeHub","deviceId":"`+id+`","managedBy":"iotEdge","authentication":{"type":"sas",
		"symmetricKey":{"primaryKey":"`+text+`","secondaryKey":"`+text+`"}}}`, nil, "If-Match", "*")
	return daemontest.EdgeHub{Network: s.network, Hub: s.info.HubHost, Device: id, Sign: daemontest.WithKey(key)}
}

func (s *stage) scopeOf(id string) string {
	s.Helper()
	var d struct{ DeviceScope string }
	s.owner("GET", "/devices/"+id, "", &d)
	return d.DeviceScope
}

// family is a parent with a child and a leaf, and a grandchild beneath the child.
func (s *stage) family() (parent, child daemontest.EdgeHub) {
	s.Helper()
	parent = s.edge("parent", "")
	child = s.edge("child", "parent")
	s.edge("grandchild", "child")
	s.edge("stranger", "")
	s.owner("PUT", "/devices/leaf", `{"deviceId":"leaf","deviceScope":"`+s.scopeOf("parent")+`"}`, nil)
	s.owner("PUT", "/devices/leaf/modules/m", `{"moduleId":"m","deviceId":"leaf"}`, nil)
	return parent, child
}

func allIDs(pages []daemontest.Scope) string {
	var ids []string
	for _, page := range pages {
		ids = append(ids, page.IDs()...)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var refused *daemontest.StatusError
	if !errors.As(err, &refused) || refused.Status != status {
		t.Errorf("%v, want %d", err, status)
	}
}

func TestEdgeHubSeesItsScope(t *testing.T) {
	s := serve(t)
	parent, child := s.family()
	const direct = "child child/$edgeAgent child/$edgeHub leaf leaf/m parent parent/$edgeAgent parent/$edgeHub"
	for count, number := range map[int]int{1: 3, 2: 2, 100: 1, 0: 1} {
		pages, err := parent.InScope(t.Context(), count)
		if err != nil || len(pages) != number || allIDs(pages) != direct {
			t.Errorf("pages of %d: %d, %s, %v", count, len(pages), allIDs(pages), err)
		}
		pages, err = parent.InTargetScope(t.Context(), "parent", count)
		if err != nil || len(pages) != number || allIDs(pages) != direct {
			t.Errorf("nested, pages of %d: %d, %s, %v", count, len(pages), allIDs(pages), err)
		}
	}
	pages, err := parent.InTargetScope(t.Context(), "child;parent", 100)
	if want := "child child/$edgeAgent child/$edgeHub grandchild grandchild/$edgeAgent grandchild/$edgeHub"; err != nil || allIDs(pages) != want {
		t.Errorf("beneath the child: %s, %v", allIDs(pages), err)
	}
	// One at a time; what is outside the scope is a 400.
	one, err := parent.OneInScope(t.Context(), "leaf", "")
	if err != nil || len(one.Devices) != 1 || len(one.Modules) != 0 || one.Devices[0]["authentication"] == nil {
		t.Errorf("leaf: %+v, %v", one, err)
	}
	if one, err = parent.OneInScope(t.Context(), "leaf", "m"); err != nil || len(one.Modules) != 1 {
		t.Errorf("module: %+v, %v", one, err)
	}
	for _, id := range []string{"stranger", "grandchild", "none"} {
		_, err = parent.OneInScope(t.Context(), id, "")
		wantStatus(t, err, 400)
	}
	_, err = parent.OneInScope(t.Context(), "leaf", "none")
	wantStatus(t, err, 400)
	for _, chain := range []string{"child;parent", "child/$edgeHub;child;parent"} {
		if one, err = parent.OneOnBehalfOf(t.Context(), chain, "grandchild", "$edgeHub"); err != nil || len(one.Modules) != 1 || len(one.Devices) != 1 {
			t.Errorf("%s: %+v, %v", chain, one, err)
		}
	}
	_, err = parent.OneOnBehalfOf(t.Context(), "child;parent", "leaf", "")
	wantStatus(t, err, 400)
	// Nobody but $edgeHub itself asks, and only along its own chain.
	wrong := parent
	wrong.Sign = child.Sign
	_, err = wrong.InScope(t.Context(), 10)
	wantStatus(t, err, 401)
	for _, chain := range []string{"", "child", "stranger;parent", "grandchild;parent", "parent;child", "none;parent", "leaf;child;parent", "child;parent;stranger"} {
		_, err = parent.InTargetScope(t.Context(), chain, 10)
		wantStatus(t, err, 401)
	}
	_, err = parent.InTargetScope(t.Context(), "leaf;parent", 10)
	wantStatus(t, err, 400)
	s.owner("PUT", "/devices/child", fmt.Sprintf(`{"deviceId":"child","status":"disabled","capabilities":{"iotEdge":true},"deviceScope":%q,"parentScopes":[%q]}`,
		s.scopeOf("child"), s.scopeOf("parent")), nil, "If-Match", "*")
	_, err = parent.InTargetScope(t.Context(), "child;parent", 10)
	wantStatus(t, err, 401)
}

func TestEdgeHubManagesModulesOfItsChildren(t *testing.T) {
	s := serve(t)
	parent, _ := s.family()
	for _, chain := range []string{"child;parent", "grandchild;child;parent"} {
		target, _, _ := strings.Cut(chain, ";")
		made, err := parent.PutOnBehalfOf(t.Context(), chain, map[string]any{"moduleId": "temp", "deviceId": target, "managedBy": "iotEdge"}, "")
		if err != nil || made.ModuleID != "temp" {
			t.Fatalf("made %+v, %v", made, err)
		}
		_, err = parent.PutOnBehalfOf(t.Context(), chain, map[string]any{"moduleId": "temp", "deviceId": target}, "")
		wantStatus(t, err, 409)
		_, err = parent.PutOnBehalfOf(t.Context(), chain, map[string]any{"moduleId": "other", "deviceId": "parent"}, "")
		wantStatus(t, err, 400)
		changed, err := parent.PutOnBehalfOf(t.Context(), chain, map[string]any{"moduleId": "temp", "deviceId": target, "managedBy": "iotEdge",
			"authentication": map[string]any{"type": "x509", "x509Thumbprint": map[string]any{"primaryThumbprint": strings.Repeat("ab", 32)}}}, "*")
		if err != nil || changed.Authentication.Type != "x509" {
			t.Errorf("changed %+v, %v", changed, err)
		}
		if read, err := parent.GetOnBehalfOf(t.Context(), chain, "temp"); err != nil || read.Authentication.Type != "x509" {
			t.Errorf("read %+v, %v", read, err)
		}
		if list, err := parent.ListOnBehalfOf(t.Context(), chain); err != nil || len(list) != 3 {
			t.Errorf("list %+v, %v", list, err)
		}
		if err := parent.DeleteOnBehalfOf(t.Context(), chain, "temp"); err != nil {
			t.Error(err)
		}
		_, err = parent.GetOnBehalfOf(t.Context(), chain, "temp")
		wantStatus(t, err, 404)
	}
	_, err := parent.PutOnBehalfOf(t.Context(), "stranger;parent", map[string]any{"moduleId": "temp", "deviceId": "stranger"}, "")
	wantStatus(t, err, 401)
	wantStatus(t, parent.DeleteOnBehalfOf(t.Context(), "stranger;parent", "$edgeHub"), 401)
}
