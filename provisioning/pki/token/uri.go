package token

import (
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Scheme begins each address.
const Scheme = "pkcs11:"

// maxURI is how many bytes an address may have, maxValues how many its values
// have together when they are decoded; real ones have two hundred. What reads
// can be written: three bytes for each byte of a value, and the names.
const (
	maxURI    = 4096
	maxValues = 1024
)

// URI is the address of a token or of a key in it (RFC 7512). Its zero value
// fits every token and names no module. Values are not changed after they are
// made.
type URI struct {
	// path has the attributes that select, by name, decoded.
	path map[string]string
	// modulePath is a file, moduleName the name of one without folder, "lib"
	// and extension.
	modulePath, moduleName string
}

// The path attributes that are used by name here.
const (
	attrToken  = "token"
	attrSerial = "serial"
	attrObject = "object"
	attrType   = "type"
	attrID     = "id"
)

// pathNames are the path attributes of RFC 7512, 2.3, in the order in which an
// address is written.
var pathNames = []string{attrToken, "manufacturer", attrSerial, "model", "library-manufacturer", "library-description", "library-version",
	"slot-manufacturer", "slot-description", "slot-id", attrObject, attrType, attrID}

// objectTypes are the values of type.
var objectTypes = []string{"private", "public", "cert", "secret-key", "data"}

// Unreserved characters of RFC 3986 and what RFC 7512, 2.3 adds to them.
const (
	plainEverywhere = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:[]@!$'()*+,="
	plainInPath     = plainEverywhere + "&"
	plainInQuery    = plainEverywhere + "/?|"
)

// ParseURI reads an address strictly: attributes that RFC 7512 does not know,
// that stand there twice or that have characters or values it does not allow
// are refused, and so are PINs, which have no place in an address. Errors are
// ErrURI and never quote a value.
func ParseURI(text string) (URI, error) {
	if len(text) > maxURI {
		return URI{}, fail(ErrURI, "the address has more than %d characters", maxURI)
	}
	if len(text) < len(Scheme) || !strings.EqualFold(text[:len(Scheme)], Scheme) {
		return URI{}, fail(ErrURI, "the address does not begin with pkcs11:")
	}
	path, query, hasQuery := strings.Cut(text[len(Scheme):], "?")
	u := URI{path: map[string]string{}}
	if path != "" {
		for attribute := range strings.SplitSeq(path, ";") {
			if err := u.addPath(attribute); err != nil {
				return URI{}, err
			}
		}
	}
	if hasQuery {
		for attribute := range strings.SplitSeq(query, "&") {
			if err := u.addQuery(attribute); err != nil {
				return URI{}, err
			}
		}
	}
	size := len(u.modulePath) + len(u.moduleName)
	for _, value := range u.path {
		size += len(value)
	}
	if size > maxValues {
		return URI{}, fail(ErrURI, "the address has values of more than %d bytes", maxValues)
	}
	if u.modulePath != "" && u.moduleName != "" {
		return URI{}, fail(ErrURI, "the address has module-path and module-name; one is enough")
	}
	return u, nil
}

func (u *URI) addPath(attribute string) error {
	name, value, err := splitAttribute(attribute, plainInPath)
	if err != nil {
		return err
	}
	if !slices.Contains(pathNames, name) {
		return fail(ErrURI, "the address has an attribute that does not belong before its ?; RFC 7512 knows %s there", strings.Join(pathNames, ", "))
	}
	if _, twice := u.path[name]; twice {
		return fail(ErrURI, "the address has %s twice", name)
	}
	if err := checkPathValue(name, value); err != nil {
		return err
	}
	u.path[name] = value
	return nil
}

func checkPathValue(name, value string) error {
	if name == attrID {
		return nil // any bytes
	}
	if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return fail(ErrURI, "the value of %s is no UTF-8 text", name)
	}
	switch name {
	case attrType:
		if !slices.Contains(objectTypes, value) {
			return fail(ErrURI, "the value of type is none of %s", strings.Join(objectTypes, ", "))
		}
	case "slot-id":
		if n, err := strconv.ParseUint(value, 10, 32); err != nil || strconv.FormatUint(n, 10) != value {
			return fail(ErrURI, "the value of slot-id is no number")
		}
	case "library-version":
		for part := range strings.SplitSeq(value, ".") {
			n, err := strconv.ParseUint(part, 10, 8)
			if err != nil || strconv.FormatUint(n, 10) != part || strings.Count(value, ".") > 1 {
				return fail(ErrURI, "the value of library-version is no version such as 2.6")
			}
		}
	}
	return nil
}

func (u *URI) addQuery(attribute string) error {
	name, value, err := splitAttribute(attribute, plainInQuery)
	if err != nil {
		return err
	}
	var into *string
	switch name {
	case "module-path":
		into = &u.modulePath
	case "module-name":
		into = &u.moduleName
	case "pin-value", "pin-source":
		return fail(ErrURI, "the address has %s; a PIN is asked for when it is needed and never stands in an address", name)
	default:
		return fail(ErrURI, "the address has an attribute that does not belong behind its ?; module-path and module-name do")
	}
	switch {
	case *into != "":
		return fail(ErrURI, "the address has %s twice", name)
	case value == "":
		return fail(ErrURI, "the value of %s is empty", name)
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return fail(ErrURI, "the value of %s is no UTF-8 text", name)
	case name == "module-path" && !filepath.IsAbs(value):
		return fail(ErrURI, "the value of module-path is no file with its whole path")
	case name == "module-name" && (strings.ContainsAny(value, `/\`) || strings.HasPrefix(value, ".")):
		return fail(ErrURI, "the value of module-name is no name without folder")
	}
	*into = value
	return nil
}

func splitAttribute(attribute, plain string) (name, value string, err error) {
	name, raw, ok := strings.Cut(attribute, "=")
	if !ok || name == "" {
		return "", "", fail(ErrURI, "the address has a part that is not NAME=VALUE")
	}
	var out []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			if !strings.Contains(plain, raw[i:i+1]) {
				return "", "", fail(ErrURI, "the address has a character at a place where it has to be written as %%XX")
			}
			out = append(out, raw[i])
			continue
		}
		if i+2 >= len(raw) {
			return "", "", fail(ErrURI, "the address has a %% without two hexadecimal digits")
		}
		b, err := hex.DecodeString(raw[i+1 : i+3])
		if err != nil {
			return "", "", fail(ErrURI, "the address has a %% without two hexadecimal digits")
		}
		out = append(out, b...)
		i += 2
	}
	return name, string(out), nil
}

// String writes the address in one order and with as few %XX as may be, so that
// equal ones are equal texts. The id is written as %XX throughout.
func (u URI) String() string {
	var parts []string
	for _, name := range pathNames {
		if value, ok := u.path[name]; ok {
			parts = append(parts, name+"="+encode(value, plainInPath, name == attrID))
		}
	}
	text := Scheme + strings.Join(parts, ";")
	switch {
	case u.modulePath != "":
		text += "?module-path=" + encode(u.modulePath, plainInQuery, false)
	case u.moduleName != "":
		text += "?module-name=" + encode(u.moduleName, plainInQuery, false)
	}
	return text
}

func encode(value, plain string, all bool) string {
	var text strings.Builder
	for i := range len(value) {
		if !all && strings.IndexByte(plain, value[i]) >= 0 {
			text.WriteByte(value[i])
		} else {
			fmt.Fprintf(&text, "%%%02X", value[i])
		}
	}
	return text.String()
}

// Token is the label of the token, "" if the address leaves it open.
func (u URI) Token() string { return u.path[attrToken] }

// Object is the label of the key, ID its CKA_ID; "" and nil if left open.
func (u URI) Object() string { return u.path[attrObject] }

// ID is the CKA_ID of the key, nil if the address leaves it open.
func (u URI) ID() []byte {
	if id := u.path[attrID]; id != "" {
		return []byte(id)
	}
	return nil
}

// NamesKey tells whether the address says which key of the token is meant.
func (u URI) NamesKey() bool { return u.Object() != "" || u.ID() != nil }

// OfToken is the address without what names a key in the token.
func (u URI) OfToken() URI {
	path := map[string]string{}
	maps.Copy(path, u.path)
	u.path = path
	for _, name := range []string{attrObject, attrType, attrID} {
		delete(u.path, name)
	}
	return u
}

// WithKey is the address of a private key in the same token.
func (u URI) WithKey(label string, id []byte) URI {
	u = u.OfToken()
	u.path[attrType] = "private"
	if label != "" {
		u.path[attrObject] = label
	}
	if len(id) > 0 {
		u.path[attrID] = string(id)
	}
	return u
}
