package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/dps"
	"edgewright/provisioning/iothub"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/target"
	"edgewright/provisioning/wire"
)

// Practice is the name of the cloud that Edgewright carries itself.
const Practice = "practice"

// Connection is the kind of connection string that is added to a cloud.
type Connection string

// A cloud may hold both; a DPS cloud uses a hub's to undo what DPS made there.
const (
	HubConnection Connection = "hub"
	DPSConnection Connection = "dps"
)

// CloudRow is a cloud as lists show it.
type CloudRow struct {
	Name           string `json:"name"`
	Practice       bool   `json:"practice"`
	HubHost        string `json:"hub_host"`
	DPSHost        string `json:"dps_host"`
	IDScope        string `json:"id_scope"`
	GlobalEndpoint string `json:"global_endpoint"`
	Devices        int    `json:"devices"`
}

var cloudNamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$`)

// DefaultGlobalEndpoint is where devices of the public cloud register; another
// one is given with the connection string as GlobalEndpoint=.
const DefaultGlobalEndpoint = "https://global.azure-devices-provisioning.net"

// Clouds lists the practice cloud and those that were added.
func (a *App) Clouds(ctx context.Context) ([]CloudRow, error) {
	stored, err := a.catalog.Clouds(ctx)
	if err != nil {
		return nil, translate(err)
	}
	rows := []CloudRow{{Name: Practice, Practice: true, HubHost: "hub.practice.test", DPSHost: "dps.practice.test", IDScope: "0ne00PRACTICE", GlobalEndpoint: "https://global.practice.test"}}
	for _, cloud := range stored {
		rows = append(rows, cloudRow(cloud))
	}
	return rows, nil
}

func cloudRow(c catalog.Cloud) CloudRow {
	return CloudRow{Name: c.Name, HubHost: c.HubHost, DPSHost: c.DPSHost, IDScope: c.IDScope, GlobalEndpoint: c.GlobalEndpoint}
}

// AddCloud stores a connection string under a name. A second one of the other
// kind joins the first. With DPS the text may carry IDScope= and
// GlobalEndpoint= as further members, because a service connection string does
// not name them; without IDScope devices cannot be provisioned through it.
func (a *App) AddCloud(ctx context.Context, name string, kind Connection, text secret.Value) (CloudRow, error) {
	if !cloudNamePattern.MatchString(name) || strings.EqualFold(name, Practice) {
		return CloudRow{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The cloud name %q cannot be used.", name),
			Hint: "Use 1 to 64 letters, digits, spaces, dots, dashes; not practice."}
	}
	service, idScope, global := splitDPSMembers(text.RevealString())
	connection, err := wire.ParseConnectionString(service)
	if err != nil {
		return CloudRow{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The connection string does not read: " + err.Error() + ".",
			Hint: "Copy it whole from the portal: HostName=...;SharedAccessKeyName=...;SharedAccessKey=..."}
	}
	if connection.PolicyName == "" {
		return CloudRow{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "This is the connection string of a device, not of a service.",
			Hint: "Copy one of a shared access policy."}
	}
	cloud, err := a.catalog.Cloud(ctx, name)
	if errors.Is(err, catalog.ErrNotFound) {
		cloud, err = catalog.Cloud{Name: name, Kind: "azure", Created: a.now()}, nil
	}
	if err != nil {
		return CloudRow{}, translate(err)
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return CloudRow{}, err
	}
	secretName := "cloud/" + strings.ToLower(name) + "/" + string(kind)
	if kind == HubConnection {
		cloud.HubHost, cloud.HubSecret = connection.HostName, secretName
	} else {
		cloud.DPSHost, cloud.DPSSecret, cloud.IDScope, cloud.GlobalEndpoint = connection.HostName, secretName, idScope, global
	}
	if err := v.Put(ctx, secretName, vault.User, connection.Text()); err != nil {
		return CloudRow{}, translate(err)
	}
	if err := a.catalog.PutCloud(ctx, cloud); err != nil {
		return CloudRow{}, translate(err)
	}
	return cloudRow(cloud), nil
}

// splitDPSMembers takes IDScope and GlobalEndpoint out of a connection string.
func splitDPSMembers(text string) (service, idScope, global string) {
	global = DefaultGlobalEndpoint
	var rest []string
	for part := range strings.SplitSeq(strings.TrimSpace(text), ";") {
		name, value, _ := strings.Cut(part, "=")
		switch {
		case strings.EqualFold(name, "IDScope"):
			idScope = value
		case strings.EqualFold(name, "GlobalEndpoint"):
			global = value
		default:
			rest = append(rest, part)
		}
	}
	return strings.Join(rest, ";"), idScope, global
}

// RemoveCloud forgets a cloud and its connection strings.
func (a *App) RemoveCloud(ctx context.Context, name string) error {
	if strings.EqualFold(name, Practice) {
		return &provisioning.Error{Kind: provisioning.ErrRefused, Message: "The practice cloud cannot be removed.", Hint: "`edgewright practice reset` empties it."}
	}
	cloud, err := a.catalog.Cloud(ctx, name)
	if err != nil {
		return translate(err)
	}
	if err := a.catalog.DeleteCloud(ctx, name); err != nil {
		return translate(err)
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{cloud.HubSecret, cloud.DPSSecret} {
		if name == "" {
			continue
		}
		if err := v.Delete(ctx, name); err != nil && !errors.Is(err, vault.ErrNotFound) {
			return translate(err)
		}
	}
	return nil
}

// cloudOf opens the cloud that a plan names. release ends its use, and the
// serving of the practice cloud with it. device is the target for which the
// cloud has to be brought within reach, or nil.
func (a *App) cloudOf(ctx context.Context, plan provisioning.Plan, device target.Target) (provisioning.Cloud, func(), error) {
	if strings.EqualFold(plan.Cloud.Name, Practice) {
		return a.practiceCloud(ctx, device)
	}
	stored, err := a.catalog.Cloud(ctx, plan.Cloud.Name)
	if errors.Is(err, catalog.ErrNotFound) {
		return provisioning.Cloud{}, nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("There is no cloud %s.", plan.Cloud.Name),
			Hint: "Add it with `edgewright clouds add " + plan.Cloud.Name + " --hub` or --dps."}
	}
	if err != nil {
		return provisioning.Cloud{}, nil, translate(err)
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return provisioning.Cloud{}, nil, err
	}
	cloud := provisioning.Cloud{Name: stored.Name}
	if stored.HubSecret != "" {
		text, err := v.Get(ctx, stored.HubSecret)
		if err != nil {
			return cloud, nil, translate(err)
		}
		if cloud.Hub, err = newHub(text, connectOptions{now: a.now}); err != nil {
			return cloud, nil, err
		}
	}
	if stored.DPSSecret != "" {
		if stored.IDScope == "" {
			return cloud, nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The ID scope of the cloud " + stored.Name + " is not known.",
				Hint: "Add the DPS again with ;IDScope=0ne... behind its connection string; the portal shows it on the overview."}
		}
		text, err := v.Get(ctx, stored.DPSSecret)
		if err != nil {
			return cloud, nil, translate(err)
		}
		if cloud.DPS, err = newDPS(text, stored.GlobalEndpoint, stored.IDScope, connectOptions{now: a.now}); err != nil {
			return cloud, nil, err
		}
	}
	return cloud, func() {}, nil
}

// practiceCloud serves the practice cloud and opens it.
func (a *App) practiceCloud(ctx context.Context, device target.Target) (provisioning.Cloud, func(), error) {
	info, release, err := a.practice.use(ctx)
	if err != nil {
		return provisioning.Cloud{}, nil, err
	}
	options, err := practiceOptions(info, a.now)
	if err == nil {
		cloud := provisioning.Cloud{Name: Practice, Practice: true, Reach: reachOf(info, device)}
		if cloud.Hub, err = newHub(info.HubConnectionString, options); err == nil {
			cloud.DPS, err = newDPS(info.DPSConnectionString, "https://"+info.GlobalHost, info.IDScope, options)
		}
		if err == nil {
			err = addPracticeOnboarders(&cloud, info, options)
		}
		if err == nil {
			return cloud, release, nil
		}
	}
	release()
	return provisioning.Cloud{}, nil, err
}

// connectOptions are how cloud clients connect: to the real cloud as the
// system does, to the practice cloud by its own CA and on loopback.
type connectOptions struct {
	roots *x509.CertPool
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	now   func() time.Time
}

func (o connectOptions) hub() iothub.Options {
	return iothub.Options{RootCAs: o.roots, DialContext: o.dial, Now: o.now}
}

func (o connectOptions) dps() dps.Options {
	return dps.Options{RootCAs: o.roots, DialContext: o.dial, Now: o.now}
}

// practiceOptions trusts only the practice CA and takes its names to where it
// listens, without a name service.
func practiceOptions(info PracticeInfo, now func() time.Time) (connectOptions, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(info.CAPEM) {
		return connectOptions{}, errors.New("the practice CA does not read")
	}
	listens := info.HTTPS
	return connectOptions{roots: roots, now: now, dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err == nil && (strings.HasSuffix(host, ".practice.test") || host == "practice.test") {
			address = listens
		}
		return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, address)
	}}, nil
}

// reachOf says what an attached device needs. Over SSH the practice cloud's
// ports are forwarded to the device, the same on both ends.
func reachOf(info PracticeInfo, device target.Target) *provisioning.Reach {
	if device == nil || !device.CanRun() {
		return nil
	}
	reach := &provisioning.Reach{CA: slices.Clone(info.CAPEM), Hosts: info.Names}
	forwarder, ok := device.(target.Forwarder)
	if !ok {
		return reach
	}
	reach.Forward = func(ctx context.Context) (func(), error) {
		var closers []io.Closer
		stop := func() {
			for _, closer := range closers {
				_ = closer.Close()
			}
		}
		for _, address := range []string{info.HTTPS, info.MQTT} {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				stop()
				return nil, fmt.Errorf("address of the practice cloud: %w", err)
			}
			closer, err := forwarder.Forward(ctx, net.JoinHostPort("127.0.0.1", port), address)
			if err != nil {
				stop()
				return nil, translate(err)
			}
			closers = append(closers, closer)
		}
		return stop, nil
	}
	return reach
}

func newHub(text secret.Value, o connectOptions) (provisioning.Registry, error) {
	connection, err := wire.ParseConnectionString(text.RevealString())
	if err != nil {
		return nil, fmt.Errorf("stored connection string: %w", err)
	}
	client, err := iothub.New(connection, o.hub())
	if err != nil {
		return nil, translate(err)
	}
	return registry{client: client, host: connection.HostName, options: o}, nil
}

func newDPS(text secret.Value, endpoint, idScope string, o connectOptions) (provisioning.Enroller, error) {
	connection, err := wire.ParseConnectionString(text.RevealString())
	if err != nil {
		return nil, fmt.Errorf("stored connection string: %w", err)
	}
	client, err := dps.New(connection, o.dps())
	if err != nil {
		return nil, translate(err)
	}
	return enroller{client: client, endpoint: endpoint, idScope: idScope, options: o}, nil
}

// maskKey shows a connection string without its key.
func maskKey(text string) string {
	parts := strings.Split(text, ";")
	for i, part := range parts {
		if name, _, ok := strings.Cut(part, "="); ok && name == "SharedAccessKey" {
			parts[i] = name + "=" + secret.Mask
		}
	}
	return strings.Join(parts, ";")
}
