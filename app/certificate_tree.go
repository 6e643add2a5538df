package app

import (
	"context"

	"edgewright/app/catalog"
)

// CertificateNode is a certificate of the tree by issuer.
type CertificateNode struct {
	CertificateView
	// Issued is how many certificates of the catalog it has signed; a search
	// does not count them.
	Issued int
	// Hit tells what a search found from the issuers that only lead there.
	Hit bool
}

// CertificatePage is a part of what one issuer has signed, by subject.
type CertificatePage struct {
	Nodes []CertificateNode
	// Of is how many there are.
	Of int
}

// CertificatesUnder gives the certificates that a CA has signed, by its ID, limit
// of them from offset on; an empty ID means those at the top of the tree: roots
// and what no known CA has signed.
func (a *App) CertificatesUnder(ctx context.Context, issuerID string, offset, limit int) (CertificatePage, error) {
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Issuer: issuerID, Top: issuerID == "", Offset: offset, Limit: limit})
	if err != nil {
		return CertificatePage{}, translate(err)
	}
	nodes, err := a.certificateNodes(ctx, rows)
	if err != nil {
		return CertificatePage{}, err
	}
	of, err := a.catalog.Issued(ctx, []string{issuerID})
	return CertificatePage{Nodes: nodes, Of: of[issuerID]}, translate(err)
}

func (a *App) certificateNodes(ctx context.Context, rows []catalog.Certificate) ([]CertificateNode, error) {
	views, err := a.certificateViews(rows)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(views))
	for i, view := range views {
		ids[i] = view.ID
	}
	issued, err := a.catalog.Issued(ctx, ids)
	if err != nil {
		return nil, translate(err)
	}
	nodes := make([]CertificateNode, len(views))
	for i, view := range views {
		nodes[i] = CertificateNode{CertificateView: view, Issued: issued[view.ID]}
	}
	return nodes, nil
}

// CertificateHits are the certificates that a search found, by subject, with the
// issuers above them, so that each has its place in the tree.
type CertificateHits struct {
	Nodes []CertificateNode
	// More tells that the search finds more than were asked for.
	More bool
}

// FindCertificates searches subjects, devices, serial numbers, thumbprints and
// profiles.
func (a *App) FindCertificates(ctx context.Context, text string, limit int) (CertificateHits, error) {
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Text: text, Limit: limit + 1})
	if err != nil {
		return CertificateHits{}, translate(err)
	}
	hits := CertificateHits{More: len(rows) > limit}
	rows = rows[:min(limit, len(rows))]
	found := len(rows)
	known := map[string]bool{}
	for _, row := range rows {
		known[row.ID] = true
	}
	for level := rows; len(level) > 0; {
		var missing []string
		for _, row := range level {
			if row.IssuerID != "" && !known[row.IssuerID] {
				known[row.IssuerID] = true
				missing = append(missing, row.IssuerID)
			}
		}
		if level, err = a.catalog.CertificatesByIDs(ctx, missing); err != nil {
			return CertificateHits{}, translate(err)
		}
		rows = append(rows, level...)
	}
	views, err := a.certificateViews(rows)
	if err != nil {
		return CertificateHits{}, err
	}
	for i, view := range views {
		hits.Nodes = append(hits.Nodes, CertificateNode{CertificateView: view, Hit: i < found})
	}
	return hits, nil
}

// CertificatePath names the issuers above a certificate, the top first, and the
// certificate itself last.
func (a *App) CertificatePath(ctx context.Context, id string) ([]string, error) {
	var path []string
	for id != "" && len(path) < maxChain {
		row, err := a.catalog.Certificate(ctx, id)
		if err != nil {
			return nil, translate(err)
		}
		path, id = append([]string{row.ID}, path...), row.IssuerID
	}
	return path, nil
}
