package catalog

import "slices"

// deviceStates are the words that Device.State may have (contract, catalog
// identity).
var deviceStates = []string{"proven", "rehearsed", "configured", "differs", "renew soon", "failed", "unsupported", stateReplaced}

// stateReplaced marks the row of a device whose machine became another one.
const stateReplaced = "replaced"

// careStates are the states that want attention.
var careStates = []string{"failed", "differs", "renew soon", "unsupported"}

func knownState(state string) bool { return slices.Contains(deviceStates, state) }

// replacing tells whether a row in that state says that its machine became
// this device. A failed run leaves open what the machine is, and a judgement
// on the runtime changes nothing about it.
func replacing(state string) bool {
	return state != stateReplaced && state != "failed" && state != "unsupported"
}
