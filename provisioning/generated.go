package provisioning

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// The names under which the services of the runtime keep what they make for
// themselves. Whatever lies there is used, for whatever name and from whatever
// issuer it is: the services look at nothing but its end.
//
// IIS cert/aziot-certd-config/src/util.rs, key/aziot-keys/src/lib.rs
const (
	generatedIdentity = "device-id"
	generatedEdgeCA   = "aziot-edged-ca"
	generatedESTID    = "est-id"
)

// generatedPaths are the files of a pair that the services made.
func generatedPaths(id string) (certificate, key string) {
	name := strings.ReplaceAll(id, "-", "") + fmt.Sprintf("-%x", sha256.Sum256([]byte(id)))
	return "/var/lib/aziot/certd/certs/" + name + ".cer", "/var/lib/aziot/keyd/keys/" + name + ".key"
}

// generated is a pair that the services will make for themselves.
type generated struct {
	id string
	// serves tells whether one that they made before does; nil leaves every one.
	serves func(pki.Content) bool
}

// generatedByPlan are the pairs that the runtime makes with the configuration of
// the plan, where has is what it has now.
func (x *Execution) generatedByPlan(has edgeconfig.Config) []generated {
	plan := x.Run.Plan
	var all []generated
	sameServer := has.EST.URL == plan.X509.EST.URL
	if plan.IssuedOnDevice() {
		wanted := plan.issuedIdentity()
		all = append(all, generated{generatedIdentity, func(content pki.Content) bool {
			leaf, issuer := content.Certificates[0], x.est.anchor
			if plan.localCA() {
				issuer = x.pairOf(RoleLocalCA).Leaf()
			}
			return sameIssuance(heldIdentity(has, plan), wanted, sameServer || plan.localCA()) && leaf.Subject.CommonName == wanted.CommonName && (issuer == nil || pki.Signed(issuer, leaf))
		}})
	}
	switch {
	case plan.edgeCAByEST():
		wanted := edgeconfig.IssuedCertificate{Method: edgeconfig.IssuedByEST, CommonName: plan.edgeCAName()}
		all = append(all, generated{generatedEdgeCA, func(content pki.Content) bool {
			return sameIssuance(has.EdgeCA.Issued, wanted, sameServer) && content.Certificates[0].IsCA
		}})
	case plan.EdgeCA == nil:
		all = append(all, generated{generatedEdgeCA, nil})
	}
	if plan.UsesEST() {
		all = append(all, generated{generatedESTID, func(pki.Content) bool { return sameServer }})
	}
	return all
}

// heldIdentity is how a configuration has the identity issued, nil if it does not.
func heldIdentity(has edgeconfig.Config, plan Plan) *edgeconfig.IssuedCertificate {
	if plan.Cell.Provisioning == Manual {
		return has.Provisioning.Authentication.Certificate.Issued
	}
	return has.Provisioning.Attestation.Certificate.Issued
}

func sameIssuance(has *edgeconfig.IssuedCertificate, wanted edgeconfig.IssuedCertificate, sameServer bool) bool {
	return has != nil && sameServer && has.Method == wanted.Method && has.CommonName == wanted.CommonName
}

// staleGenerated are the files that have to go so that the runtime makes its own
// pairs as the plan says; before is the configuration that it has. Those that are
// not there are named, too: what comes there later is the run's, and undo takes
// it away.
func (x *Execution) staleGenerated(ctx context.Context, before FileState) ([]File, error) {
	has, _ := edgeconfig.Read(before.Data.Reveal()) // one that does not read holds nothing
	var files []File
	for _, pair := range x.generatedByPlan(has) {
		certificate, key := generatedPaths(pair.id)
		file, err := x.Machine.Read(ctx, certificate)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", certificate, err)
		}
		if file.Exists && (pair.serves == nil || x.stillServes(file, pair)) {
			continue
		}
		files = append(files, File{Path: certificate, Remove: true}, File{Path: key, Remove: true, Hidden: true})
	}
	return files, nil
}

func (x *Execution) stillServes(file FileState, pair generated) bool {
	content, err := pki.Read(file.Data.Reveal(), secret.Value{})
	return err == nil && len(content.Certificates) > 0 && x.Now().Before(content.Certificates[0].NotAfter) && pair.serves(content)
}
