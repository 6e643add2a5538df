package bundle

import (
	"archive/tar"
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"

	"edgewright/provisioning/secret"
)

// Open decrypts a bundle with the identities and checks all of it. The errors
// wrap ErrRecipient, ErrDamaged, ErrVersion or ErrRefused and hold nothing of
// what was read but names of members.
func Open(sealed []byte, with ...age.Identity) (Bundle, error) {
	if len(sealed) > MaxSealed {
		return Bundle{}, refuse("it has more than %d bytes", MaxSealed)
	}
	if len(with) == 0 {
		return Bundle{}, fmt.Errorf("%w: there is no identity to open it with", ErrRecipient)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), with...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return Bundle{}, ErrRecipient
	}
	if err != nil {
		return Bundle{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	plain, err := io.ReadAll(r)
	defer clear(plain)
	if err != nil {
		return Bundle{}, fmt.Errorf("%w: it is cut off or was changed", ErrDamaged)
	}
	return unpack(plain)
}

// unpack reads and checks the archive.
func unpack(plain []byte) (Bundle, error) {
	files, err := readArchive(plain)
	if err != nil {
		return Bundle{}, err
	}
	list, err := readManifest(files)
	if err != nil {
		return Bundle{}, err
	}
	b := Bundle{Batch: list.Batch, Device: list.Device, Made: list.Made}
	for _, file := range files[1:] {
		data := bytes.Clone(file.data) // plain is cleared
		switch file.name {
		case PlanName:
			b.Plan = data
		case ChainName:
			b.Identity.Chain = data
		case KeyName:
			b.Identity.Key = secret.New(data)
		case EdgeChainName:
			b.EdgeCA = &Pair{Chain: data}
		case EdgeKeyName:
			b.EdgeCA.Key = secret.New(data)
		case TrustName:
			b.Trust = data
		}
	}
	leaf, err := b.Identity.check("identity")
	if err != nil {
		return Bundle{}, err
	}
	if b.EdgeCA != nil {
		if _, err := b.EdgeCA.check("Edge CA"); err != nil {
			return Bundle{}, err
		}
	}
	if leaf.Subject.CommonName != b.Device {
		return Bundle{}, refuse("the identity is not that of the manifest's device")
	}
	if len(b.Trust) > 0 {
		if _, err := certificates(b.Trust); err != nil {
			return Bundle{}, refuse("%s: %s", TrustName, err)
		}
	}
	return b, nil
}

// orders are the lists of members that there can be, each in its order.
var orders = [][]string{
	{manifestName, PlanName, ChainName, KeyName},
	{manifestName, PlanName, ChainName, KeyName, TrustName},
	{manifestName, PlanName, ChainName, KeyName, EdgeChainName, EdgeKeyName},
	{manifestName, PlanName, ChainName, KeyName, EdgeChainName, EdgeKeyName, TrustName},
}

// maxMembers is the longest of them.
const maxMembers = 7

// readArchive takes plain files by their names alone; nothing is written.
func readArchive(plain []byte) ([]member, error) {
	source := bytes.NewReader(plain)
	r := tar.NewReader(source)
	var files []member
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, refuse("it is no archive")
		}
		switch {
		case len(files) == maxMembers:
			return nil, refuse("it has too many members")
		case header.Typeflag != tar.TypeReg || len(header.PAXRecords) > 0:
			return nil, refuse("a member is not a plain file")
		case header.Size < 0 || header.Size > int64(source.Len()):
			return nil, refuse("the member %s has an impossible size", printable(header.Name))
		}
		data := make([]byte, header.Size)
		if _, err := io.ReadFull(r, data); err != nil {
			return nil, refuse("the member %s is cut off", printable(header.Name))
		}
		files = append(files, member{header.Name, data})
	}
	if source.Len() > 0 {
		return nil, refuse("something follows the archive")
	}
	if len(files) == 0 || files[0].name != manifestName {
		return nil, refuse("it does not begin with its manifest")
	}
	if _, err := versionOf(files[0].data); err != nil {
		return nil, err // another version may have other members
	}
	names := []string{}
	for _, file := range files {
		names = append(names, file.name)
	}
	if !slices.ContainsFunc(orders, func(order []string) bool { return slices.Equal(order, names) }) {
		return nil, refuse("its members are not those of a bundle")
	}
	return files, nil
}

func versionOf(text []byte) (int, error) {
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if json.Unmarshal(text, &head) != nil || head.Format != formatName {
		return 0, refuse("its manifest is not that of a bundle")
	}
	if head.Version != Version {
		return head.Version, fmt.Errorf("%w: it has version %d, this program reads %d", ErrVersion, head.Version, Version)
	}
	return head.Version, nil
}

// readManifest checks that the manifest names what is there, and nothing else.
func readManifest(files []member) (manifest, error) {
	var list manifest
	decoder := json.NewDecoder(bytes.NewReader(files[0].data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil || decoder.InputOffset() != int64(len(files[0].data)) {
		return list, refuse("its manifest does not read")
	}
	named := files[1:]
	if len(list.Files) != len(named) {
		return list, refuse("its manifest names other members")
	}
	for i, file := range named {
		sum := sha256.Sum256(file.data)
		if entry := list.Files[i]; entry != (manifestEntry{file.name, len(file.data), hex.EncodeToString(sum[:])}) {
			return list, refuse("the member %s is not the one of the manifest", file.name)
		}
	}
	return list, nil
}

// check looks whether chain and key read and belong together.
func (p Pair) check(what string) (*x509.Certificate, error) {
	chain, err := certificates(p.Chain)
	if err != nil {
		return nil, refuse("the %s: %s", what, err)
	}
	block, rest := pem.Decode(p.Key.Reveal())
	if block == nil || block.Type != "PRIVATE KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, refuse("the key of the %s is no PKCS #8 key", what)
	}
	defer clear(block.Bytes)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, refuse("the key of the %s does not read", what)
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(chain[0].PublicKey) {
		return nil, refuse("the key of the %s is not that of its certificate", what)
	}
	return chain[0], nil
}

// certificates reads PEM that is nothing but certificates, one or more.
func certificates(text []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for {
		block, rest := pem.Decode(text)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("it is not a list of certificates")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("a certificate in it does not read")
		}
		chain = append(chain, cert)
		if text = rest; len(bytes.TrimSpace(text)) == 0 {
			return chain, nil
		}
	}
}

// printable keeps a name of outside input to letters, digits and a few signs.
func printable(text string) string {
	kept := make([]rune, 0, 40)
	for _, c := range text {
		if c < 0x20 || c > 0x7e || len(kept) == cap(kept) {
			break
		}
		kept = append(kept, c)
	}
	return fmt.Sprintf("%q", string(kept))
}
