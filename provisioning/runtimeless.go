package provisioning

import (
	"context"
	"slices"

	"edgewright/provisioning/finding"
)

// reasonNoRuntime is why nothing is applied on a machine without a runtime.
const reasonNoRuntime = "the device has no runtime yet that could take the configuration"

// lookForRuntime decides what a machine without a runtime can do. Only a key that
// was born there is proven without one: the handshakes run here, and each
// signature is made there. For anything else the runtime has to come first.
func (x *Execution) lookForRuntime(ctx context.Context) error {
	x.withoutRuntime = false
	if x.Facts.NoRuntime && x.Machine.Runs() && x.Run.Plan.provenByKeyAlone() && x.Run.Rotate == nil {
		obstacle, err := x.obstacle(ctx)
		if err != nil {
			return err
		}
		x.withoutRuntime = obstacle == ""
	}
	x.Facts.Findings = slices.Clip(x.Facts.Findings) // they are the finder's
	for _, f := range x.Facts.Lacking {
		if x.withoutRuntime && f.Level == finding.Error {
			f.Level = finding.Care
		}
		x.Facts.Findings = append(x.Facts.Findings, f)
	}
	if x.withoutRuntime {
		x.Facts.Findings.Add(finding.Note, "proof", "The files are placed and nothing is applied, because "+reasonNoRuntime+". The proof is played from here, with signatures that the device makes with its own key.",
			"Provision again once the runtime is installed.")
	}
	return nil
}

// provenByKeyAlone tells whether the plan has the device make the key of an
// identity that needs nothing but that key.
func (p Plan) provenByKeyAlone() bool {
	p = p.WithDefaults()
	return p.Cell.Authentication == X509 && !p.IssuedOnDevice() && !p.UsesEST() && p.X509.Source != SourceFiles && p.X509.Key != KeyOnWorkstation
}
