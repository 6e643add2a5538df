package certificates

import (
	"time"

	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/ui/widgets"
)

// portion is how many certificates of one issuer are read at once; the row behind
// them gets the next ones.
const portion = 200

// moreOf is the identity of the row that stands for the rest of a branch.
func moreOf(id string) string { return "more of " + id }

// branch is an issuer with those of its certificates that were read. The one
// without an ID is the ground that the roots stand on.
type branch struct {
	id      string
	leaves  []app.CertificateNode
	of      int
	open    bool
	reading bool
}

// forest is the tree by issuer as far as it was opened. Closed branches keep what
// was read, and are read again when the catalog changes and they are opened.
type forest struct {
	branches map[string]*branch
	nodes    map[string]app.CertificateNode
}

func newForest() *forest {
	return &forest{branches: map[string]*branch{"": {open: true}}, nodes: map[string]app.CertificateNode{}}
}

// at is the branch of an issuer.
func (f *forest) at(id string) *branch {
	if f.branches[id] == nil {
		f.branches[id] = &branch{id: id}
	}
	return f.branches[id]
}

// put takes a portion that was read from offset on.
func (f *forest) put(id string, offset int, page app.CertificatePage) {
	b := f.at(id)
	b.leaves, b.of, b.reading = append(b.leaves[:min(offset, len(b.leaves)):len(b.leaves)], page.Nodes...), page.Of, false
	for _, node := range page.Nodes {
		f.nodes[node.ID] = node
	}
}

// rows are the rows that are open, from the top.
func (f *forest) rows(now time.Time) []widgets.TreeRow {
	return f.grow(nil, "", 0, now)
}

func (f *forest) grow(rows []widgets.TreeRow, id string, depth int, now time.Time) []widgets.TreeRow {
	b := f.branches[id]
	for _, node := range b.leaves {
		row := treeRow(node, now)
		row.Depth, row.Branch = depth, node.Issued > 0
		below := f.branches[node.ID]
		row.Open = row.Branch && below != nil && below.open
		rows = append(rows, row)
		if row.Open {
			rows = f.grow(rows, node.ID, depth+1, now)
		}
	}
	if rest := b.of - len(b.leaves); rest > 0 {
		text := lang.XN("certificates.more", "{{.N}} more", rest, map[string]any{"N": rest})
		rows = append(rows, widgets.TreeRow{Identity: moreOf(id), Depth: depth, Title: text, More: true,
			Line: lang.X("certificates.more.line", "Enter shows the next ones")})
	}
	return rows
}

// found are the rows of a search: what was found, under its issuers.
func found(hits app.CertificateHits, now time.Time) []widgets.TreeRow {
	below := map[string][]app.CertificateNode{}
	known := map[string]bool{}
	for _, node := range hits.Nodes {
		known[node.ID] = true
	}
	for _, node := range hits.Nodes {
		issuer := node.IssuerID
		if !known[issuer] {
			issuer = ""
		}
		below[issuer] = append(below[issuer], node)
	}
	var rows []widgets.TreeRow
	var grow func(id string, depth int)
	grow = func(id string, depth int) {
		for _, node := range below[id] {
			row := treeRow(node, now)
			row.Depth, row.Muted = depth, !node.Hit
			rows = append(rows, row)
			grow(node.ID, depth+1)
		}
	}
	grow("", 0)
	return rows
}

// treeRow is a certificate as a row.
func treeRow(node app.CertificateNode, now time.Time) widgets.TreeRow {
	title := node.Subject
	if title == "" {
		title = node.Serial
	}
	return widgets.TreeRow{Identity: node.ID, Title: title, Line: rowLine(node), Status: lamp(node.CertificateView, now)}
}

// rowLine says what a certificate is, and of a CA where its key is.
func rowLine(node app.CertificateNode) string {
	switch {
	case isCA(node.Role):
		return lang.X("certificates.row", "{{.Role}}, {{.Key}}", map[string]any{"Role": roleWord(node.Role), "Key": keyPlace(node.Key.Place)})
	case node.Device != "" && node.Device != node.Subject:
		return lang.X("certificates.row.device", "{{.Role}} of {{.Device}}", map[string]any{"Role": roleWord(node.Role), "Device": node.Device})
	}
	return roleWord(node.Role)
}
