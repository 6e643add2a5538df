package command

func cells(s *session, args []string) error {
	set := s.flags("cells")
	if rest, err := s.parse(set, args); err != nil || len(rest) > 0 {
		return extra(rest, err)
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	board, err := a.Cells(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		s.print(board)
		return nil
	}
	rows := [][]string{}
	for _, cell := range board {
		can := "yes"
		if !cell.Available {
			can = cell.Reason
		}
		proven := "never"
		if cell.LastProof != nil {
			proven = cell.LastProof.Local().Format("2006-01-02 15:04")
		}
		rows = append(rows, []string{string(cell.Platform), string(cell.Provisioning), string(cell.Authentication), can, cell.Support.State, cell.Support.Until, proven})
	}
	s.table([]string{"platform", "provisioning", "authentication", "can be run", "support", "until", "last proof"}, rows)
	return nil
}
