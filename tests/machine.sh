# What the scripts that bring everything along have in common: packages,
# a private copy of the tree, an unprivileged user, and leaving nothing behind.
# Read by sh; the reading script sets "top" to the top of the checkout.

say() {
	printf '%s\n' "$*"
}

fail() {
	printf '%s\n' "$*" >&2
	exit 1
}

# True when the C compiler finds a header.
has_header() {
	printf '#include <%s>\n' "$1" | ${CC:-cc} -E -x c - >/dev/null 2>&1
}

# True when pg_config belongs to an installation that has a server and the
# files to build extensions.
has_postgresql() {
	config=${PG_CONFIG:-pg_config}
	command -v "$config" >/dev/null 2>&1 || return 1
	[ -x "$("$config" --bindir)/postgres" ] &&
		[ -f "$("$config" --pgxs)" ] &&
		[ -f "$("$config" --includedir-server)/postgres.h" ] &&
		[ -x "$(dirname "$("$config" --pgxs)")/../test/regress/pg_regress" ]
}

# Names of the Debian packages that are missing, "postgresql" standing for the
# server and its development files.
missing_packages() {
	command -v gcc >/dev/null 2>&1 && command -v make >/dev/null 2>&1 && has_header stdio.h || echo build-essential
	has_postgresql || echo postgresql
	! has_postgresql || [ -f "$("${PG_CONFIG:-pg_config}" --includedir)/libpq-fe.h" ] || echo libpq-dev
	has_header curl/curl.h && command -v curl-config >/dev/null 2>&1 || echo libcurl4-openssl-dev
	has_header openssl/ssl.h || echo libssl-dev
	has_header zlib.h || echo zlib1g-dev
	has_header yaml.h || echo libyaml-dev
	has_header microhttpd.h || echo libmicrohttpd-dev
	has_header jansson.h || echo libjansson-dev
	command -v openssl >/dev/null 2>&1 || echo openssl
	command -v nghttpd >/dev/null 2>&1 || [ -x /usr/sbin/nghttpd ] || echo nghttp2-server
	command -v setpriv >/dev/null 2>&1 || echo util-linux
	perl -MTest::More -MTAP::Harness -MTime::HiRes -e 1 >/dev/null 2>&1 || echo perl
	perl -MIPC::Run -e 1 >/dev/null 2>&1 || echo libipc-run-perl
	for tool in ${also:-}; do
		missing_"$tool"
	done
}

# What only some of the scripts need; they name it in "also".
missing_clang() {
	command -v clang >/dev/null 2>&1 || echo clang
	[ -f "$(clang -print-file-name="libclang_rt.fuzzer_no_main-$(uname -m).a" 2>/dev/null)" ] || echo libclang-rt-dev
	command -v llvm-symbolizer >/dev/null 2>&1 || echo llvm
}

missing_valgrind() {
	command -v valgrind >/dev/null 2>&1 || echo valgrind
}

# True when somebody is there who could type a password.
may_ask() {
	[ -z "${NONINTERACTIVE:-}" ] && (: </dev/tty) 2>/dev/null
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo $(may_ask || echo -n) "$@"
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@" </dev/null
}

# PostgreSQL from the distribution.  The package would create and start a
# cluster of its own, which nobody asked for; it is told not to, for as long as
# the installation takes.
install_postgresql() {
	version=$(apt-cache show postgresql | sed -n 's/^Depends:.*postgresql-\([0-9][0-9]*\).*/\1/p' | head -n 1)
	[ -n "$version" ] || fail "The package lists name no version of PostgreSQL."
	directory=/etc/postgresql-common/createcluster.d
	setting=$directory/no-main-cluster-for-a-test.conf
	made=
	for path in /etc/postgresql-common "$directory"; do
		[ -d "$path" ] || { as_root mkdir "$path"; made="$path $made"; }
	done
	echo 'create_main_cluster = false' | as_root tee "$setting" >/dev/null
	apt install "postgresql-$version" "postgresql-server-dev-$version" && status=0 || status=$?
	as_root rm -f "$setting"
	for path in $made; do
		as_root rmdir "$path" 2>/dev/null || :
	done
	return $status
}

install_packages() {
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1 ||
		fail "Missing packages: $(echo $*). There is no sudo; install them as root first."
	log=$(mktemp)
	say "Installing $(echo $*) ..."
	if {
		apt update &&
			others=$(printf '%s\n' "$@" | grep -v '^postgresql$' || :) &&
			{ [ -z "$others" ] || apt install $others; } &&
			{ has_postgresql || install_postgresql; }
	} >"$log" 2>&1; then
		rm -f "$log"
	else
		tail -n 40 "$log" >&2
		rm -f "$log"
		fail "Could not install the missing packages: $(echo $*)."
	fi
}

# Sees to it that everything needed is there, or says what is not and ends.
need_packages() {
	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null 2>&1 || fail "This needs a C compiler, make, PostgreSQL 15 or later with its development files
and pg_regress, libpq, libcurl, OpenSSL, zlib, libyaml, libmicrohttpd and libjansson with their headers,
openssl, nghttpd, setpriv, and perl with IPC::Run. By the names of Debian's packages, missing are:
$missing
They are installed automatically on Debian and Ubuntu only."
	install_packages $missing
	missing=$(missing_packages)
	[ -z "$missing" ] || fail "Still missing after the installation: $(echo $missing)."
}

# What one test needs and not every PostgreSQL has a package of: pg_cron.  The
# test is skipped where there is none, so it is no error when it cannot be
# installed; and nobody is asked for a password for it.
want_pg_cron() {
	config=${PG_CONFIG:-pg_config}
	[ ! -f "$("$config" --pkglibdir)/pg_cron.so" ] && command -v apt-get >/dev/null 2>&1 || return 0
	[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 0
	package=postgresql-$("$config" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')-cron
	log=$(mktemp)
	{
		apt-cache show "$package" || apt update
	} >"$log" 2>&1 || :
	if apt-cache show "$package" >"$log" 2>&1; then
		say "Installing $package ..."
		apt install "$package" >"$log" 2>&1 || tail -n 5 "$log" >&2
	fi
	rm -f "$log"
}

# A copy of the tree in a directory of its own, which becomes "work"; the copy
# is "copy".  Files next to the checkout that tests may look at stay at the same
# place relative to it.  Sockets lie in the directory too, so its name is short.
make_copy() {
	work=$(mktemp -d /tmp/arazzo.XXXXXX)
	copy=$work/$(basename "$top")
	mkdir "$copy" "$work/tmp" "$work/home"
	tar -C "$top" -cf - --exclude=./.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' \
		--exclude=./results --exclude='./tmp_check*' --exclude=./log --exclude=./output_iso \
		--exclude=./tests/tmp_check --exclude=./tests/sandbox/sandbox --exclude=./tests/bench/floor \
		. | tar -C "$copy" -xf - --no-same-owner
	[ ! -d "$top/../shared" ] || ln -s "$(cd "$top/../shared" && pwd)" "$work/shared"
	chmod -R u+rwX "$work"
	[ "$(id -u)" != 0 ] || chown -R "$unprivileged" "$work"
}

# Runs a command without privileges, in an environment without surprises.
unprivileged=nobody
run_unprivileged() {
	set -- env -i HOME="$work/home" PATH="$PATH" TMPDIR="$work/tmp" LC_ALL=C.UTF-8 LANG=C.UTF-8 TZ=UTC \
		PG_CONFIG="${PG_CONFIG:-pg_config}" SANITIZE="${SANITIZE:-}" JOBS="${JOBS:-2}" "$@"
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid "$unprivileged" --regid "$(id -g "$unprivileged")" --clear-groups "$@"
	else
		"$@"
	fi
}

# Ends what still runs from the copy and removes the copy.  All programs that
# matter (servers, sandbox) are executed from files inside it, which tells them
# from those of anybody else.
remove_copy() {
	[ -n "${work:-}" ] && [ -d "$work" ] || return 0
	for round in INT TERM KILL; do
		running=$(programs_of_copy)
		[ -n "$running" ] || break
		kill -s $round $running 2>/dev/null || :
		for wait in 1 2 3 4 5 6 7 8 9 10; do
			[ -n "$(programs_of_copy)" ] || break
			sleep 0.2
		done
	done
	rm -rf "$work"
}

programs_of_copy() {
	for link in /proc/[0-9]*/exe; do
		case $(readlink "$link" 2>/dev/null) in
			"$work"/*) link=${link%/exe}; echo "${link#/proc/}" ;;
		esac
	done
}
