//go:build !cgo

package token

// module is missing from a program that was built without C: modules are C
// libraries. Each request says so.
type module struct{}

var errNoC = fail(ErrModule, "this program was built without the parts that load PKCS #11 modules")

func (*module) close()                          {}
func (*module) open(request) (reply, error)     { return reply{}, errNoC }
func (*module) login([]byte) error              { return errNoC }
func (*module) find(request) (reply, error)     { return reply{}, errNoC }
func (*module) generate(request) (reply, error) { return reply{}, errNoC }
func (*module) sign(request) ([]byte, error)    { return nil, errNoC }
