package command

import "edgewright/app"

// bench manages the identities that open bundles on this computer.
func (s *session) bench(args []string) error {
	name, rest, err := only(args, "make", "list", "show")
	if err != nil {
		return err
	}
	if (name == "list") != (len(rest) == 0) || len(rest) > 1 {
		return wrongUse("secrets bench make and show take one name, list takes none")
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	if name == "list" {
		list, err := a.BenchIdentities(s.ctx)
		if err != nil {
			return err
		}
		if s.json {
			s.print(list)
			return nil
		}
		rows := [][]string{}
		for _, identity := range list {
			rows = append(rows, []string{identity.Name, identity.Recipient})
		}
		s.table([]string{"name", "recipient"}, rows)
		return nil
	}
	find := a.BenchIdentity
	if name == "make" {
		find = a.MakeBenchIdentity
	}
	identity, err := find(s.ctx, rest[0])
	if err != nil {
		return err
	}
	s.benchIdentity(identity)
	return nil
}

func (s *session) benchIdentity(identity app.BenchIdentity) {
	if s.json {
		s.print(identity)
		return
	}
	s.line("%s", identity.Recipient)
}
