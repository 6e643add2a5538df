package app

import (
	"context"
	"slices"

	"edgewright/app/catalog"
)

// IssuingCAs lists the names of the CAs that can sign here: those whose keys lie
// in the vault or in a token. With the practice cloud its own comes first, as "": it is made
// when it is needed.
func (a *App) IssuingCAs(ctx context.Context, cloud string) ([]string, error) {
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Roles: caRoles, State: catalog.CertificateValid, Limit: maxListed})
	if err != nil {
		return nil, translate(err)
	}
	var names []string
	if cloud == Practice {
		names = append(names, "")
	}
	for _, row := range rows {
		own := row.Subject == practiceIssuingCA || row.Subject == practiceRootCA
		if canSign(row) && !own && !slices.Contains(names, row.Subject) {
			names = append(names, row.Subject)
		}
	}
	return names, nil
}
