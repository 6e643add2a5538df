package command

import (
	"strings"
	"time"

	"edgewright/app"
)

// shortKey is how much of a key's ID tells it apart in a list.
const shortKey = 12

// tpmList lists collected keys, the newest reading first.
func (s *session) tpmList(f tpmFlags, rest []string) error {
	if len(rest) > 0 {
		return extra(rest, nil)
	}
	if f.limit < 0 {
		return wrongUse("--limit is a number from 1 on")
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	query := app.TPMKeyQuery{Text: f.search, Limit: f.limit}
	if f.after != "" {
		after, err := a.CollectedKey(s.ctx, f.after)
		if err != nil {
			return err
		}
		query.After = after.ID
	}
	list, err := a.CollectedKeys(s.ctx, query)
	if err != nil {
		return err
	}
	if s.json {
		s.print(list)
		return nil
	}
	rows := [][]string{}
	for _, k := range list {
		state := k.Origin
		if k.ReplacedBy != "" {
			state = "replaced"
		}
		rows = append(rows, []string{k.ID[:shortKey], k.Device, whereTPM(app.CollectTarget{Target: k.Target, TPM: k.TPM}), k.Manufacturer, k.EK.Template,
			k.EKCertificate.State, state, k.Station, k.Taken.Local().Format(time.DateTime)})
	}
	s.table([]string{"ID", "device", "where", "maker", "template", "certificate", "from", "station", "read"}, rows)
	if n, more, err := a.FoundCollectedKeys(s.ctx, app.TPMKeyQuery{Text: f.search}); err == nil && n > len(list) {
		over := ""
		if more {
			over = "more than "
		}
		s.note("%d of %s%d; go on with --after %s", len(list), over, n, list[len(list)-1].ID[:shortKey])
	}
	return nil
}

// showCollected shows one collected key.
func (s *session) showCollected(id string) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	key, err := a.CollectedKey(s.ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		s.print(key)
		return nil
	}
	kept := "not kept; made from its template each time"
	if key.EK.Handle != "" {
		kept = key.EK.Handle
	}
	s.line("Endorsement key %s", key.ID)
	for _, row := range [][2]string{{"device", key.Device}, {"where", whereTPM(app.CollectTarget{Target: key.Target, TPM: key.TPM})},
		{"TPM", key.Manufacturer + ", firmware " + key.Firmware}, {"kept", kept}, {"template", templateWords[key.EK.Template]},
		{"certificate", strings.TrimSpace(chainWords[key.EKCertificate.State] + " " + key.EKCertificate.Problem)},
		{"base32", key.RegistrationIDs.Base32}, {"hex", key.RegistrationIDs.Hex}, {"EK for DPS", key.EK.Public}, {"SRK for DPS", key.SRK},
		{"read", key.Taken.Local().Format(time.DateTime) + " by station " + key.Station}, {"from", originWords[key.Origin] + key.Signer}} {
		if row[1] != "" {
			s.line("  %-12s %s", row[0], row[1])
		}
	}
	if key.ReplacedBy != "" {
		s.line("  %-12s by %s: %s", "replaced", key.ReplacedBy[:shortKey], changeWords[key.Change])
	}
	before, ok, err := a.KeyBefore(s.ctx, key.ID)
	if err == nil && ok {
		s.line("  %-12s %s: %s", "before it", before.ID[:shortKey], changeWords[before.Change])
	}
	return err
}

var originWords = map[string]string{"read": "the TPM itself", "signed": "a list that was signed by ", "unsigned": "a list without a signature"}

// tpmForget takes a key out of the catalog.
func (s *session) tpmForget(_ tpmFlags, rest []string) error {
	if len(rest) != 1 {
		return wrongUse("name one collected key")
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	key, err := a.CollectedKey(s.ctx, rest[0])
	if err != nil {
		return err
	}
	if err := a.ForgetKey(s.ctx, key.ID); err != nil {
		return err
	}
	if s.json {
		s.print(map[string]string{"removed": key.ID})
		return nil
	}
	s.line("The catalog has no key %s any more; the device and the clouds are as they were.", key.ID[:shortKey])
	return nil
}
