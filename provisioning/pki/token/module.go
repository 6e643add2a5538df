//go:build cgo

package token

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/pkcs11"

	"edgewright/provisioning/secret"
)

// module is a loaded module with a session of one token. It lives in the
// process that Serve runs in.
type module struct {
	ctx     *pkcs11.Ctx
	session pkcs11.SessionHandle
	opened  bool
	keys    []heldKey
	// pin is kept for keys that want it before each signature.
	pin secret.Value
}

func (m *module) close() {
	m.pin.Wipe()
	if m.opened {
		_ = m.ctx.CloseSession(m.session)
	}
	if m.ctx != nil {
		_ = m.ctx.Finalize()
	}
}

// refused turns an error of the module into one with a kind.
func refused(what string, err error) error {
	if err == nil {
		return nil
	}
	kind := ErrRefused
	var code pkcs11.Error
	if errors.As(err, &code) {
		switch uint(code) {
		case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE:
			kind = ErrPIN
		case pkcs11.CKR_PIN_LOCKED:
			kind = ErrLocked
		case pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED:
			kind = ErrRemoved
		case pkcs11.CKR_MECHANISM_INVALID, pkcs11.CKR_MECHANISM_PARAM_INVALID, pkcs11.CKR_KEY_SIZE_RANGE, pkcs11.CKR_DOMAIN_PARAMS_INVALID,
			pkcs11.CKR_FUNCTION_NOT_SUPPORTED, pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED, pkcs11.CKR_KEY_TYPE_INCONSISTENT:
			kind = ErrUnsupported
		}
	}
	return fail(kind, "%s: %s", what, strings.TrimPrefix(err.Error(), "pkcs11: "))
}

// open loads the module and opens a session of the one token that the address
// fits.
func (m *module) open(q request) (reply, error) {
	address, err := ParseURI(q.Address)
	if err != nil {
		return reply{}, err
	}
	if m.ctx != nil {
		return reply{}, fail(ErrRefused, "a module is loaded already")
	}
	if m.ctx = pkcs11.New(q.Module); m.ctx == nil {
		return reply{}, fail(ErrModule, "the file %s is no PKCS #11 module for this system, or a library that it needs is missing", q.Module)
	}
	if err := m.ctx.Initialize(); err != nil {
		m.ctx.Destroy()
		m.ctx = nil
		return reply{}, fail(ErrModule, "the module %s does not start: %s", q.Module, err)
	}
	slot, info, err := m.pick(address)
	if err != nil {
		return reply{}, err
	}
	if m.session, err = m.ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil {
		// A write-protected token still signs.
		if m.session, err = m.ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
			return reply{}, refused("open a session", err)
		}
	}
	m.opened = true
	return reply{Info: &info}, nil
}

// pick finds the slot whose token fits the address.
func (m *module) pick(address URI) (uint, Info, error) {
	slots, err := m.ctx.GetSlotList(true)
	if err != nil {
		return 0, Info{}, refused("list the slots", err)
	}
	library, err := m.ctx.GetInfo()
	if err != nil {
		return 0, Info{}, refused("ask for the module's name", err)
	}
	var fitting []uint
	var infos []Info
	var names []string
	for _, slot := range slots {
		place, err := m.ctx.GetSlotInfo(slot)
		if err != nil {
			continue // a reader that was pulled out meanwhile
		}
		token, err := m.ctx.GetTokenInfo(slot)
		if err != nil || token.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue
		}
		names = append(names, fmt.Sprintf("%q (serial %s)", tidy(token.Label), tidy(token.SerialNumber)))
		if !address.fits(library, slot, place, token) {
			continue
		}
		has := func(flag uint) bool { return token.Flags&flag != 0 }
		fitting = append(fitting, slot)
		infos = append(infos, Info{Label: tidy(token.Label), Serial: tidy(token.SerialNumber), Manufacturer: tidy(token.ManufacturerID), Model: tidy(token.Model),
			NeedsLogin: has(pkcs11.CKF_LOGIN_REQUIRED), PINPad: has(pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH),
			CountLow: has(pkcs11.CKF_USER_PIN_COUNT_LOW), FinalTry: has(pkcs11.CKF_USER_PIN_FINAL_TRY), Locked: has(pkcs11.CKF_USER_PIN_LOCKED)})
	}
	switch {
	case len(fitting) == 1:
		return fitting[0], infos[0], nil
	case len(fitting) > 1:
		return 0, Info{}, fail(ErrAmbiguous, "several tokens fit the address: %s", strings.Join(names, ", "))
	case len(names) == 0:
		return 0, Info{}, fail(ErrNotFound, "the module shows no token that is set up")
	}
	return 0, Info{}, fail(ErrNotFound, "no token fits the address; the module shows %s", strings.Join(names, ", "))
}

// tidy takes off the padding of the standard's fixed fields and what would
// garble a line.
func tidy(field string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c == 0x7f {
			return -1
		}
		return c
	}, strings.TrimRight(field, " \x00"))
}

// fits compares the attributes of the address with a slot and its token (RFC
// 7512, 2.3).
func (u URI) fits(library pkcs11.Info, slot uint, place pkcs11.SlotInfo, token pkcs11.TokenInfo) bool {
	version := fmt.Sprintf("%d.%d", library.LibraryVersion.Major, library.LibraryVersion.Minor)
	for name, value := range map[string]string{attrToken: token.Label, "manufacturer": token.ManufacturerID, attrSerial: token.SerialNumber, "model": token.Model,
		"library-manufacturer": library.ManufacturerID, "library-description": library.LibraryDescription,
		"slot-manufacturer": place.ManufacturerID, "slot-description": place.SlotDescription, "slot-id": strconv.FormatUint(uint64(slot), 10)} {
		if want, ok := u.path[name]; ok && want != strings.TrimRight(value, " \x00") {
			return false
		}
	}
	want, ok := u.path["library-version"]
	return !ok || want == version || want+".0" == version
}

func (m *module) login(pin []byte) error {
	if !m.opened {
		return fail(ErrRefused, "no token is open")
	}
	m.pin = secret.New(bytes.Clone(pin))
	err := m.ctx.Login(m.session, pkcs11.CKU_USER, m.pin.RevealString())
	var code pkcs11.Error
	if errors.As(err, &code) && uint(code) == pkcs11.CKR_USER_ALREADY_LOGGED_IN {
		return nil
	}
	return refused("log in", err)
}
