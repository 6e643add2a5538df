package command

import (
	"strings"

	"edgewright/app"
)

func practice(s *session, args []string) error {
	var options app.PracticeOptions
	var names string
	var show, yes bool
	set := s.flags("practice")
	set.StringVar(&options.HTTPS, "https", "", "")
	set.StringVar(&options.MQTT, "mqtt", "", "")
	set.StringVar(&names, "names", "", "")
	set.BoolVar(&options.ListenAnywhere, "listen-anywhere", false, "")
	set.BoolVar(&show, "show-secrets", false, "")
	set.BoolVar(&yes, "yes", false, "")
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	name, rest, err := only(rest, "serve", "show", "reset")
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return wrongUse("unexpected argument %q", rest[0])
	}
	if names != "" {
		options.Names = strings.Split(names, ",")
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	switch name {
	case "reset":
		if err := s.agreed(yes, "Forget every device, enrollment and key of the practice cloud"); err != nil {
			return err
		}
		if err := a.ResetPractice(s.ctx); err != nil {
			return err
		}
		return s.told("reset", "practice")
	case "serve":
		return s.serve(a, options)
	}
	info, err := a.PracticeInfo(s.ctx)
	if err != nil {
		return err
	}
	s.showPractice(info, show)
	return nil
}

// serve runs the practice cloud until the context ends, by a signal.
func (s *session) serve(a *app.App, options app.PracticeOptions) error {
	if options.ListenAnywhere {
		s.note("WARNING: the practice cloud listens on every network of this computer. Its keys are for practice only.")
	}
	s.practiceNotice(a)
	return a.ServePractice(s.ctx, options, func(info app.PracticeInfo) {
		s.showPractice(info, false)
		if s.json {
			return
		}
		s.line("")
		s.line("Node:    NODE_EXTRA_CA_CERTS=%s", info.CAFile)
		s.line("Python:  SSL_CERT_FILE=%s", info.CAFile)
		s.line("Linux:   cp %s /usr/local/share/ca-certificates/edgewright-practice.crt && update-ca-certificates", info.CAFile)
		s.line("names:   127.0.0.1 %s   (in /etc/hosts)", strings.Join(info.Names, " "))
		s.line("Keys:    edgewright practice show --show-secrets")
		s.line("The practice cloud serves until it is stopped (Ctrl+C).")
	})
}

func (s *session) showPractice(info app.PracticeInfo, secrets bool) {
	shown := info.Masked()
	if secrets {
		shown = info.Revealed()
	}
	if s.json {
		s.print(shown)
		return
	}
	for _, row := range [][2]string{{"https", shown.HTTPS}, {"mqtt", shown.MQTT}, {"CA file", shown.CAFile}, {"ID scope", shown.IDScope}, {"hub", shown.HubHost}, {"DPS", shown.DPSHost},
		{"global endpoint", shown.GlobalHost}, {"hub connection string", shown.HubConnectionString}, {"DPS connection string", shown.DPSConnectionString}} {
		s.line("%-22s %s", row[0], row[1])
	}
}
