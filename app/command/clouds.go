package command

import "edgewright/app"

func clouds(s *session, args []string) error {
	var hub, dps bool
	set := s.flags("clouds")
	set.BoolVar(&hub, "hub", false, "")
	set.BoolVar(&dps, "dps", false, "")
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	name, rest, err := only(rest, "add", "list", "remove")
	if err != nil {
		return err
	}
	if name != "list" && len(rest) != 1 {
		return wrongUse("name the cloud")
	}
	if name == "add" && hub == dps {
		return wrongUse("say --hub or --dps")
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	switch name {
	case "add":
		text, err := s.secretInput("Connection string: ")
		if err != nil {
			return err
		}
		kind := app.HubConnection
		if dps {
			kind = app.DPSConnection
		}
		cloud, err := a.AddCloud(s.ctx, rest[0], kind, text)
		if err != nil {
			return err
		}
		if s.json {
			s.print(cloud)
			return nil
		}
		s.line("%s is added", cloud.Name)
		return nil
	case "remove":
		if err := a.RemoveCloud(s.ctx, rest[0]); err != nil {
			return err
		}
		if s.json {
			s.print(map[string]string{"removed": rest[0]})
			return nil
		}
		s.line("%s is removed", rest[0])
		return nil
	}
	list, err := a.Clouds(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		s.print(list)
		return nil
	}
	rows := [][]string{}
	for _, c := range list {
		rows = append(rows, []string{c.Name, c.HubHost, c.DPSHost, c.IDScope})
	}
	s.table([]string{"cloud", "IoT Hub", "DPS", "ID scope"}, rows)
	return nil
}
