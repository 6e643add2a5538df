package command

import (
	"errors"
	"strings"
	"time"

	"edgewright/app"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// filePassphrase reads the passphrase of files from the descriptor that the
// command names; without one it is empty.
func (f certFlags) filePassphrase() (secret.Value, error) {
	value, err := readFD(f.keyFD)
	if err != nil {
		return value, wrongUse("--key-passphrase-fd: %v", err)
	}
	return value, nil
}

// opened calls read with the given passphrase, and where a person sits at the
// terminal once more with one that is asked for.
func (s *session) opened(f certFlags, read func(secret.Value) error) error {
	given, err := f.filePassphrase()
	if err != nil {
		return err
	}
	err = read(given)
	if errors.Is(err, pki.ErrPassphrase) && given.IsEmpty() && s.Terminal {
		if given, err = s.askSecret("Passphrase of the file: "); err != nil {
			return err
		}
		return read(given)
	}
	return err
}

func (s *session) certInspect(a *app.App, f certFlags, files []string) error {
	for _, file := range files {
		err := s.opened(f, func(passphrase secret.Value) error {
			seen, err := a.InspectFile(file, passphrase)
			if err != nil {
				return err
			}
			s.inspected(file, seen)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) inspected(file string, seen app.Inspected) {
	if s.json {
		s.print(seen)
		return
	}
	s.line("%s: %s", file, seen.Kind)
	for _, c := range seen.Certificates {
		s.certificateLines(c)
	}
	for _, request := range seen.Requests {
		s.line("a request of %s", oneLine(request))
	}
	for _, list := range seen.Lists {
		s.line("revocation list %s of %s with %d certificates, next one by %s", list.Number, oneLine(list.Issuer), list.Revoked, list.Next.Local().Format(time.DateOnly))
	}
	if seen.Keys > 0 {
		s.line("%d private keys", seen.Keys)
	}
	if seen.Locked > 0 {
		s.line("%d encrypted private keys", seen.Locked)
	}
	if seen.KeyMatches != nil && !*seen.KeyMatches {
		s.line("the key belongs to none of the certificates")
	}
}

func (s *session) certVerify(a *app.App, f certFlags, files []string) error {
	var verdict app.Verdict
	err := s.opened(f, func(passphrase secret.Value) (err error) {
		verdict, err = a.VerifyFiles(s.ctx, files, pki.Purpose(f.purpose), passphrase)
		return err
	})
	if err != nil {
		return err
	}
	if s.json {
		s.print(verdict)
	} else {
		s.line("%s", oneLine(strings.Join(verdict.Chain, " <- ")))
		s.certificateFindings(verdict.Findings)
		s.line("%s", map[bool]string{true: "it is good for that", false: "it is not good for that"}[verdict.OK])
	}
	if !verdict.OK {
		return exitError(ExitFailed)
	}
	return nil
}

func (s *session) certImport(a *app.App, f certFlags, files []string) error {
	if strings.HasPrefix(files[0], estPrefix) {
		return s.certImportEST(a, f, files)
	}
	passphrase, err := f.filePassphrase()
	if err != nil {
		return err
	}
	result, err := a.ImportCertificates(s.ctx, files, passphrase)
	if err != nil {
		return err
	}
	return s.imported(result)
}

// imported prints what an import did.
func (s *session) imported(result app.Imported) error {
	if s.json {
		s.print(result)
	} else {
		for _, c := range result.Added {
			s.line("added %s  %s, key: %s", c.ID[:8], oneLine(c.Subject), c.Key.Place)
		}
		if result.Known > 0 {
			s.line("%d known already", result.Known)
		}
		for _, refused := range result.Refused {
			s.note("%s", refused.Problem)
		}
	}
	if len(result.Refused) > 0 {
		return exitError(ExitFailed)
	}
	return nil
}

func (s *session) certExport(a *app.App, f certFlags, args []string) error {
	if f.out == "" || f.format == "" {
		return wrongUse("say --format pem|der|pfx|pfx-3des|chain and --out FILE")
	}
	passphrase, err := f.filePassphrase()
	if err != nil {
		return err
	}
	if (f.withKey || app.ExportHasKey(f.format)) && passphrase.IsEmpty() && s.Terminal {
		if passphrase, err = s.askSecret("New passphrase of the key: "); err != nil {
			return err
		}
	}
	data, err := a.ExportCertificate(s.ctx, args[0], f.format, f.withKey, passphrase)
	if err != nil {
		return err
	}
	if err := app.WriteNew(f.out, data); err != nil {
		return err
	}
	if s.json {
		s.print(map[string]any{"file": f.out, "bytes": len(data)})
		return nil
	}
	s.line("%s is written", f.out)
	return nil
}
