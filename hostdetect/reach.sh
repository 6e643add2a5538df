# Says whether this host can resolve and reach endpoints:
#   sh -c "$(this text)" edgewright MARK HOST PORT [HOST PORT ...]
# One line per endpoint: MARK HOST PORT RESOLVED RESOLVER OPEN TOOL ADDRESS,
# where RESOLVED and OPEN are yes, no or unknown. It opens and closes
# connections, sends nothing over them, and goes past any proxy. All endpoints
# are tried at once. Must run under dash, bash, ksh and busybox sh.
mark=$1
shift
exec 2>/dev/null
LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
have() { command -v "$1" >/dev/null; }
brief=
timeout 1 true && brief='timeout 6'

python=
for c in python3 python; do
	if have "$c" && "$c" -c 'import socket'; then
		python=$c
		break
	fi
done

resolver=none
if have getent; then
	resolver=getent
elif [ -n "$python" ]; then
	resolver=python
elif have nslookup; then
	resolver=nslookup
fi

# bash may have been built without its network files: then the file is missing,
# not the listener.
tool=none
if [ -n "$brief" ] && have bash; then
	case $($brief bash -c ': </dev/tcp/127.0.0.1/1' 2>&1) in
	*"No such file"*) ;;
	*) tool=bash ;;
	esac
fi
if [ "$tool" = none ]; then
	if [ -n "$python" ]; then
		tool=python
	elif have nc; then
		tool=nc
	elif have curl; then
		tool=curl
	elif have openssl && [ -n "$brief" ]; then
		tool=openssl
	fi
fi

resolve() {
	case $resolver in
	getent) { $brief getent ahosts "$1" || $brief getent hosts "$1"; } | head -n 1 | sed 's/[[:space:]].*//' ;;
	python) $brief "$python" -c 'import socket,sys
print(socket.getaddrinfo(sys.argv[1], None)[0][4][0])' "$1" ;;
	nslookup)
		# It asks the name server only.
		grep -iE "^[0-9A-Fa-f:.]+[[:space:]](.*[[:space:]])?$1([[:space:]]|\$)" /etc/hosts | head -n 1 | sed 's/[[:space:]].*//' | grep . ||
			$brief nslookup "$1" | sed -n '/^Name:/,$s/^Address[^:]*: *\([0-9A-Fa-f:.]*\).*/\1/p' | head -n 1
		;;
	esac
}

knock() {
	case $tool in
	bash) $brief bash -c ': <"/dev/tcp/$0/$1"' "$1" "$2" ;;
	python) "$python" -c 'import socket,sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).close()' "$1" "$2" ;;
	nc)
		# -z is missing from some; without it the other end is met with nothing to say.
		if nc -h 2>&1 | grep -q -e '-z'; then
			$brief nc -z -w 5 "$1" "$2" </dev/null >/dev/null
		else
			$brief nc -w 5 "$1" "$2" </dev/null >/dev/null
		fi
		;;
	curl)
		h=$1
		case $h in *:*) h="[$h]" ;; esac
		# The other end need not speak TLS: any failure after the connection
		# counts. On a time-out the time to connect tells; elsewhere some
		# versions leave it at zero.
		v=$(curl -s -k -o /dev/null --noproxy '*' --connect-timeout 5 --max-time 6 -w '%{time_connect}' "https://$h:$2/")
		case $? in
		1 | 2 | 3 | 5 | 6 | 7) return 1 ;;
		28) case $v in '' | 0 | 0.000 | 0.000000 | 0,000000) return 1 ;; esac ;;
		esac
		return 0
		;;
	openssl)
		h=$1
		case $h in *:*) h="[$h]" ;; esac
		$brief openssl s_client -connect "$h:$2" </dev/null | grep -q '^CONNECTED('
		;;
	esac
}

while [ $# -ge 2 ]; do
	(
		resolved=unknown open=unknown address=-
		case $1 in
		*:* | [0-9]*.[0-9]*.[0-9]*.[0-9]*) resolved=yes address=$1 resolver=none ;;
		esac
		if [ "$resolver" != none ]; then
			resolved=no
			a=$(resolve "$1")
			if [ -n "$a" ]; then resolved=yes address=$a; fi
		fi
		if [ "$tool" != none ]; then
			if knock "$1" "$2" >/dev/null; then open=yes resolved=yes; else open=no; fi
		fi
		printf '%s %s %s %s %s %s %s %s\n' "$mark" "$1" "$2" "$resolved" "$resolver" "$open" "$tool" "$address"
	) &
	shift 2
done
wait
