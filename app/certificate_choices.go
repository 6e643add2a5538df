package app

import (
	"context"
	"slices"
	"strings"

	"edgewright/app/catalog"
)

// IssuingCAs lists the CAs that can sign here, those whose keys lie in the vault
// or in a token: by their names, or by their SHA-256 where several have a name and
// keys of their own. With the practice cloud its own comes first, as "": it is made
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
	bySubject := map[string][]catalog.Certificate{}
	for _, row := range rows {
		name := strings.ToLower(row.Subject)
		bySubject[name] = append(bySubject[name], row)
	}
	for _, row := range rows {
		own := row.Subject == practiceIssuingCA || row.Subject == practiceRootCA
		name := row.Subject
		if !sameKeys(bySubject[strings.ToLower(name)]) {
			name = row.SHA256
		}
		if canSign(row) && !own && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}
