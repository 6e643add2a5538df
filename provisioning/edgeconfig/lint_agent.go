package edgeconfig

import (
	"slices"
	"strings"
)

// agent checks the environment and the image of edgeAgent.
func (l *linter) agent() {
	if config := l.root.find("agent.config"); config.isTable() {
		image := config.text("image")
		if strings.HasPrefix(image, "$upstream") && !l.root.has("parent_hostname") && !l.root.has("local_gateway_hostname") {
			l.error("agent.config.image", config.kid("image"), "image begins with $upstream, and there is no parent_hostname to take its place", "Add parent_hostname, or name the registry.")
		}
	}
	env := l.root.find("agent.env")
	if !env.isTable() {
		return
	}
	protocols := []string{"Amqp", "AmqpWs", "Mqtt", "MqttWs"}
	protocol := env.kid("UpstreamProtocol")
	if protocol.isText() && !slices.ContainsFunc(protocols, func(p string) bool { return strings.EqualFold(p, protocol.value.text) }) {
		l.care("agent.env.UpstreamProtocol", protocol, "UpstreamProtocol is none that edgeAgent knows", "Write "+alternatives(protocols)+".")
	}
	for _, kid := range env.kids {
		if !strings.EqualFold(kid.name, "https_proxy") || !kid.isText() {
			continue
		}
		if kid.name != "https_proxy" {
			l.note("agent.env."+kid.name, kid, "iotedge check compares the lower-case name only", "Write https_proxy.")
		}
		if strings.HasPrefix(strings.ToLower(kid.value.text), "https://") {
			l.care("agent.env."+kid.name, kid, "edgeAgent fails with AmqpWs over a proxy that is called by https", "Use an http URL for the proxy.")
		}
		if !protocol.isText() || !strings.HasSuffix(strings.ToLower(protocol.value.text), "ws") {
			l.care("agent.env."+kid.name, kid, "a proxy is set, and edgeAgent's protocol cannot go through one", `Add UpstreamProtocol = "AmqpWs".`)
		}
	}
}
