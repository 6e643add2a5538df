package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// device is one that registered, with what signs for it.
type device struct {
	id   string
	sign daemontest.Sign
}

// register has devices of a group register, each over connections of its own,
// and poll until they are assigned.
func (c *cloud) register(ctx context.Context, count int) (figure, []device, error) {
	what := fmt.Sprintf("%d devices registered and assigned", count)
	failed := figure{what: what, value: "failed", mark: "in a minute"}
	group := map[string]any{"enrollmentGroupId": "load", "attestation": map[string]string{"type": "symmetricKey"}}
	if _, _, err := c.call(ctx, c.dps, "PUT", "/enrollmentGroups/load", group, nil); err != nil {
		return failed, nil, err
	}
	_, answer, err := c.call(ctx, c.dps, "POST", "/enrollmentGroups/load/attestationmechanism", nil, nil)
	if err != nil {
		return failed, nil, err
	}
	var mechanism struct {
		SymmetricKey struct{ PrimaryKey string }
	}
	if err := json.Unmarshal(answer, &mechanism); err != nil {
		return failed, nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(mechanism.SymmetricKey.PrimaryKey)
	if err != nil {
		return failed, nil, err
	}
	key := secret.New(raw)
	devices := make([]device, count)
	workers, inner := errgroup.WithContext(ctx)
	workers.SetLimit(100)
	begin := time.Now()
	for i := range devices {
		workers.Go(func() error {
			id := fmt.Sprintf("load-%04d", i)
			devices[i] = device{id, daemontest.WithKey(wire.DeriveDeviceKey(key, id).Reveal())}
			_, err := daemontest.Identityd{Network: daemontest.Network{Roots: c.roots}, Global: "https://" + c.shown.GlobalHost,
				IDScope: c.shown.IDScope, Registration: id, Key: devices[i].sign, Pause: time.Second}.Register(inner)
			return err
		})
	}
	if err := workers.Wait(); err != nil {
		return failed, nil, err
	}
	took := time.Since(begin)
	return figure{what, fmt.Sprintf("%.1f s", took.Seconds()), "in a minute", took < groupMark}, devices, nil
}

// send connects all devices over MQTT and has each send a message a second,
// acknowledged one by one.
func (c *cloud) send(ctx context.Context, devices []device, seconds int) ([]figure, error) {
	connections := make([]*daemontest.MQTT, len(devices))
	connecting, inner := errgroup.WithContext(ctx)
	connecting.SetLimit(50)
	begin := time.Now()
	for i, d := range devices {
		connecting.Go(func() error {
			var err error
			connections[i], err = daemontest.Upstream{Network: daemontest.Network{Roots: c.roots}, Address: c.shown.MQTT, Hub: c.shown.HubHost,
				Device: d.id, Sign: d.sign}.Dial(inner)
			if err != nil {
				err = fmt.Errorf("%s: %w", d.id, err)
			}
			return err
		})
	}
	if err := connecting.Wait(); err != nil {
		return nil, err
	}
	took := time.Since(begin)
	fmt.Printf("%d devices connected over MQTT and TLS in %.1f s, %d MB resident\n", len(devices), took.Seconds(), c.resident())

	var mu sync.Mutex
	var times []time.Duration
	late := 0
	sending, inner := errgroup.WithContext(ctx)
	for i, d := range devices {
		sending.Go(func() error {
			// Spread over the second, as devices that do not know of each other.
			time.Sleep(time.Duration(i) * time.Second / time.Duration(len(devices)))
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			var own []time.Duration
			for range seconds {
				begin := time.Now()
				if err := connections[i].Publish(inner, "devices/"+d.id+"/messages/events/", []byte(`{"temperature":21.5,"line":7}`), 1); err != nil {
					return fmt.Errorf("%s: %w", d.id, err)
				}
				own = append(own, time.Since(begin))
				select {
				case <-tick.C:
				case <-inner.Done():
					return inner.Err()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, own...)
			for _, took := range own {
				if took > time.Second {
					late++
				}
			}
			return nil
		})
	}
	err := sending.Wait()
	for _, connection := range connections {
		_ = connection.Close()
	}
	if err != nil {
		return nil, err
	}
	text, _ := spread(times)
	return []figure{{fmt.Sprintf("%d devices, a message a second for %d s", len(devices), seconds), text, "each acknowledged in 1 s", late == 0 && len(times) == len(devices)*seconds}}, nil
}
