# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # state is set by stack
# process.sh: daemons started without ties to the caller, and found again for certain: a number in
# a pid file counts only if that process runs the right program and stands in this state directory.

# processes PROGRAM: pids of all processes of this demo that run it, or nothing.
processes() {
    local pid exe cwd
    # find complains of processes that end meanwhile or are somebody else's.
    { find /proc -maxdepth 2 -path '/proc/[1-9]*/exe' \
        \( -lname "*/$1" -o -lname "*/$1 (deleted)" \) -printf '%h %l\n' 2>/dev/null || true; } |
        while read -r pid exe; do
            cwd=$(readlink "$pid/cwd") || continue
            case $exe:$cwd/ in
                "$state"/* | *:"$state"/*) printf '%s\n' "${pid#/proc/}" ;;
            esac
        done
}

# running PROGRAM: the pid of the one that we started, if it still runs.
running() {
    local pid
    pid=$(cat "$state/run/$1.pid" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ ]] && processes "$1" | grep -x "$pid"
}

# detached COMMAND...: in a session of its own, standing in the state directory, with no descriptor
# of the caller's.
detached() (
    cd "$state" || exit
    umask 027
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        ((fd <= 2)) || eval "exec $fd>&-"
    done
    as_daemon setsid --fork "$@" </dev/null >/dev/null 2>&1
)

# start_daemon PROGRAM COMMAND...: detached, with its output in log/PROGRAM.log and its pid in
# run/PROGRAM.pid. The shell in between opens both as the daemons' account.
start_daemon() {
    local program=$1
    shift
    # shellcheck disable=SC2016
    detached sh -c 'echo $$ >"run/$0.pid"; exec "$@" >>"log/$0.log" 2>&1' "$program" "$@"
    wait_until 10 running "$program" >/dev/null ||
        die_with_log "$state/log/$program.log" "$program does not start"
}

# wait_until SECONDS COMMAND...: until it succeeds.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

is_gone() { [[ -z $(running "$1") ]]; }
all_gone() { [[ -z $(processes "$1") ]]; }

# stop_daemon PROGRAM SIGNAL SECONDS: asks, waits, insists.
stop_daemon() {
    local pid
    pid=$(running "$1") || return 0
    kill -s "$2" "$pid" 2>/dev/null || return 0
    wait_until "$3" is_gone "$1" || { kill -KILL "$pid" 2>/dev/null && wait_until 10 is_gone "$1"; }
}

# sweep PROGRAM [SECONDS]: ends what a dead parent left behind, and what others started from here.
# Only processes whose parent runs something else are asked; they see to their children.
sweep() {
    local pids tops
    mapfile -t pids < <(processes "$1")
    ((${#pids[@]})) || return 0
    mapfile -t tops < <(for pid in "${pids[@]}"; do
        parent=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null) || continue
        [[ " ${pids[*]} " == *" $parent "* ]] || echo "$pid"
    done)
    kill -TERM "${tops[@]}" 2>/dev/null || true
    wait_until "${2:-5}" all_gone "$1" && return
    mapfile -t pids < <(processes "$1")
    kill -KILL "${pids[@]}" 2>/dev/null || true
    wait_until 10 all_gone "$1"
}

sweep_all() {
    sweep nginx
    sweep taskrunner 30
    sweep tasks.fcgi
    site_stop
    sweep mariadbd 60
    rm -f "$state"/run/*.* "$state"/run/replay/* "$state"/doorbell/*
}
