package command

import (
	"strings"

	"edgewright/app"
	"edgewright/provisioning"
)

// estPrefix marks an EST server where a CA or a file is named.
const estPrefix = "est:"

// estServer is the EST server that --ca names; false if it names another CA.
func (f certFlags) estServer() (provisioning.ESTPlan, bool, error) {
	address, ok := strings.CutPrefix(f.ca, estPrefix)
	if !ok && (f.bootstrap != "" || f.trust != "") {
		return provisioning.ESTPlan{}, false, wrongUse("--bootstrap and --trust go with --ca est:URL")
	}
	return provisioning.ESTPlan{URL: address, Bootstrap: f.bootstrap, Trust: f.trust}, ok, nil
}

// certEnroll has an EST server certify a new key.
func (s *session) certEnroll(a *app.App, f certFlags, server provisioning.ESTPlan) error {
	if f.key == "none" || f.out != "" || f.days != 0 {
		return wrongUse("an EST server decides about --days and certifies a key that is here; leave out --days, --out and --key none")
	}
	view, err := a.EnrollCertificate(s.ctx, f.request(), server)
	if err != nil {
		return err
	}
	s.certificate(view)
	return nil
}

// certImportEST takes the CAs of EST servers in.
func (s *session) certImportEST(a *app.App, f certFlags, servers []string) error {
	for _, name := range servers {
		address, ok := strings.CutPrefix(name, estPrefix)
		if !ok {
			return wrongUse("import files or EST servers, not both at once")
		}
		result, err := a.ImportESTCAs(s.ctx, provisioning.ESTPlan{URL: address, Bootstrap: f.bootstrap, Trust: f.trust})
		if err != nil {
			return err
		}
		if err := s.imported(result); err != nil {
			return err
		}
	}
	return nil
}
