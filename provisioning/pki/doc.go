// Package pki makes, reads and judges the keys and certificates of IoT Edge
// devices: pure data and checks, no files, no network, no clock of its own.
//
// A [Profile] says what a kind of certificate looks like; [Profiles] are those
// that come with the program. [Issue] makes a certificate by a profile, signed
// by an [Issuer], who may be a key in memory, in a token or anywhere else that
// is a crypto.Signer. [NewRequest] and [ParseRequest] are the two ends of a
// PKCS #10 request. [Read] takes PEM, DER and PFX in any order and mixture,
// [Assemble] makes chains of what was read, [Check] and [Verify] say what is wrong
// with a certificate, a pair or a chain and what to do.
//
// Rules come from RFC 5280 and from what the IoT Edge runtime and Azure accept;
// each place names its source. All times are UTC.
package pki
