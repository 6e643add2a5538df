package command

import "testing"

const selfSignedPlan = `version = 1
[device]
id = "line-7-0042"
[cell]
platform = "linux"
provisioning = "manual"
authentication = "x509"
[cloud]
name = "practice"
[edge_ca]
source = "issue"
`

// TestRotate rotates both pairs of a device on a folder by the command.
func TestRotate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run("provision", "--plan", d.write("plan.toml", selfSignedPlan), "--target", d.folder("device"), "--yes").exits(ExitOK)

	d.run("devices", "rotate", "line-7-0042", "--yes").exits(ExitUsage)
	d.run("devices", "rotate", "line-7-0042", "--what", "root", "--yes").exits(ExitUsage)
	d.run("devices", "rotate", "line-7-0042", "--what", "identity").exits(ExitUsage) // nobody agreed

	out := d.run("devices", "rotate", "line-7-0042", "--what", "identity", "--new-key", "--yes", "--json").exits(ExitOK)
	proven(t, out.object(), true)
	ca := d.run("devices", "rotate", "line-7-0042", "--what", "edge-ca", "--yes", "--json").exits(ExitConfigured)
	if object := ca.object(); object["outcome"] != "configured" {
		t.Errorf("outcome %v", object)
	}
	d.run("runs", "undo", "0003", "--yes").exits(ExitOK)
	d.run("runs", "undo", "0002", "--yes").exits(ExitOK)
	d.run("devices", "rotate", "nobody", "--what", "identity", "--yes").exits(ExitUsage)
}
