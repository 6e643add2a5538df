// Package token signs with keys that lie in a PKCS #11 token: a smart card, a
// hardware security module, or SoftHSM. A key is named by its address (RFC
// 7512) and never leaves the token; what comes out of this package is a
// crypto.Signer.
//
// A token is reached through its maker's module, a library that is loaded into
// the process. It may crash, hang or lie, so it is loaded into a process of its
// own: the program started again, which runs Serve. Open starts it, asks for
// the PIN and gives a Session; its keys check each signature before they hand
// it out. Whatever happens to the module is an error of this package and never
// the end of the program. A PIN goes to that process over its standard input,
// is tried once and never again by itself: tokens lock after a few wrong ones.
//
// PKCS #11 is the standard of OASIS, version 2.40 and later
// (https://docs.oasis-open.org/pkcs11/pkcs11-base/v2.40/os/pkcs11-base-v2.40-os.html).
package token
