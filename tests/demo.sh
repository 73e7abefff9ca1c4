#!/bin/sh
# Shows the extension at work: a throwaway server and a local imitation of
# Amberflo and Stripe, the workflows that ship, what was sent and what
# arrived.  Installs packages that are missing, touches no server that was
# there before, and leaves nothing behind.  With KEEP=1 it leaves both running
# and says how to look around and how to stop them.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd -P)
. "$top/tests/machine.sh"

need_packages
trap 'remove_copy' EXIT
trap 'exit 130' INT TERM HUP
make_copy
say "Building in $work ..."
cd "$copy"
status=0
run_unprivileged KEEP="${KEEP:-}" sh tests/serve sh tests/demo/show </dev/null || status=$?
if [ "${KEEP:-}" = 1 ] && [ $status = 0 ]; then
	trap - EXIT
	cat >"$work/stop" <<STOP
#!/bin/sh
work=$work
. "$copy/tests/machine.sh"
remove_copy
STOP
	chmod +x "$work/stop"
	say "Both servers are still running.

    look around:  psql -h $work/tmp -U postgres demo      (SET ROLE billing; to run workflows)
    stop, and remove everything:  $work/stop
"
fi
exit $status
