// Package est is the client side of enrollment over secure transport (RFC 7030,
// with the clarifications of RFC 8951): [Client.CACerts], [Client.SimpleEnroll]
// and [Client.SimpleReenroll].
//
// It asks as strictly as the IoT Edge runtime does, so that what works here
// works on a device: HTTPS only, the server known by explicit trust anchors (or
// the system's roots), the client by a certificate, by name and password, or by
// both. Redirects are not followed, answers are bounded, and an answer counts
// only if it is what was asked for: a certificate for the key of the request.
//
// Keys and requests come from the caller; nothing is kept. Errors are *[Error]
// and hold no secret. The test server is package esttest, which shares no code
// with this one.
package est
