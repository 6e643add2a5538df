//go:build !windows

package hostdetect

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/godbus/dbus/v5"
)

const storeHow = "names on the session bus"

const secretService = "org.freedesktop.secrets"

// credentialStore looks for a Secret Service on the session bus: one that
// runs, or one that the bus can start. It starts neither bus nor service and
// opens nothing.
func credentialStore(ctx context.Context) Store {
	if runtime.GOOS == "darwin" {
		return Store{State: Found, Name: "Keychain"}
	}
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if address == "" {
		socket := filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus")
		if _, err := os.Stat(socket); err != nil {
			return Store{State: Absent}
		}
		address = "unix:path=" + socket
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	bus, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return Store{State: Unknown}
	}
	defer bus.Close()
	answered := false
	for _, method := range []string{"ListNames", "ListActivatableNames"} {
		var names []string
		if err := bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus."+method, 0).Store(&names); err != nil {
			continue
		}
		answered = true
		if slices.Contains(names, secretService) {
			return Store{State: Found, Name: "Secret Service"}
		}
	}
	if !answered {
		return Store{State: Unknown}
	}
	return Store{State: Absent}
}
