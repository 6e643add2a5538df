package target

import (
	"strconv"
	"strings"
)

// userTable is the users and groups of one machine, as its own files name
// them.
type userTable struct {
	users, groups map[string]int
	userName      map[int]string
	groupName     map[int]string
}

// parseUsers reads /etc/passwd and /etc/group (passwd(5), group(5)). Lines
// that are not of the format are passed over, as libc does. The first entry
// of a name or number holds.
func parseUsers(passwd, group []byte) userTable {
	t := userTable{users: map[string]int{}, groups: map[string]int{}, userName: map[int]string{}, groupName: map[int]string{}}
	readIDs(passwd, 7, t.users, t.userName)
	readIDs(group, 4, t.groups, t.groupName)
	return t
}

func readIDs(text []byte, fields int, byName map[string]int, byID map[int]string) {
	for line := range strings.Lines(string(text)) {
		parts := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(parts) < fields || parts[0] == "" || strings.HasPrefix(parts[0], "#") || strings.HasPrefix(parts[0], "+") || strings.HasPrefix(parts[0], "-") {
			continue
		}
		id, err := strconv.ParseUint(parts[2], 10, 32)
		if err != nil || id >= 1<<31 {
			continue
		}
		if _, ok := byName[parts[0]]; !ok {
			byName[parts[0]] = int(id)
		}
		if _, ok := byID[int(id)]; !ok {
			byID[int(id)] = parts[0]
		}
	}
}

func (t userTable) nameOf(uid, gid int) (owner, group string) {
	owner, group = t.userName[uid], t.groupName[gid]
	if owner == "" {
		owner = strconv.Itoa(uid)
	}
	if group == "" {
		group = strconv.Itoa(gid)
	}
	return owner, group
}
