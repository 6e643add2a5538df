// Package vault keeps secrets at rest: each one sealed with XChaCha20-Poly1305
// and bound to its name and kind, so that records cannot be swapped.
//
// All records are sealed under one random data key. That key is sealed in turn
// by a key in the operating system's credential store (Secret Service, Windows
// Credential Manager), or by one derived from a passphrase (argon2id, RFC 9106),
// or by both; changing the passphrase rewrites one record.
//
// Where there is neither, secrets of the practice cloud, and no others, are
// sealed under a key file of the user outside the data folder. Such a vault says
// so ([Vault.PracticeOnly]) and answers everything else with [ErrLocked]. A data
// folder that has a key file keeps to it for practice secrets, so that sessions
// with and without a credential store share one practice cloud.
//
// [Open] opens a vault, [Vault.Put] and [Vault.Get] keep named secrets, and a
// [Sealer] seals what another store keeps. Who may read the user's credential
// store or memory can read the secrets: the vault guards files at rest.
package vault
