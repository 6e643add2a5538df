package command

func backup(s *session, args []string) error {
	var yes bool
	set := s.flags("backup")
	set.BoolVar(&yes, "yes", false, "")
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	name, rest, err := only(rest, "make", "restore")
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return wrongUse("name one file")
	}
	if name == "restore" {
		if err := s.agreed(yes, "Replace the catalog by "+rest[0]); err != nil {
			return err
		}
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	if name == "make" {
		if err := a.MakeBackup(s.ctx, rest[0]); err != nil {
			return err
		}
		return s.told("made", rest[0])
	}
	kept, err := a.RestoreBackup(s.ctx, rest[0])
	if err != nil {
		return err
	}
	if !s.json {
		s.note("The catalog from before is kept as %s.", kept)
	}
	return s.told("restored", rest[0])
}
