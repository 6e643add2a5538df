package daemontest_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

func TestEdgeAgentAnswersMethods(t *testing.T) {
	s := serve(t)
	r, keys := s.runtime("edge-1")
	ctx := soon(t)
	agent, err := s.upstream(r, "$edgeAgent", keys["$edgeAgent"]).Start(ctx, func(name string, payload []byte) (int, any) {
		if name != "ping" {
			return 400, map[string]string{"message": "unknown"}
		}
		return 200, map[string]any{"echo": json.RawMessage(payload)}
	})
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Status  int
		Payload map[string]any
	}
	const methods = "/twins/edge-1/modules/%24edgeAgent/methods"
	s.owner("POST", methods, `{"methodName":"ping","payload":{"a":1},"responseTimeoutInSeconds":10}`, &result)
	if echo, _ := result.Payload["echo"].(map[string]any); result.Status != 200 || echo["a"] != 1.0 {
		t.Errorf("ping: %+v", result)
	}
	if s.owner("POST", methods, `{"methodName":"RestartModule","responseTimeoutInSeconds":10}`, &result); result.Status != 400 {
		t.Errorf("unknown method: %+v", result)
	}

	if err := agent.Close(); err != nil {
		t.Error(err)
	}
	s.gone(ctx, "edge-1", "%24edgeAgent")
	if status, body := s.call("POST", methods, `{"methodName":"ping","responseTimeoutInSeconds":5,"connectTimeoutInSeconds":0}`); status != http.StatusNotFound {
		t.Errorf("ping of one who is gone: %d %s", status, body)
	}
}
