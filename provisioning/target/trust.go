package target

// practiceCA is where the practice cloud's CA is placed for the system's store.
const practiceCA = "/usr/local/share/ca-certificates/edgewright-practice.crt"

// addTrust is AddTrust as a script of the POSIX shell. update-ca-certificates
// goes through every certificate of the system with half a dozen processes
// each: seconds on a small board. This does for the one certificate what that
// program would do, to the byte: the link by name, the link by hash as
// `openssl rehash` names it, and the bundle with the certificate at its end.
// Hooks for other stores (Java, Mono) are left to the next full update; the
// daemons of IoT Edge read none of them.
//
// Where anything is not as the package ca-certificates leaves it, or an earlier
// certificate of ours is there, the system's own program does it all.
//
// It is one line, because the root shell takes arguments by lines. Its first
// argument is the hash; where it is empty, openssl says it.
//
// Source: update-ca-certificates of ca-certificates 20230311 (Debian 12).
const addTrust = `crt=` + practiceCA + `; certs=/etc/ssl/certs; ` +
	`bundle=$certs/ca-certificates.crt; name=edgewright-practice.pem; ` +
	`whole() { command -v update-ca-certificates >/dev/null 2>&1 || exec update-ca-trust; exec update-ca-certificates --fresh; }; ` +
	`command -v update-ca-certificates >/dev/null 2>&1 && [ -s "$crt" ] && [ -s "$bundle" ] && [ ! -L "$bundle" ] || whole; ` +
	`[ ! -e "$certs/$name" ] && [ ! -L "$certs/$name" ] || whole; ` +
	`hash=$1; [ -n "$hash" ] || hash=$(openssl x509 -noout -subject_hash -in "$crt" 2>/dev/null) && [ -n "$hash" ] || whole; ` +
	`n=0; while [ -e "$certs/$hash.$n" ] || [ -L "$certs/$hash.$n" ]; do n=$((n + 1)); done; ` +
	`{ cat "$bundle" && sed -e '$a\' "$crt"; } >"$bundle.new" && chmod 0644 "$bundle.new" || whole; ` +
	`ln -s "$crt" "$certs/$name" && ln -s "$name" "$certs/$hash.$n" && mv -f "$bundle.new" "$bundle" || whole; ` +
	`[ ! -x /sbin/restorecon ] || /sbin/restorecon "$bundle" >/dev/null 2>&1 || :`
