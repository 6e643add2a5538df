package command

func secrets(s *session, args []string) error {
	set := s.flags("secrets")
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	name, rest, err := only(rest, "set", "list", "remove", "bench")
	if err != nil {
		return err
	}
	if name == "bench" {
		return s.bench(rest)
	}
	if name != "list" && len(rest) != 1 {
		return wrongUse("name the secret")
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	switch name {
	case "set":
		value, err := s.secretInput("Secret: ")
		if err != nil {
			return err
		}
		if err := a.SetSecret(s.ctx, rest[0], value); err != nil {
			return err
		}
		return s.told("stored", rest[0])
	case "remove":
		if err := a.RemoveSecret(s.ctx, rest[0]); err != nil {
			return err
		}
		return s.told("removed", rest[0])
	}
	names, err := a.Secrets(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		s.print(names)
		return nil
	}
	for _, name := range names {
		s.line("%s", name)
	}
	return nil
}

// told prints what was done to a thing.
func (s *session) told(what, name string) error {
	if s.json {
		s.print(map[string]string{what: name})
	} else {
		s.line("%s: %s", what, name)
	}
	return nil
}
