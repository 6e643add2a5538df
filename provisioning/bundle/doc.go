// Package bundle packs what one device needs to become itself (its plan, its
// identity certificate and key, an Edge CA where it has one, the roots it
// trusts) into one sealed file, and opens such files.
//
// A bundle is an age file (age-encryption.org/v1, binary) around a tar archive
// with a closed list of members, the manifest first; docs/bundles.md states the
// format. [Seal] and [Open] are the two ends. Everything that Open returns has
// been checked: sizes and hashes against the manifest, the identity against the
// manifest's device, the keys against their certificates. Whether the chain ends
// at a CA that the reader trusts is the caller's question: anybody can seal a
// bundle for a recipient.
//
// Recipients and identities are those of age (X25519) and SSH keys (ed25519 and
// RSA); see [ParseRecipient] and [ParseIdentity].
package bundle
