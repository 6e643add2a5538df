// Package esttest is a server for enrollment over secure transport, for tests:
// cacerts, simpleenroll and simplereenroll of RFC 7030, written from that text
// (and RFC 2315, RFC 2986 and RFC 8951, which it leans on) alone. It shares no
// code with package est, so that two readings of the standard meet in each test;
// its own test has curl and openssl as the third.
//
// The server listens on loopback, or where its rules say, with a certificate of a
// CA of its own, whose root is [Server.Trust]. It issues by a second CA,
// [Server.Issuing].
package esttest
