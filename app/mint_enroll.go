package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/dps"
	"edgewright/provisioning/pki"
)

// manyEnroller is a DPS that takes several individual enrollments in one call.
type manyEnroller interface {
	provisioning.Enroller
	CreateEnrollments(ctx context.Context, wanted []provisioning.Enrollment) (refused map[string]string, err error)
}

// enrollAll makes the cloud know the rows whose bundles are placed: ten
// individual enrollments a call, each group once.
func (m *minter) enrollAll(ctx context.Context) error {
	cloud, release, err := m.app.cloudOf(ctx, provisioning.Plan{Cloud: provisioning.CloudPlan{Name: m.batch.Cloud}}, nil)
	if err != nil {
		return err
	}
	defer release()
	service, ok := cloud.DPS.(manyEnroller)
	if !ok {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The cloud " + m.batch.Cloud + " has no Device Provisioning Service connection.",
			Hint: "Add one with `edgewright clouds add NAME --dps`, then resume the batch."}
	}
	groups := map[string]string{} // the problem of each group that was looked at
	for after := 0; ; {
		rows, err := m.app.catalog.BatchRows(ctx, m.batch.ID, catalog.RowPlaced, after, mintChunk)
		if err != nil || len(rows) == 0 {
			return translate(err)
		}
		after = rows[len(rows)-1].Seq
		var alone, grouped []catalog.BatchRow
		for _, row := range rows {
			if row.Group == "" {
				alone = append(alone, row)
			} else {
				grouped = append(grouped, row)
			}
		}
		if err := m.enrollGroups(ctx, service, grouped, groups); err != nil {
			return err
		}
		for ten := range slices.Chunk(alone, dps.MaxBulk) {
			if err := m.enrollTen(ctx, service, ten); err != nil {
				return err
			}
		}
	}
}

// enrollGroups marks rows whose groups know the CA, making groups that are
// missing.
func (m *minter) enrollGroups(ctx context.Context, service manyEnroller, rows []catalog.BatchRow, looked map[string]string) error {
	problems := map[string]string{}
	for _, row := range rows {
		problem, known := looked[row.Group]
		if !known {
			var err error
			if problem, err = m.enrollGroup(ctx, service, row.Group); err != nil {
				return err
			}
			looked[row.Group] = problem
		}
		problems[row.DeviceID] = problem
	}
	return m.enrolled(ctx, rows, problems)
}

// enrollGroup makes a group that knows the issuing CA, or says what keeps the one
// that is there from being it.
func (m *minter) enrollGroup(ctx context.Context, service manyEnroller, name string) (problem string, err error) {
	found, err := service.Enrollment(ctx, true, name)
	if errors.Is(err, provisioning.ErrNotFound) {
		_, err = service.CreateEnrollment(ctx, provisioning.Enrollment{Group: true, Name: name, Edge: true, Enabled: true,
			Authentication: provisioning.X509, Certificate: m.issuer.Certificate})
		m.step("group")
		if !errors.Is(err, provisioning.ErrConflict) {
			return m.refusal(ctx, err)
		}
		found, err = service.Enrollment(ctx, true, name) // somebody was faster
	}
	if err != nil {
		return m.refusal(ctx, err)
	}
	return enrollmentProblem("The group "+name, found, m.issuer.Certificate), nil
}

// refusal turns what the cloud says about one group or device into its problem;
// other errors end the batch.
func (m *minter) refusal(ctx context.Context, err error) (problem string, _ error) {
	if err == nil || ctx.Err() != nil || !errors.Is(err, provisioning.ErrInvalid) && !errors.Is(err, provisioning.ErrConflict) {
		return "", err
	}
	return provisioning.View(err).Message, nil
}

// enrollmentProblem says why an enrollment that exists cannot serve.
func enrollmentProblem(what string, found provisioning.Enrollment, cert *x509.Certificate) string {
	switch {
	case found.Authentication != provisioning.X509:
		return what + " exists already and attests by " + string(found.Authentication) + "."
	case !found.Edge:
		return what + " exists already, without the edge capability."
	case !found.Enabled:
		return what + " exists already and is disabled."
	case !slices.ContainsFunc(found.Thumbprints, func(known string) bool { return strings.EqualFold(known, pki.SHA256(cert)) }):
		return what + " exists already with another certificate."
	}
	return ""
}

// enrollTen makes up to ten individual enrollments. One that exists and knows this
// very certificate was made by this batch before it was killed.
func (m *minter) enrollTen(ctx context.Context, service manyEnroller, rows []catalog.BatchRow) error {
	wanted := make([]provisioning.Enrollment, len(rows))
	for i, row := range rows {
		kept, err := m.app.catalog.Certificate(ctx, row.CertificateID)
		if err != nil {
			return translate(err)
		}
		cert, err := x509.ParseCertificate(kept.DER)
		if err != nil {
			return fmt.Errorf("read certificate %s of the catalog: %w", kept.ID, err)
		}
		wanted[i] = provisioning.Enrollment{Name: row.DeviceID, DeviceID: row.DeviceID, Edge: true, Enabled: true, Authentication: provisioning.X509, Certificate: cert}
	}
	refused, err := service.CreateEnrollments(ctx, wanted)
	m.step("enrolled")
	if err != nil {
		return err
	}
	for i, row := range rows {
		if refused[row.DeviceID] == "" {
			continue
		}
		found, err := service.Enrollment(ctx, false, row.DeviceID)
		switch {
		case errors.Is(err, provisioning.ErrNotFound):
			refused[row.DeviceID] = "The cloud refuses the enrollment: " + refused[row.DeviceID] + "."
		case err != nil:
			return err
		default:
			refused[row.DeviceID] = enrollmentProblem("The enrollment "+row.DeviceID, found, wanted[i].Certificate)
		}
	}
	return m.enrolled(ctx, rows, refused)
}

// enrolled records what became of rows; problems are by device ID.
func (m *minter) enrolled(ctx context.Context, rows []catalog.BatchRow, problems map[string]string) error {
	states := make([]catalog.RowState, len(rows))
	for i, row := range rows {
		states[i] = catalog.RowState{Seq: row.Seq, State: catalog.RowEnrolled}
		if problem := problems[row.DeviceID]; problem != "" {
			states[i].State, states[i].Problem = catalog.RowPlaced, problem
		}
	}
	if err := m.app.catalog.SetRows(context.WithoutCancel(ctx), m.batch.ID, states); err != nil {
		return translate(err)
	}
	for i, row := range rows {
		state := states[i].State
		if states[i].Problem != "" {
			state = mintFailed
		}
		m.tell(row, state, states[i].Problem)
	}
	return nil
}

// mintFailed is the state of an event of a row with a problem.
const mintFailed = "failed"
