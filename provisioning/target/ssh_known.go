package target

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// KnownHostKeys gives the host keys that are recorded for an SSH target, in our
// own list and in the user's, as lines of authorized_keys. Nothing is dialled;
// a host of which none is recorded gives none.
func KnownHostKeys(ctx context.Context, spec Spec, options Options) ([]string, error) {
	if spec.Kind != KindSSH {
		return nil, fmt.Errorf("host keys: %s is no SSH target", spec)
	}
	settings, err := resolveSSH(ctx, spec.SSH, options)
	if err != nil {
		return nil, err
	}
	known, err := readHostKeys(settings.knownHosts, options.Dir)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, key := range known.db.HostKeys(settings.keyAddress()) {
		if !key.Cert { // of a host CA nobody on the device has the key
			lines = append(lines, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey))))
		}
	}
	return lines, nil
}
