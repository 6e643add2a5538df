package provisioning

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// onboardStep uploads the CA of the device to the cloud and proves that its key
// is here.
type onboardStep struct{}

// onboardUndo says what was there before this run.
type onboardUndo struct {
	Name    string `json:"name"`
	Existed bool   `json:"existed"`
	SHA256  string `json:"sha256"` // of what this run uploads
}

func (onboardStep) Name() string { return StepOnboard }

// Guard keeps runs of a batch apart: a code that another run makes would void
// the one that this run answers.
func (onboardStep) Guard(ctx context.Context, x *Execution) (release func(), err error) {
	key := x.onboarder().Title() + "/ca/" + x.Run.Plan.X509.Uploaded
	release, err = x.Locks.Wait(ctx, key, x.Run.ID, func() { x.waiting(StepOnboard, "another run that uploads the same CA") })
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", x.uploadedTitle(), err)
	}
	return release, nil
}

func (onboardStep) Look(ctx context.Context, x *Execution) (Look, error) {
	at, name := x.onboarder(), x.Run.Plan.X509.Uploaded
	if at == nil {
		return Look{}, x.notManaged()
	}
	wanted, ca, err := x.onboarded(ctx)
	if err != nil {
		return Look{}, err
	}
	there, err := at.CA(ctx, name)
	exists := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Look{}, fmt.Errorf("look for %s: %w", x.uploadedTitle(), err)
	}
	if exists && (wanted == nil || !there.Is(wanted)) {
		return Look{}, otherCA(at, name)
	}
	if exists && there.Verified {
		summary := summaryFound
		if x.acted(StepOnboard) {
			summary = "uploaded and verified"
		}
		return Look{Done: true, Summary: summary}, nil
	}
	// Before anything is touched.
	if err := x.Certificates.Ready(ctx, ca, !x.preview); err != nil {
		return Look{}, err
	}
	undo := onboardUndo{Name: name, Existed: exists}
	if wanted != nil {
		undo.SHA256 = pki.SHA256(wanted)
	}
	if exists {
		return Look{Summary: "is there and not verified yet", Undo: encode(undo)}, nil
	}
	return Look{Summary: "is not there yet; it is uploaded and verified", Undo: encode(undo)}, nil
}

func (onboardStep) Do(ctx context.Context, x *Execution) (Result, error) {
	cert, ca, err := x.onboarded(ctx)
	if err != nil {
		return Result{}, err
	}
	uploaded, err := UploadCA(ctx, x.onboarder(), x.Run.Plan.X509.Uploaded, cert)
	if err != nil {
		return Result{}, err
	}
	x.log(StepOnboard, "%s is uploaded", x.uploadedTitle())
	_, err = VerifyCA(ctx, x.onboarder(), uploaded, func(code string) (*x509.Certificate, error) {
		return x.Certificates.Prove(ctx, x.Run.ID, ca, code)
	})
	return Result{Summary: "uploaded and verified"}, err
}

// Undo removes the CA certificate if this run uploaded it and nothing needs it.
func (onboardStep) Undo(ctx context.Context, x *Execution, record json.RawMessage) (Undone, error) {
	var undo onboardUndo
	if err := json.Unmarshal(record, &undo); err != nil {
		return Undone{}, fmt.Errorf("read undo record: %w", err)
	}
	if undo.Existed {
		return Undone{Summary: "was there before the run; it stays"}, nil
	}
	at, title := x.onboarder(), x.uploadedTitle()
	if at == nil {
		return Undone{Left: []string{title + ": this cloud cannot be managed from here"}}, nil
	}
	there, err := at.CA(ctx, undo.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		return Undone{Summary: "removed"}, nil
	case err != nil:
		return Undone{}, fmt.Errorf("look for %s: %w", title, err)
	case there.Certificate != nil && pki.SHA256(there.Certificate) != undo.SHA256:
		return Undone{Left: []string{title + ": it is another one now"}}, nil
	}
	user, err := at.UserOfCA(ctx, undo.Name)
	if err != nil {
		return Undone{}, fmt.Errorf("look who needs %s: %w", title, err)
	}
	if user != "" {
		return Undone{Left: []string{title + ": " + user + " needs it"}}, nil
	}
	err = at.DeleteCA(ctx, undo.Name, there.ETag)
	if errors.Is(err, ErrConflict) {
		return Undone{Left: []string{title + ": it was changed, or something needs it"}}, nil
	}
	if err != nil {
		return Undone{}, fmt.Errorf("remove %s: %w", title, err)
	}
	return Undone{Summary: "removed"}, nil
}

func (s onboardStep) Preview(ctx context.Context, x *Execution, p *Preview) error {
	look, err := s.Look(ctx, x)
	return p.addCloud(x.uploadedTitle(), look, err)
}

// onboarder keeps the CA certificates of the service that the plan's devices
// authenticate to, nil where the cloud cannot be managed.
func (x *Execution) onboarder() Onboarder {
	if x.Run.Plan.Cell.Provisioning == DPS {
		return x.Cloud.DPSCAs
	}
	return x.Cloud.HubCAs
}

func (x *Execution) uploadedTitle() string {
	title := "CA certificate " + x.Run.Plan.X509.Uploaded
	if at := x.onboarder(); at != nil {
		title += " of " + at.Title()
	}
	return title
}

func (x *Execution) notManaged() error {
	to := "dps"
	if x.Run.Plan.Cell.Provisioning == Manual {
		to = "hub"
	}
	return &Error{Kind: ErrInvalid, Field: "x509.onboard", Message: fmt.Sprintf("CA certificates cannot be uploaded to the cloud %s from here: it is known by a connection string only.", x.Cloud.Name),
		Hint: fmt.Sprintf("Write the file with `edgewright cert ca upload \"%s\" --to %s --cloud \"%s\" --name %s --out FILE`, upload and verify it by hand, and write onboard = false.",
			x.Run.Plan.X509.CA, to, x.Cloud.Name, x.Run.Plan.X509.Uploaded)}
}

// onboarded finds the CA that the cloud is to know, and the name that it signs
// under. In a preview it may not exist yet, and is nil.
func (x *Execution) onboarded(ctx context.Context) (*x509.Certificate, string, error) {
	plan := x.Run.Plan
	if plan.X509.Source != SourceFiles {
		authority, err := x.Certificates.Authority(ctx, plan.X509.CA)
		switch {
		case errors.Is(err, ErrNotFound) && x.preview && plan.X509.CA == "":
			return nil, "", nil
		case err != nil:
			return nil, "", fmt.Errorf("find the CA %s: %w", plan.X509.CA, err)
		}
		return authority.Chain[0], plan.X509.CA, nil
	}
	// Any CA above will do; the nearest vouches for the fewest devices.
	for _, below := range x.pairOf(RoleIdentity).Chain {
		authority, err := x.Certificates.IssuerOf(ctx, below)
		if err == nil {
			return authority.Chain[0], pki.SHA256(authority.Chain[0]), nil
		}
		if !errors.Is(err, ErrNotFound) {
			return nil, "", fmt.Errorf("look for the CA above %s: %w", below.Subject.CommonName, err)
		}
	}
	return nil, "", &Error{Kind: ErrInvalid, Field: "x509.onboard", Message: "No CA above the certificate in the file is in the catalog, so its key cannot be proven here.",
		Hint: "Import the CA with its key, or upload and verify the CA by hand and write onboard = false."}
}

// vouched refuses a plan whose cloud does not know the CA above the device's
// certificate. A cloud that cannot be managed cannot be asked.
func (x *Execution) vouched(ctx context.Context) error {
	plan, at := x.Run.Plan, x.onboarder()
	named := plan.X509.Uploaded
	if at == nil || plan.X509.Onboard || named == "" && (plan.Cell.Provisioning == DPS || x.hubAuthentication() != authCA) {
		return nil
	}
	cas, err := at.CAs(ctx)
	if err != nil {
		return fmt.Errorf("look for the CA certificates of %s: %w", at.Title(), err)
	}
	var known []UploadedCA
	for _, ca := range cas {
		switch {
		case named != "" && !strings.EqualFold(ca.Name, named):
		case named != "" && !ca.Verified:
			return &Error{Kind: ErrInvalid, Field: "x509.uploaded", Message: x.uploadedTitle() + " is not verified, so no device may use it.",
				Hint: "Write onboard = true, or prove its key with `edgewright cert ca verify`."}
		case ca.Verified:
			known = append(known, ca)
		}
	}
	if named != "" && len(known) == 0 {
		return &Error{Kind: ErrInvalid, Field: "x509.uploaded", Message: fmt.Sprintf("%s knows no CA certificate %s.", at.Title(), named),
			Hint: "Write onboard = true, or upload it with `edgewright cert ca upload`."}
	}
	above, told, err := x.issuers(ctx)
	if err != nil || !told || slices.ContainsFunc(known, func(ca UploadedCA) bool { return x.vouches(ca, above) }) {
		return err
	}
	if named != "" {
		return &Error{Kind: ErrInvalid, Field: "x509.uploaded", Message: x.uploadedTitle() + " is not above the device's certificate.",
			Hint: "Name the CA that issues the certificate, or one above it."}
	}
	return &Error{Kind: ErrInvalid, Field: "x509.uploaded", Message: at.Title() + " knows no CA above the device's certificate, so it would refuse the device.",
		Hint: `Write anchor = "uploaded", uploaded = "name" and onboard = true, or upload the CA with ` + "`edgewright cert ca upload`."}
}

// issuers are the CA certificates above the device's own, or all of its chain;
// told is false where only the EST server knows them.
func (x *Execution) issuers(ctx context.Context) (above []*x509.Certificate, told bool, err error) {
	plan := x.Run.Plan
	switch plan.X509.Source {
	case SourceEST:
		return nil, false, nil
	case SourceFiles:
		return x.pairOf(RoleIdentity).Chain, true, nil
	}
	authority, err := x.Certificates.Authority(ctx, plan.X509.CA)
	if errors.Is(err, ErrNotFound) && x.preview && plan.X509.CA == "" {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find the CA %s: %w", plan.X509.CA, err)
	}
	return authority.Chain, true, nil
}

// vouches tells whether an uploaded CA is among those, or signed one of them.
func (x *Execution) vouches(ca UploadedCA, above []*x509.Certificate) bool {
	return slices.ContainsFunc(above, func(cert *x509.Certificate) bool {
		return ca.Is(cert) || ca.Certificate != nil && pki.Signed(ca.Certificate, cert)
	})
}

// addVouched says of a hub that cannot be asked that it has to know the CA.
func (p *Preview) addVouched(x *Execution) {
	if x.onboarder() == nil && x.hubAuthentication() == authCA {
		p.Findings.Add(finding.Care, "x509.uploaded", "Whether the hub knows the CA above the device's certificate cannot be asked from here; without it the hub refuses the device.",
			"See among the certificates of the hub that it is there and verified.")
	}
}
