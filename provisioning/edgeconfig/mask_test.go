package edgeconfig

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"connection string", connection, strings.Replace(connection, key64, "***", 1)},
		{"symmetric key", minimalManual, strings.Replace(minimalManual, key64, "***", 1)},
		{"DPS key", minimalDPS, strings.Replace(minimalDPS, key64, "***", 1)},
		{"CRLF and BOM", "\ufeff[a]\r\npassword = 'x' # p\r\n", "\ufeff[a]\r\npassword = '***' # p\r\n"},
		{"registry and EST", "[agent.config.auth]\nusername = \"u\"\npassword = \"pw1\"\n[cert_issuance.est.auth]\npassword = '''pw2'''", "[agent.config.auth]\nusername = \"u\"\npassword = \"***\"\n[cert_issuance.est.auth]\npassword = '''***'''"},
		{"PIN", "pk = \"pkcs11:token=a;object=b?pin-value=1234&x=y\"", "pk = \"pkcs11:token=a;object=b?pin-value=***&x=y\""},
		{"proxy", "[agent.env]\nhttps_proxy = \"http://user:p@ss/w@proxy:3128\"", "[agent.env]\nhttps_proxy = \"http://***@proxy:3128\""},
		{"TPM", "[tpm.hierarchy_authorization]\nendorsement = \"e1\"\nowner = \"\"", "[tpm.hierarchy_authorization]\nendorsement = \"***\"\nowner = \"\""},
		{"environment", "[agent.env]\nDB_PASSWORD = \"x\"\nStorageConnectionString = \"AccountKey=abc;B=c\"\n", "[agent.env]\nDB_PASSWORD = \"***\"\nStorageConnectionString = \"AccountKey=***;B=c\"\n"},
		{"create options", "createOptions = { Env = [\"A=b\", \"API_TOKEN=t0k\"] }", "createOptions = { Env = [\"A=b\", \"API_TOKEN=***\"] }"},
		{"URI of a key stays", "symmetric_key = { uri = \"file:///a\" }", "symmetric_key = { uri = \"file:///a\" }"},
		{"misspelt key", "symmetric_key = { vaule = \"abc\" }", "symmetric_key = { vaule = \"***\" }"},
		{"misspelt string", "connection_string = \"HostName=h;SharedAccesKey=abc\"", "connection_string = \"***\""},
		{"key in a string", "x = \"k: " + key64 + "\"", "x = \"k: ***\""},
		{"key in a wrong place", "x = \"" + key64 + "\"", "x = \"***\""},
		{"escapes", "connection_string = \"HostName=h;\\u0053haredAccessKey=abc\"", "connection_string = \"***\""},
		{"number", "password = 1234 # p", "password = *** # p"},
		{"several lines", "password = \"\"\"a\nb\r\n\nc\"\"\"\nx = 1", "password = \"\"\"***\n***\r\n\n***\"\"\"\nx = 1"},
		{"comment", "# connection_string = \"HostName=h;SharedAccessKey=" + key64 + "\" # c\na = 1 # password = \"x\" y\n", "# connection_string = \"HostName=h;SharedAccessKey=***\" # c\na = 1 # password = \"***\" y\n"},
		{"comment with a key", "#   device_id_pk = { value = \"abc\" } # or uri\n", "#   device_id_pk = { value = \"***\" } # or uri\n"},
		{"not TOML: open quote", "[a]\nvalue = \"abc\nhostname = \"h\"\n", "[a]\nvalue = \"***\nhostname = \"h\"\n"},
		{"not TOML: bare", "password = p w # x\nhostname = \"h\"\n", "password = ***\nhostname = \"h\"\n"},
		{"not TOML: open triple", "password = \"\"\"a\nb\n", "password = \"\"\"***\n***\n"},
		{"not TOML: YAML", "device_connection_string: \"HostName=h;SharedAccessKey=" + key64 + "\"\n", "device_connection_string: \"HostName=h;SharedAccessKey=***\"\n"},
		{"after an error", "a = b\n" + minimalDPS, "a = b\n" + strings.Replace(minimalDPS, key64, "***", 1)},
		{"nothing secret", "a = \"file:///var/aziot/secrets/device.key.pem\"\nb = \"0ne00ABCDEF\"\n", "a = \"file:///var/aziot/secrets/device.key.pem\"\nb = \"0ne00ABCDEF\"\n"},
	} {
		got := string(Mask([]byte(test.text)))
		if got != test.want {
			t.Errorf("%s:\n%q\nwanted\n%q", test.name, got, test.want)
		}
		if again := string(Mask([]byte(got))); again != got {
			t.Errorf("%s: masked twice:\n%q", test.name, again)
		}
	}
}

func TestMaskLeavesGoodFilesOtherwiseAlone(t *testing.T) {
	t.Parallel()
	for name, text := range good {
		back := strings.NewReplacer("SharedAccessKey=***", "SharedAccessKey="+key64, "value = \"***\"", "value = \""+key64+"\"",
			"pin-value=***", "pin-value=1234").Replace(string(Mask([]byte(text))))
		back = strings.Replace(strings.Replace(back, "username = \"estuser\"\npassword = \"***\"", "username = \"estuser\"\npassword = \"estpw\"", 1), "password = \"***\"", "password = \"pullpw\"", 1)
		if back != text {
			t.Errorf("%s:\n%s", name, back)
		}
	}
}

// FuzzMask puts a secret into a file and cuts or garbles the file anywhere; the
// secret is never in the output, and lines stay lines.
func FuzzMask(f *testing.F) {
	for i := range len(minimalManual) {
		f.Add([]byte("0123456789abcdef"), []byte("# comment\n"), i, "")
	}
	f.Add([]byte("\xff\xfe\xfd\xfc01234567890123456789"), []byte("[x]\ny = 1\n"), 20, "\"")
	f.Add([]byte("0000000000000000"), []byte("#000000"), 93, "0")
	f.Add([]byte("0123456789abcdef"), []byte("\ufeffa = '''\n"), 90, "{")
	f.Fuzz(func(t *testing.T, raw, before []byte, at int, garbage string) {
		if len(raw) < 16 || len(raw) > 64 || at < 0 || bytes.Contains(before, []byte("\"")) || bytes.Contains(before, []byte("'")) {
			return
		}
		key := base64.StdEncoding.EncodeToString(raw)
		if strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" || strings.Contains(string(before)+garbage, key) {
			return
		}
		for _, text := range []string{
			strings.Replace(minimalManual, key64, key, 1),
			strings.Replace(minimalDPS, key64, key, 1),
			strings.Replace(connection, key64, key, 1),
			"[agent.config]\nauth = { username = \"u\", password = \"" + key + "\" }\n[agent.env]\nhttps_proxy = \"http://u:" + key + "@p\"\n",
			"[tpm.hierarchy_authorization]\nowner = \"" + key + "\"\n[x]\npk = \"pkcs11:a?pin-value=" + key + "\"\n",
		} {
			whole := append(append([]byte{}, before...), text...)
			// Garbage goes between lines or tokens, never into the key itself.
			cut := min(at, len(whole))
			secretAt := bytes.Index(whole, []byte(key))
			if cut > secretAt && cut < secretAt+len(key) {
				cut = secretAt
			}
			if strings.ContainsAny(garbage, "\"'\\") && cut > secretAt-40 && cut <= secretAt+len(key) {
				cut = 0
			}
			if before, _, _ := bytes.Cut(whole, []byte(key)); strings.Contains(text, "://u:") || strings.Contains(text, "pin-value") {
				// What names these secrets is a part of the string itself.
				if last := bytes.LastIndexByte(whole[:bytes.LastIndex(whole, []byte(key))], '\n'); cut > last || cut > len(before) {
					cut = 0
				}
			}
			garbled := string(whole[:cut]) + garbage + string(whole[cut:])
			masked := string(Mask([]byte(garbled)))
			if strings.Contains(masked, key) {
				t.Fatalf("the key shows:\n%q\n%q", garbled, masked)
			}
			if strings.Count(masked, "\n") != strings.Count(garbled, "\n") {
				t.Fatalf("lines are gone:\n%q\n%q", garbled, masked)
			}
		}
	})
}
