package target

import (
	"strings"
)

// bootScript is what `sh -c` gets: it says that it is ready, reads the rest of
// the program up to a mark from standard input, and becomes it. It has no
// single quote, so that it stands in single quotes for any login shell, csh
// and fish among them. No program text and no payload is ever an argument
// beyond this.
const bootScript = `echo READY; eval "$(while IFS= read -r l; do [ "$l" = GO ] && break; printf "%s\n" "$l"; done)"`

// bootText is bootScript with its marks.
func bootText(ready, goOn string) string {
	return strings.NewReplacer("READY", ready, "GO", goOn).Replace(bootScript)
}

func boot(shell, ready, goOn string) string { return shell + " -c '" + bootText(ready, goOn) + "'" }

// takeWords reads a count and as many lines into the positional arguments.
const takeWords = `arg n; set --; while [ "$n" -gt 0 ]; do arg a; set -- "$@" "$a"; n=$((n-1)); done`

// rootScript is the far side of shellLayer: one shell, constant text, POSIX sh
// with coreutils or busybox only. It reads a verb and its arguments, each on
// a line of its own, and ends each answer on both streams with a line feed and
// a line of the end mark, on standard output with the result: 0, or
//
//	1 failed · 44 not there · 45 not a plain file · 125 skipped
//	after a failure in the same batch · for act the exit code
//
// Payloads are base64 lines and a line with a dot; read is a builtin that
// takes a pipe byte by byte, so nothing swallows the next request. Files are
// born private; commands get the usual umask, or the folders that they make
// would be closed to the daemons' users. Standard
// input ends when the connection does: then the shell ends too, and with it a
// command under way.
const rootScript = `
umask 077
LC_ALL=C; export LC_ALL
PATH=` + systemPath + `; export PATH
HOME=/root; export HOME
cd /
IFS= read -r E || exit 0
exec 3<&0
G=$(id -g)
bad=0
end() { printf '\n%s %s\n' "$E" "$1"; printf '\n%s\n' "$E" >&2; }
fin() { if [ "$1" != 0 ]; then bad=1; fi; end "$1"; }
arg() { IFS= read -r "$1" || exit 0; }
drain() { while IFS= read -r l; do [ "$l" = . ] && break; done; }
own() {
  if [ "$uid:$gid:$G" != 0:0:0 ] || [ ! -O "$p" ] || [ ! -G "$p" ]; then chown "$uid:$gid" "$p" || return 1; fi
  chmod "$mode" "$p"
}
look() {
  c=$#
  for p; do
    if [ -e "$p" ] || { [ "$f" = 0 ] && [ -L "$p" ]; }; then set -- "$@" "$p"
    else echo -; continue; fi
    printf +
    if [ "$h" = 1 ] && [ -f "$p" ] && { [ "$f" = 1 ] || [ ! -L "$p" ]; }; then sha256sum <"$p" || return 1
    else echo; fi
  done
  shift "$c"
  [ $# = 0 ] || stat $L -c '%f %u %g %s %Y %U %G' "$@"
}
rd() {
  [ -e "$p" ] || return 44
  [ -f "$p" ] || return 45
  head -c "$max" "$p"
}
new() { (set -C; : >"$p"); }
wr() {
  if ! new; then drain; return 1; fi
  if (trap '' PIPE; while IFS= read -r l; do [ "$l" = . ] && break; printf '%s\n' "$l" 2>/dev/null; done) | base64 -d >"$p"
  then s=$(sha256sum <"$p") && [ "${s%% *}" = "$sum" ] && own && sync "$p" && return 0
  fi
  rm -f "$p"; echo "the bytes did not arrive on the disk" >&2; return 1
}
cp_() {
  if [ -L "$from" ] || [ ! -f "$from" ]; then echo "not a plain file" >&2; return 1; fi
  new || return 1
  cat "$from" >"$p" && own && touch -r "$from" "$p" && sync "$p" && return 0
  rm -f "$p"; return 1
}
key() {
  new || return 1
  "$@" </dev/null >"$p" && [ -s "$p" ] && own && sync "$p" && return 0
  rm -f "$p"; return 1
}
call() {
  if [ "$u" != root ]; then
    if command -v runuser >/dev/null 2>&1; then set -- runuser -u "$u" -- "$@"
    else set -- su -s /bin/sh -c 'exec "$0" "$@"' "$u" "$@"; fi
  fi
  (trap '' PIPE; while IFS= read -r l; do [ "$l" = . ] && break; printf '%s\n' "$l" 2>/dev/null; done) | base64 -d | "$@" 3<&-
}
mk() {
  if [ -L "$p" ] || [ ! -d "$p" ]; then mkdir -m 700 "$p" || return 1; fi
  own
}
del() {
  if [ -d "$p" ] && [ ! -L "$p" ]; then echo "is a folder" >&2; return 1; fi
  if [ -e "$p" ] || [ -L "$p" ]; then rm -f "$p"; fi
}
rmd() {
  if [ -L "$p" ] || [ ! -d "$p" ]; then return 0; fi
  [ -n "$(ls -A "$p")" ] || rmdir "$p"
}
sy() {
  c=$#
  for p; do [ ! -d "$p" ] || set -- "$@" "$p"; done
  shift "$c"
  [ $# = 0 ] || sync "$@" || sync
}
lab() {
  if command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled; then restorecon -F "$p" || :; fi
  return 0
}
usr() {
  while IFS=: read -r a b c d; do
    if [ "$a" = "$n" ]; then echo "$c"; return 0; fi
  done </etc/passwd
  id -u "$n" 2>/dev/null || return 44
}
grp() {
  while IFS=: read -r a b c d; do
    if [ "$a" = "$n" ]; then echo "$c"; return 0; fi
  done </etc/group
  if command -v getent >/dev/null 2>&1; then
    g=$(getent group "$n") || return 44
    g=${g#*:}; g=${g#*:}; echo "${g%%:*}"; return 0
  fi
  return 44
}
act() {
  S=; command -v setsid >/dev/null 2>&1 && S=setsid
  umask 022
  $S "$@" </dev/null 3<&- &
  c=$!
  umask 077
  (
    IFS= read -r l <&3
    if [ -n "$S" ]; then c=-$c; fi
    kill -TERM "$c"; sleep 1; kill -KILL "$c"
  ) >/dev/null 2>&1 &
  w=$!
  wait "$c"; rc=$?
  if [ $rc -gt 128 ] && [ -n "$S" ]; then kill -KILL "-$c"; fi >/dev/null 2>&1
  { kill -PIPE "$w"; wait "$w"; } >/dev/null 2>&1
  return $rc
}
while IFS= read -r v; do
  case $v in
  '') ;;
  begin) bad=0; end 0 ;;
  look) arg f; arg h; L=; [ "$f" = 0 ] || L=-L
    ` + takeWords + `
    look "$@" </dev/null; end $? ;;
  read) arg max; arg p; rd </dev/null; end $? ;;
  list) arg p; rc=0; if [ -d "$p" ]; then ls -1A "$p" || rc=1; fi </dev/null; end $rc ;;
  user) arg n; usr </dev/null; end $? ;;
  group) arg n; grp; end $? ;;
  now) date +%s </dev/null; end $? ;;
  has) arg n; command -v "$n" >/dev/null 2>&1; end $? ;;
  act) ` + takeWords + `
    act "$@"; end $? ;;
  call) arg u; ` + takeWords + `
    call "$@"; end $? ;;
  key) arg p; arg mode; arg uid; arg gid; ` + takeWords + `
    if [ $bad = 1 ]; then end 125; else key "$@"; fin $?; fi ;;
  write) arg p; arg mode; arg uid; arg gid; arg sum
    if [ $bad = 1 ]; then drain; end 125; else wr; fin $?; fi ;;
  sync) ` + takeWords + `
    if [ $bad = 1 ]; then end 125; else sy "$@" </dev/null; fin $?; fi ;;
  copy|mkdir|link|rename|remove|rmdir|label) arg p; arg from; arg mode; arg uid; arg gid
    if [ $bad = 1 ]; then end 125; continue; fi
    case $v in
    copy) cp_ ;;
    mkdir) mk ;;
    link) ln -T "$from" "$p" ;;
    rename) mv -f -T "$from" "$p" ;;
    remove) del ;;
    rmdir) rmd ;;
    label) lab ;;
    esac </dev/null
    fin $? ;;
  *) end 2 ;;
  esac
done
exit 0
`

// The scripts of the unprivileged look. The arguments are quoted by shellQuote
// and set in front of them. Exit codes beyond 2 are ours: 44 not there, 77 no
// permission, 46 too large.
const (
	lookPreamble = `LC_ALL=C; export LC_ALL
why() {
  if [ -e "$1" ] || [ -L "$1" ]; then [ -e "$1" ] || exit 44; exit 77; fi
  d=$1
  while d=${d%/*}; do
    [ -n "$d" ] || d=/
    if [ -d "$d" ]; then [ -x "$d" ] || exit 77; exit 44; fi
    [ "$d" = / ] && exit 44
    if [ -e "$d" ]; then exit 44; fi
  done
}
`
	readScript = lookPreamble + `[ -e "$1" ] && [ -r "$1" ] || why "$1"
[ -d "$1" ] && exit 45
if [ -f "$1" ]; then n=$(stat -L -c %s "$1") || exit 1; [ "$n" -le "$2" ] || exit 46; fi
[ -p "$1" ] && exit 45
exec cat "$1" </dev/null
`
	listScript = lookPreamble + `[ -e "$1" ] && [ -r "$1" ] && [ -x "$1" ] || why "$1"
[ -d "$1" ] || exit 20
exec ls -1A "$1/" </dev/null
`
	statScript = lookPreamble + `[ -e "$1" ] || why "$1"
exec stat -L -c '%f %u %g %s %Y %U %G' "$1" </dev/null
`
	outputScript = `LC_ALL=C; export LC_ALL
PATH=$PATH:` + systemPath + `; export PATH
command -v "$1" >/dev/null 2>&1 || exit 127
exec "$@" </dev/null
`
)

// shellQuote makes one word of POSIX sh of any text.
func shellQuote(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// withArgs is a script with its positional arguments.
func withArgs(script string, args ...string) string {
	var b strings.Builder
	b.WriteString("set --")
	for _, a := range args {
		b.WriteByte(' ')
		b.WriteString(shellQuote(a))
	}
	b.WriteByte('\n')
	b.WriteString(script)
	return b.String()
}
