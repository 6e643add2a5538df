package provisioning

import (
	"slices"

	"edgewright/provisioning/finding"
)

// byCA tells whether the hub knows the device by a CA above its certificate. A
// self-signed certificate among files shows only when it is read.
func (p Plan) byCA() bool {
	return p.Cell.Authentication == X509 && p.Cell.Provisioning == Manual && p.X509.Source != SourceSelfSigned
}

// checkAnchor looks at how the cloud is to know the CA of a device.
func (p Plan) checkAnchor(f *finding.List) {
	x := p.X509
	switch {
	case p.ByGroup():
		checkWord(f, "x509.anchor", x.Anchor, "intermediate uploaded")
		if x.Source == SourceSelfSigned {
			f.Add(finding.Error, "x509.source", "A self-signed certificate has no CA that a group could know.", `Write source = "issue", or enrol the device individually.`)
		}
	case p.byCA() && x.Anchor != "" && x.Anchor != AnchorUploaded:
		f.Add(finding.Error, "x509.anchor", "A hub knows the CA of a device only as one that was uploaded to it.", `Write anchor = "uploaded", or remove it.`)
	case !p.byCA() && x.Anchor != "":
		f.Add(finding.Error, "x509.anchor", "Only enrollment groups, and hubs that know a device by its CA, have an anchor.", "Remove it.")
	}
	if (x.Anchor == AnchorUploaded) != (x.Uploaded != "") {
		f.Add(finding.Error, "x509.uploaded", "An uploaded CA and its name in the cloud go together.", `Write anchor = "uploaded" and the name, or neither.`)
	} else if x.Uploaded != "" {
		if err := CheckUploadedName(x.Uploaded); err != nil {
			f.Add(finding.Error, "x509.uploaded", sentence(err), "Change the name.")
		}
	}
	switch {
	case x.Onboard && x.Uploaded == "":
		f.Add(finding.Error, "x509.onboard", "A CA is to be uploaded, but its name in the cloud is missing.", `Write anchor = "uploaded" and uploaded = "name", or onboard = false.`)
	case x.Onboard && x.Source == SourceEST:
		f.Add(finding.Error, "x509.onboard", "Only the owner of the EST server can prove that it has the key of its CA.", "Have that CA uploaded and verified in the cloud, and write onboard = false.")
	}
}

// StepNames are the steps of the plan in their order, on a device that runs
// commands or on one that does not.
func (p Plan) StepNames(runs bool) []string {
	info, _ := p.Cell.Info()
	var names []string
	for _, name := range info.Steps {
		if !runs && (name == StepApply || name == StepReprovision) {
			continue
		}
		if p.X509.Onboard && (name == StepIdentity || name == StepEnrollment) {
			names = append(names, StepOnboard)
		}
		names = append(names, name)
	}
	return slices.Clip(names)
}
