// Package mqtt reads and writes the packets of MQTT 3.1.1 that a server of IoT
// Hub and DPS needs: everything but QoS 2 and retained messages, which those
// services do not know. It holds no connection and no state.
//
// http://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html
package mqtt
