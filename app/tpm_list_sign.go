package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
)

// listVersion is the version of the form of lists and of their signatures.
const listVersion = 1

// signatureEnding is what the name of a CSV list's signature adds to the list's.
const signatureEnding = ".sig"

// listSignature is a station's signature over the cells of a list, and not over the
// bytes of the file: a spreadsheet that saves a list with other quotes, separators
// and line ends leaves it good, one that changes a cell does not. In JSON it stands
// in the list; CSV, where other programs expect nothing but rows, has it in a file
// of its own.
type listSignature struct {
	Version     int    `json:"version"`
	Station     string `json:"station"`
	Made        string `json:"made"`      // RFC 3339
	Algorithm   string `json:"algorithm"` // Ed25519 (RFC 8032)
	PublicKey   string `json:"public_key"`
	Fingerprint string `json:"fingerprint"`
	Value       string `json:"value"`
}

// StationKey is who signs lists of endorsement keys.
type StationKey struct {
	Station string `json:"station"`
	// Fingerprint is "SHA256:" and base64 of SHA-256 over the 32 bytes of the
	// public key, without padding.
	Fingerprint string `json:"fingerprint"`
}

func stationFingerprint(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// stationSecret is the name of the station's key in the vault.
const stationSecret = "station/key"

// StationKey is the key that this data folder signs lists with; the first call makes
// it. Its secret part never leaves the vault.
func (a *App) StationKey(ctx context.Context) (StationKey, error) {
	_, key, err := a.stationKey(ctx)
	return key, err
}

func (a *App) stationKey(ctx context.Context) (ed25519.PrivateKey, StationKey, error) {
	name, err := a.station(ctx)
	if err != nil {
		return nil, StationKey{}, err
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, StationKey{}, err
	}
	seed, err := v.Get(ctx, stationSecret)
	if errors.Is(err, vault.ErrNotFound) {
		seed = secret.New(randomBytes(ed25519.SeedSize))
		err = v.Put(ctx, stationSecret, vault.User, seed)
	}
	if err != nil {
		return nil, StationKey{}, translate(err)
	}
	if len(seed.Reveal()) != ed25519.SeedSize {
		return nil, StationKey{}, fmt.Errorf("the station's key in the vault has %d bytes, not %d", len(seed.Reveal()), ed25519.SeedSize)
	}
	key := ed25519.NewKeyFromSeed(seed.Reveal())
	public, _ := key.Public().(ed25519.PublicKey)
	its := StationKey{Station: name, Fingerprint: stationFingerprint(public)}
	// What this station signed comes back without a question.
	err = a.catalog.AcceptTPMStation(ctx, catalog.TPMStation{Fingerprint: its.Fingerprint, Public: public, Name: name, Accepted: a.now()})
	return key, its, translate(err)
}

// signedText is what a signature is over: the head, then each cell with its length
// in front, so that no two lists have the same text.
func (s listSignature) signedText(cells [][]string) []byte {
	var text bytes.Buffer
	text.WriteString("edgewright list of endorsement keys\n")
	put := func(cell string) {
		text.WriteString(strconv.Itoa(len(cell)))
		text.WriteByte(':')
		text.WriteString(cell)
	}
	for _, head := range []string{strconv.Itoa(s.Version), s.Station, s.Made, strconv.Itoa(len(cells)), strconv.Itoa(len(keyColumns))} {
		put(head)
	}
	for _, row := range cells {
		for _, cell := range row {
			put(cell)
		}
	}
	return text.Bytes()
}

func signList(key ed25519.PrivateKey, station StationKey, cells [][]string, now time.Time) *listSignature {
	public, _ := key.Public().(ed25519.PublicKey)
	s := &listSignature{Version: listVersion, Station: station.Station, Made: now.UTC().Format(time.RFC3339), Algorithm: "Ed25519",
		PublicKey: base64.StdEncoding.EncodeToString(public), Fingerprint: station.Fingerprint}
	s.Value = base64.StdEncoding.EncodeToString(ed25519.Sign(key, s.signedText(cells)))
	return s
}

// parseSignature reads the file beside a CSV list.
func parseSignature(data []byte) (*listSignature, error) {
	var s listSignature
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&s)
	if err == nil && len(bytes.TrimSpace(data[decoder.InputOffset():])) > 0 {
		err = errors.New("something stands behind its end")
	}
	if err != nil {
		return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The signature of the list does not read.",
			Hint: "Fetch the list and the file " + signatureEnding + " beside it again from the station.", Err: err}
	}
	return &s, nil
}

// verify tells whether a station signed these cells, and gives its key.
func (s *listSignature) verify(cells [][]string) (ed25519.PublicKey, error) {
	refused := func(problem string) (ed25519.PublicKey, error) {
		return nil, &provisioning.Error{Kind: provisioning.ErrRefused, Message: problem,
			Hint: "Fetch it again from the station. In a spreadsheet, import all columns as text: it may have changed an ID that looks like a number or a date."}
	}
	if s.Version != listVersion || s.Algorithm != "Ed25519" {
		return refused(fmt.Sprintf("The list is signed in a form that this program does not know (version %d, %q).", s.Version, s.Algorithm))
	}
	if len(s.Station) > 64 || strings.ContainsFunc(s.Station, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return refused("The name of the station in the signature is not one.")
	}
	public, err := base64.StdEncoding.Strict().DecodeString(s.PublicKey)
	if err != nil || len(public) != ed25519.PublicKeySize || stationFingerprint(public) != s.Fingerprint {
		return refused("The station's public key in the signature does not fit its fingerprint.")
	}
	value, err := base64.StdEncoding.Strict().DecodeString(s.Value)
	if err != nil || !ed25519.Verify(public, s.signedText(cells), value) {
		return refused("The list is not as station " + s.Station + " signed it: a cell was changed, or a row was added, removed or moved.")
	}
	return public, nil
}
