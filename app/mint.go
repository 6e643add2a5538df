package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// MintRequest asks for many devices at once: an identity, a chain and a sealed
// bundle for each.
type MintRequest struct {
	Rows []MintRow
	// CA is the name, ID or thumbprint of the issuing CA.
	CA string
	// Profile is that of the identities, "" the program's; Algorithm is that of all
	// keys, "" the profile's.
	Profile   string
	Algorithm pki.Algorithm
	// Recipient is for whom the bundles are sealed: the name of a bench identity,
	// a public key (age1…, ssh-ed25519 …, ssh-rsa …), or ssh:HOST for a recorded
	// host key, in which {id} and {hostname} stand for those of the row.
	Recipient string
	// Folder is where bundles and report go.
	Folder string
	// Cloud is the cloud of the plans, "" the practice cloud. Enroll makes the
	// enrollments there.
	Cloud  string
	Enroll bool
}

// MintOutcome is what came of a batch.
type MintOutcome struct {
	Outcome provisioning.RunState `json:"outcome"` // succeeded | failed | cancelled
	Batch   string                `json:"batch"`
	// Made counts the devices that this call finished, Skipped those that were
	// finished before, Failed those with a problem.
	Made    int `json:"made"`
	Skipped int `json:"skipped"`
	Failed  int `json:"failed"`
	// Report is the CSV file with a line for each device.
	Report string `json:"report"`
	// Error is what stopped the batch as a whole.
	Error *provisioning.ErrorView `json:"error,omitempty"`
}

// MintEvent says that a row has come a step further.
type MintEvent struct {
	Batch  string
	Row    int // from 1
	Of     int
	Device string
	State  string // placed | enrolled | failed
	// Problem says why it failed.
	Problem string
	Time    time.Time
}

// mintCell is the way that minted devices come in.
var mintCell = provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.X509}

// mintPlan is the plan in the bundle of a row. Its files are members of the
// bundle.
func mintPlan(row MintRow, cloud string, trust bool) provisioning.Plan {
	plan := provisioning.Plan{Cell: mintCell, Device: provisioning.DevicePlan{ID: row.ID, Hostname: row.Hostname},
		Cloud: provisioning.CloudPlan{Name: cloud, Group: row.Group},
		X509:  provisioning.X509Plan{Source: provisioning.SourceFiles, Files: provisioning.CertificateFiles{Certificate: bundle.ChainName, Key: bundle.KeyName}}}
	if row.EdgeCA {
		plan.EdgeCA = &provisioning.EdgeCAPlan{Source: provisioning.SourceFiles,
			Files: provisioning.CertificateFiles{Certificate: bundle.EdgeChainName, Key: bundle.EdgeKeyName}}
	}
	if trust {
		plan.TrustBundle.Certificates = []string{bundle.TrustName}
	}
	return plan.WithDefaults()
}

// CheckMint looks at everything that can be wrong with a request before anything
// is made. Findings name the line. The key of the CA is not opened.
func (a *App) CheckMint(ctx context.Context, r MintRequest) (finding.List, error) {
	_, _, found, err := a.prepareMint(ctx, r)
	return found, err
}

// prepareMint makes the batch of a request and its rows, and writes nothing.
func (a *App) prepareMint(ctx context.Context, r MintRequest) (catalog.Batch, []catalog.BatchRow, finding.List, error) {
	batch := catalog.Batch{ID: "m-" + fmt.Sprintf("%x", randomBytes(6)), State: string(provisioning.RunRunning), Recipient: r.Recipient,
		Cloud: r.Cloud, Enroll: r.Enroll, Started: a.now()}
	if batch.Cloud == "" {
		batch.Cloud = Practice
	}
	for _, given := range []struct{ value, problem, hint string }{
		{r.CA, "No CA is named that signs the certificates.", "Name an intermediate CA whose key is in the vault."},
		{r.Recipient, "No recipient is named for the bundles.", "Name a bench identity (`edgewright secrets bench make NAME`), age1…, an SSH public key, or ssh:HOST."},
		{r.Folder, "No folder is named for the bundles.", "Name one that has none of these bundles yet."},
	} {
		if given.value == "" {
			return batch, nil, nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: given.problem, Hint: given.hint}
		}
	}
	if len(r.Rows) == 0 || len(r.Rows) > maxMinted {
		return batch, nil, nil, invalidMintList(fmt.Sprintf("%d devices are not 1 to %d.", len(r.Rows), maxMinted), nil)
	}
	var err error
	if batch.Folder, err = filepath.Abs(r.Folder); err != nil {
		return batch, nil, nil, fmt.Errorf("folder %s: %w", r.Folder, err)
	}
	ca, err := a.findCA(ctx, r.CA)
	if err != nil {
		return batch, nil, nil, err
	}
	batch.CA = ca.ID
	if batch.Profile, err = a.mintProfile(ctx, r); err != nil {
		return batch, nil, nil, err
	}
	if !canSign(ca) {
		return batch, nil, nil, noKeyHere(ca)
	}
	chain, err := a.chainOf(ctx, ca)
	if err != nil {
		return batch, nil, nil, err
	}
	rows, found, err := a.mintRows(ctx, r, batch, pki.IsSelfSigned(chain[0]))
	return batch, rows, found, err
}

// mintRows makes the rows of a batch; root tells that its CA is one.
func (a *App) mintRows(ctx context.Context, r MintRequest, batch catalog.Batch, root bool) ([]catalog.BatchRow, finding.List, error) {
	var found finding.List
	recipients := map[string]string{}
	perRow := strings.Contains(r.Recipient, "{")
	there, err := os.ReadDir(batch.Folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The folder " + batch.Folder + " does not read.", Hint: "Name another one.", Err: err}
	}
	taken := map[string]bool{}
	for _, entry := range there {
		taken[entry.Name()] = true
	}
	rows := make([]catalog.BatchRow, 0, len(r.Rows))
	for i, row := range r.Rows {
		where := fmt.Sprintf("line %d", row.Line)
		for _, f := range mintPlan(row, batch.Cloud, true).Check() {
			if f.Level == finding.Error {
				found.Add(finding.Error, where+", "+f.Field, f.Problem, f.Fix)
			}
		}
		if row.Group != "" && root {
			found.Add(finding.Error, where+", group", "The issuing CA is a root, which a group of a bundle cannot know.", "Name an intermediate CA, or leave the group out.")
		}
		if taken[row.ID+bundle.Extension] {
			found.Add(finding.Error, where+", id", "The folder has a bundle "+row.ID+bundle.Extension+" already.", "Choose another folder, or resume the batch that made it.")
		}
		key := ""
		if perRow {
			key = row.ID + " " + row.Hostname
		}
		if _, known := recipients[key]; !known {
			recipient, err := a.recipientFor(ctx, r.Recipient, row)
			if err != nil && !perRow {
				return nil, nil, err
			}
			if err != nil {
				view := provisioning.View(err)
				found.Add(finding.Error, where+", recipient", view.Message, view.Hint)
			}
			recipients[key] = recipient
		}
		rows = append(rows, catalog.BatchRow{Seq: i + 1, DeviceID: row.ID, Hostname: row.Hostname, Group: row.Group, EdgeCA: row.EdgeCA, Days: row.Days,
			Recipient: recipients[key], State: catalog.RowWaiting})
	}
	return rows, found, nil
}

// Mint makes a batch and waits for its end. With a finding of level error nothing
// is made, and the error names the first; CheckMint lists all. emit may be nil and
// is called on one goroutine at a time.
func (a *App) Mint(ctx context.Context, r MintRequest, emit func(MintEvent)) (MintOutcome, error) {
	batch, rows, found, err := a.prepareMint(ctx, r)
	if err != nil {
		return MintOutcome{}, err
	}
	if at := slices.IndexFunc(found, func(f finding.Finding) bool { return f.Level == finding.Error }); at >= 0 {
		return MintOutcome{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: found[at].Field + ": " + found[at].Problem, Hint: found[at].Fix}
	}
	ca, err := a.catalog.Certificate(ctx, batch.CA)
	if err != nil {
		return MintOutcome{}, translate(err)
	}
	if _, err := a.issuerOf(ctx, ca); err != nil { // a key that does not open begins no batch
		return MintOutcome{}, err
	}
	if err := os.MkdirAll(batch.Folder, 0o700); err != nil {
		return MintOutcome{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The folder " + batch.Folder + " cannot be made.", Hint: "Name another one.", Err: err}
	}
	if err := a.catalog.NewBatch(ctx, batch, rows); err != nil {
		return MintOutcome{}, translate(err)
	}
	return a.carryOutMint(ctx, batch, emit)
}

// ResumeMint goes on with a batch that was killed, cancelled or had problems.
// What is finished stays as it is.
func (a *App) ResumeMint(ctx context.Context, id string, emit func(MintEvent)) (MintOutcome, error) {
	batch, err := a.catalog.Batch(ctx, id)
	if errors.Is(err, catalog.ErrNotFound) {
		return MintOutcome{}, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The catalog has no batch " + id + ".", Hint: "`edgewright cert batches` names them."}
	}
	if err != nil {
		return MintOutcome{}, translate(err)
	}
	return a.carryOutMint(ctx, batch, emit)
}

// SameMint refuses a request that is not the one that a batch was made from, so
// that a script may resume with the command that it began with.
func (a *App) SameMint(ctx context.Context, id string, r MintRequest) error {
	batch, err := a.catalog.Batch(ctx, id)
	if err != nil {
		return translate(err)
	}
	ca, err := a.findCA(ctx, r.CA)
	if err != nil {
		return err
	}
	folder, err := filepath.Abs(r.Folder)
	if err != nil {
		return fmt.Errorf("folder %s: %w", r.Folder, err)
	}
	kept, err := a.catalog.BatchRows(ctx, id, "", 0, maxMinted)
	if err != nil {
		return translate(err)
	}
	profile, err := a.mintProfile(ctx, r)
	if err != nil {
		return err
	}
	same := slices.EqualFunc(kept, r.Rows, func(k catalog.BatchRow, row MintRow) bool {
		return k.DeviceID == row.ID && k.Hostname == row.Hostname && k.Group == row.Group && k.EdgeCA == row.EdgeCA && k.Days == row.Days
	})
	for what, equal := range map[string]bool{"list": same, "CA": ca.ID == batch.CA, "profile": profile == batch.Profile, "folder": folder == batch.Folder, "recipient": r.Recipient == batch.Recipient,
		"cloud": r.Enroll == batch.Enroll && (!r.Enroll || r.Cloud == batch.Cloud)} {
		if !equal {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The " + what + " is not that of the batch " + id + ".", Hint: "Resume with --resume alone, or begin a new batch."}
		}
	}
	return nil
}

// MintBatch is a batch as lists show it.
type MintBatch struct {
	ID    string `json:"batch"`
	State string `json:"state"` // running | succeeded | failed | cancelled
	// Live tells that a process is working on it. One that runs and is not live was
	// cut short.
	Live      bool       `json:"live"`
	Recipient string     `json:"recipient"`
	Cloud     string     `json:"cloud"`
	Enroll    bool       `json:"enroll"`
	Folder    string     `json:"folder"`
	Started   time.Time  `json:"started"`
	Ended     *time.Time `json:"ended"`
	// Devices is how many rows it has, Finished how many are.
	Devices  int `json:"devices"`
	Finished int `json:"finished"`
	Failed   int `json:"failed"`
}

// maxBatches is how many batches a list shows.
const maxBatches = 50

// MintBatches lists the newest batches first.
func (a *App) MintBatches(ctx context.Context) ([]MintBatch, error) {
	batches, err := a.catalog.Batches(ctx, maxBatches)
	if err != nil {
		return nil, translate(err)
	}
	list := []MintBatch{}
	for _, b := range batches {
		count, err := a.catalog.CountBatch(ctx, b.ID)
		if err != nil {
			return nil, translate(err)
		}
		all := 0
		for _, n := range count.Of {
			all += n
		}
		live, err := a.catalog.Locked(ctx, mintLock(b.ID))
		if err != nil {
			return nil, translate(err)
		}
		list = append(list, MintBatch{ID: b.ID, State: b.State, Live: live, Recipient: b.Recipient, Cloud: b.Cloud, Enroll: b.Enroll, Folder: b.Folder,
			Started: b.Started, Ended: b.Ended, Devices: all, Finished: finishedRows(b, count), Failed: count.Problems})
	}
	return list, nil
}

// finishedRows counts the rows with which nothing is left to do.
func finishedRows(b catalog.Batch, count catalog.BatchCount) int {
	if b.Enroll {
		return count.Of[catalog.RowEnrolled]
	}
	return count.Of[catalog.RowPlaced]
}
