package command

import (
	"flag"
	"fmt"
	"os"
	"time"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// mintFlags are the flags of cert mint that no other cert command has.
type mintFlags struct {
	csv, ranges, recipient, enroll, resume, group string
	edgeCA                                        bool
}

func (f *mintFlags) add(set *flag.FlagSet) {
	for name, into := range map[string]*string{"csv": &f.csv, "range": &f.ranges, "recipient": &f.recipient, "enroll": &f.enroll, "resume": &f.resume, "group": &f.group} {
		set.StringVar(into, name, "", "")
	}
	set.BoolVar(&f.edgeCA, "edge-ca", false, "")
}

// certMint makes many devices at once.
func (s *session) certMint(a *app.App, f certFlags, _ []string) error {
	if f.resume != "" && f.csv == "" && f.ranges == "" {
		if f.ca != "" || f.recipient != "" || f.out != "" || f.enroll != "" || f.profile != "" || f.algorithm != "" {
			return wrongUse("say --resume alone, or with all that the batch began with")
		}
		return s.minted(a.ResumeMint(s.ctx, f.resume, s.mintProgress()))
	}
	rows, found, err := f.mintRows()
	if err != nil {
		return err
	}
	if f.ca == "" || f.recipient == "" || f.out == "" {
		return wrongUse("say --ca, --recipient and --out")
	}
	request := app.MintRequest{Rows: rows, CA: f.ca, Profile: f.profile, Algorithm: pki.Algorithm(f.algorithm), Recipient: f.recipient, Folder: f.out, Cloud: f.enroll, Enroll: f.enroll != ""}
	if f.resume != "" {
		if err := a.SameMint(s.ctx, f.resume, request); err != nil {
			return err
		}
		return s.minted(a.ResumeMint(s.ctx, f.resume, s.mintProgress()))
	}
	if !found.Errors() {
		if found, err = a.CheckMint(s.ctx, request); err != nil {
			return err
		}
	}
	if found.Errors() {
		return s.mintRefused(found)
	}
	return s.minted(a.Mint(s.ctx, request, s.mintProgress()))
}

func (f certFlags) mintRows() ([]app.MintRow, finding.List, error) {
	switch {
	case (f.csv == "") == (f.ranges == ""):
		return nil, nil, wrongUse("say --csv F, or --range such as 'line-7-{0001..0500}'")
	case f.ranges != "":
		rows, err := app.ReadMintRange(f.ranges, app.MintRow{Group: f.group, EdgeCA: f.edgeCA, Days: f.days})
		return rows, nil, err
	case f.group != "" || f.edgeCA || f.days != 0:
		return nil, nil, wrongUse("--group, --edge-ca and --days go with --range; a list has columns for them")
	}
	file, err := os.Open(f.csv)
	if err != nil {
		return nil, nil, wrongUse("the list cannot be read: %v", err)
	}
	defer func() { _ = file.Close() }()
	return app.ReadMintList(file)
}

// mintRefused prints what is wrong with a list and ends with the code for
// refused.
func (s *session) mintRefused(found finding.List) error {
	if s.json {
		s.print(map[string]any{"outcome": provisioning.RunFailed, "batch": "", "made": 0, "skipped": 0, "failed": 0, "report": "", "findings": found,
			"error": provisioning.ErrorView{Kind: "invalid", Message: "The list cannot be minted.", Hint: "Mend the lines that are named."}})
		return exitError(ExitUsage)
	}
	return s.listRefused("The list cannot be minted; nothing was made:", found)
}

// mintProgress gives the receiver of a batch's events: one JSON event a line with
// --json, else what failed and every hundredth row on standard error.
func (s *session) mintProgress() func(app.MintEvent) {
	if s.json {
		return func(e app.MintEvent) {
			s.print(map[string]any{"event": "row", "batch": e.Batch, "row": e.Row, "of": e.Of, "device": e.Device, "state": e.State, "problem": e.Problem,
				"time": e.Time.UTC().Format(time.RFC3339Nano)})
		}
	}
	return func(e app.MintEvent) {
		if e.Problem != "" {
			s.note("%s  %s  %s", e.Batch, e.Device, e.Problem)
		} else if e.Row%100 == 0 || e.Row == e.Of {
			s.note("%s  %s %s (%d of %d)", e.Batch, e.Device, e.State, e.Row, e.Of)
		}
	}
}

// minted prints the result of a batch.
func (s *session) minted(out app.MintOutcome, err error) error {
	if err != nil {
		return err
	}
	if s.json {
		s.print(out)
	} else {
		s.line("batch %s: %d made, %d finished before, %d failed", out.Batch, out.Made, out.Skipped, out.Failed)
		if out.Report != "" {
			s.line("report: %s", out.Report)
		}
		if out.Error != nil {
			s.printError(out.Error)
		}
		if out.Outcome != provisioning.RunSucceeded {
			s.note("Go on with: edgewright cert mint --resume %s", out.Batch)
		}
	}
	switch out.Outcome {
	case provisioning.RunSucceeded:
		return nil
	case provisioning.RunCancelled:
		return exitError(ExitCancelled)
	}
	return exitError(ExitFailed)
}

// certBatches lists the batches.
func (s *session) certBatches(a *app.App, _ certFlags, _ []string) error {
	list, err := a.MintBatches(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		s.print(list)
		return nil
	}
	rows := [][]string{}
	for _, b := range list {
		state := b.State
		if state == string(provisioning.RunRunning) && !b.Live {
			state = "cut short"
		}
		rows = append(rows, []string{b.ID, state, fmt.Sprintf("%d of %d", b.Finished, b.Devices), fmt.Sprint(b.Failed), b.Started.Local().Format(time.DateTime), b.Folder})
	}
	s.table([]string{"batch", "state", "finished", "failed", "started", "folder"}, rows)
	return nil
}
