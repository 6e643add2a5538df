package practice

import "strings"

// allowOwner lets policy provisioningserviceowner pass, which has every right.
// A new DPS has no other policy.
func (x *exchange) allowOwner() *answer {
	keys := x.c.settings().DPSKey
	token := x.shown.token
	if token.Policy == policyDPSOwner && token.Covers(dpsName+"/"+strings.Join(x.segments, "/")) && x.shown.signedBy(&keys) {
		return nil
	}
	a := x.refuse(unauthorized)
	return &a
}
