package hostdetect

import (
	"context"
	"fmt"
)

// DetectLocal looks at this computer. Endpoints are tried by this process; the
// clock is compared only where the options hold a server's date.
func DetectLocal(ctx context.Context, o Options) (Report, error) {
	o.Local = true
	reach := o.Reach
	o.Reach = nil
	r, err := detectLocal(ctx, o)
	if err != nil {
		return Report{}, err
	}
	r.Store = credentialStore(ctx)
	switch r.Store.State {
	case Found:
		r.found(FactStore, r.Store.Name, storeHow)
	case Absent:
		r.absent(FactStore, storeHow)
	default:
		r.unknown(FactStore, storeHow, "the session bus did not answer")
	}
	if len(reach) > 0 {
		r.Reach = reachLocal(ctx, reach)
		r.addReachFacts()
	}
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("look at this computer: %w", err)
	}
	return r, nil
}
