# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # dir is set by stack
# place.sh: where the demo keeps its state, and as whom its daemons run.
#
# DIR belongs to the caller and holds `env` and `state`. `state` is a directory where the daemons
# can live: reachable by their account, short enough for Unix sockets, and programs may be executed
# there. Where DIR cannot be that (a private home, a mktemp -d of root's), `state` points to a
# private directory below /var/tmp. Nothing outside these two is ever changed.

# sockaddr_un takes 107 bytes, and a runner's doorbell (doorbell/NICKNAME:UUID) is the longest.
longest_state=47

elsewhere=/var/tmp/backdesk-demo

# Daemons of a demo that root started run as nobody.
if ((EUID == 0)); then
    daemon_user=nobody daemon_group=$(id -gn nobody)
else
    daemon_user=$(id -un) daemon_group=$(id -gn)
fi

# as_daemon COMMAND...: as the daemons' account, with nothing of the caller's environment but what
# steers sanitizers; their reports go to log/sanitizer.PID.
as_daemon() {
    local command=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
        HOME="$state" TMPDIR="$state/tmp"
        ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$state/log/sanitizer"
        UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$state/log/sanitizer"
        LSAN_OPTIONS="${LSAN_OPTIONS:-}" "$@")
    if ((EUID == 0)); then
        command=(setpriv --reuid="$daemon_user" --regid="$daemon_group" --clear-groups "${command[@]}")
    fi
    "${command[@]}"
}

# own MODE PATH...: directories that the daemons write.
own() {
    local mode=$1
    shift
    mkdir -p "$@"
    ((EUID != 0)) || chown "$daemon_user:$daemon_group" "$@"
    chmod "$mode" "$@"
}

# shared MODE FILE...: files that the daemons read and the caller writes.
shared() {
    local mode=$1
    shift
    ((EUID != 0)) || chgrp "$daemon_group" "$@"
    chmod "$mode" "$@"
}

# Can daemons live in $state? It is left as an empty directory if they can.
livable() {
    local probe=$state/probe result=1
    [[ $state =~ ^[A-Za-z0-9/._-]+$ && ${#state} -le $longest_state ]] || return 1
    mkdir -p "$state" && shared 750 "$state" || return 1
    printf '#!/bin/sh\nexit 0\n' >"$probe" && chmod 755 "$probe"
    as_daemon "$probe" 2>/dev/null && result=0
    rm -f "$probe"
    return $result
}

# Finds the state of an existing demo.
find_place() {
    # A directory of the same name that somebody else made below /var/tmp is not ours.
    [[ -d $dir/state && -O $dir/state ]] || return 1
    state=$(realpath -- "$dir/state")
}

# Finds it or makes it.
make_place() {
    find_place && return
    forget_lost_places
    rm -f -- "$dir/state"
    state=$dir/state
    livable && return
    [[ ! -d $state ]] || rmdir -- "$state"
    state=$(mktemp -d "$elsewhere.XXXXXX")
    livable || die "programs cannot be run as $daemon_user, neither in $dir nor in $state"
    ln -s "$state" "$dir/state"
    printf '%s\n' "$dir" >"$state/dir"
    say "Daemons cannot live in $dir; their state is in $state"
}

# Removes states elsewhere whose demo's directory was removed without them.
forget_lost_places() {
    local place
    for place in "$elsewhere".*; do
        if [[ -O $place && -s $place/dir && ! $(cat "$place/dir")/state -ef $place ]]; then
            forget_place "$place"
        fi
    done
}

forget_place() {
    local state=$1
    sweep_all
    rm -rf -- "$state"
}

# One start or stop at a time.
take_lock() {
    exec {lock}>"$dir/lock"
    flock -w 300 "$lock" || die "another start or stop in $dir does not end"
}
