# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # dir, state, here, prefix and port are set by stack
# service.sh: the programs that stand between nginx and the database, and nginx: installed,
# configured, started, stopped.

http_port() { cat "$state/etc/port"; }

# render TEMPLATE FILE [SED-EXPRESSION...]: fills in the template; `changed` says if FILE is new.
render() {
    local template=$1 file=$2
    shift 2
    sed -e "s|@STATE@|$state|g" -e "s|@PORT@|$(http_port)|g" "$@" "$template" >"$file.new"
    if cmp -s "$file.new" "$file"; then
        rm "$file.new"
    else
        shared 640 "$file.new"
        mv "$file.new" "$file"
        changed=1
    fi
}

# Is PORT taken by anybody?
taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Settles the port: the one asked for, else the one this demo had, else 8080. 0 stands for the one it
# had, or for a free one (chosen by prepare).
check_port() {
    local had
    had=$(cat "$state/etc/port" 2>/dev/null || true)
    if running nginx >/dev/null; then
        [[ ${port:-0} != 0 ]] || port=$had
        [[ $port != "$had" ]] || return 0
    else
        sweep nginx
        if [[ ${port:-0} == 0 && -n $had ]] && ! taken "$had"; then port=$had; fi
        port=${port:-${had:-8080}}
    fi
    if ((port != 0)) && taken "$port"; then
        die "port $port of 127.0.0.1 is taken by another program;" \
            "name another with --port NUMBER, or take any free one with --port 0"
    fi
}

# A free port below those that the kernel hands out to outgoing connections.
free_port() {
    local try
    for try in {1..50}; do
        try=$((20000 + RANDOM % 12000))
        taken $try || { echo $try; return; }
    done
    die "no free port found"
}

# What somebody has put below the last line of the demo's configuration.
own_sections() { sed '1,/^# Sections of your own/d' "$state/etc/backdesk.conf" 2>/dev/null || true; }

# Directories, programs, configuration. What runs with older ones is stopped, to be started again.
prepare() {
    changed=''
    mkdir -p "$state/etc/backdesk" "$state/bin"
    own 750 "$state"/{run,doorbell,log,tmp,files}
    [[ -e $dir/log ]] || ln -s state/log "$dir/log"
    ((port != 0)) || port=$(free_port)
    printf '%s\n' "$port" >"$state/etc/port"
    install_programs
    database_configure
    render "$here/backdesk.conf.in" "$state/etc/backdesk.conf" \
        -e "s|@USER@|$daemon_user|" -e "s|@PASSWORD_API@|$(password_of backdesk_api)|" \
        -e "s|@PASSWORD_RUNNER@|$(password_of backdesk_runner)|" \
        -e "s|@PASSWORD_MIGRATION@|$(password_of backdesk_migration)|" \
        -e "s|@PASSWORD_SITE@|$(password_of site_reader)|" \
        -e "s|@PASSWORD_BACKUP@|$(password_of site_backup)|" \
        -e "s|@PASSWORD_IMPORT@|$(password_of site_importer)|" \
        -e "\$r "<(own_sections)
    defer_configure
    nginx_configure
    [[ -z $changed ]] || services_stop
}

# Copied, because the daemons' account may not reach PREFIX.
install_programs() {
    rm -rf "$state/app.new"
    cp -R "$prefix" "$state/app.new"
    if diff -rq "$state/app" "$state/app.new" >/dev/null 2>&1; then
        rm -rf "$state/app.new"
    else
        services_stop
        rm -rf "$state/app"
        mv "$state/app.new" "$state/app"
    fi
}

# The key of deferred requests, the program behind /demo/slow, and where nginx listens for replays.
defer_configure() {
    [[ -s $state/etc/defer.key ]] || (umask 077 && openssl rand -hex 32 >"$state/etc/defer.key")
    shared 640 "$state/etc/defer.key"
    own 700 "$state/run/replay"
    render "$here/slow_site.py" "$state/bin/slow_site.py"
    chmod 755 "$state/bin/slow_site.py"
}

# The files that a site includes are used as they are installed, with this demo's paths.
nginx_configure() {
    local file
    render "$here/nginx.conf.in" "$state/etc/nginx.conf"
    render "$here/site-locations.conf.in" "$state/etc/site-locations.conf"
    for file in "$state"/app/share/backdesk/nginx/*.conf; do
        render "$file" "$state/etc/backdesk/${file##*/}" \
            -e "s|/run/backdesk/tasks|$state/run/tasks|g" \
            -e "s|/srv/backdesk|$state/files|g" \
            -e "s|/usr/local/share/backdesk/www|$state/app/share/backdesk/www|g"
    done
    render "$state/app/share/backdesk/nginx/examples/identity-basic.conf" \
        "$state/etc/backdesk/identity.conf"
    [[ -s $state/etc/backdesk/users ]] || basic_users
}

# The password is public, so its hash is a fast one: nginx computes it for every request, and a slow
# one (apr1: 0.2 ms) would be half of what a request costs.
basic_users() {
    local user salt
    for user in ada grace admin; do
        salt=$(openssl rand -hex 4)
        printf '%s:{SSHA}%s\n' "$user" "$({ printf 'demo%s' "$salt" | openssl dgst -sha1 -binary
            printf '%s' "$salt"; } | base64)"
    done >"$state/etc/backdesk/users"
    shared 640 "$state/etc/backdesk/users"
}

pool_start() {
    running tasks.fcgi >/dev/null && return
    sweep tasks.fcgi
    # spawn-fcgi refuses a socket that answers, as that of a process does that is about to be gone.
    rm -f "$state/run/tasks.sock"
    # spawn-fcgi's own daemon mode would send the pool's messages to /dev/null.
    start_daemon tasks.fcgi spawn-fcgi -n -s "$state/run/tasks.sock" -M 0600 -b 1024 -- \
        "$state/app/libexec/backdesk/tasks.fcgi" --config "$state/etc/backdesk.conf"
}

runner_start() {
    running taskrunner >/dev/null && return
    start_daemon taskrunner "$state/app/sbin/taskrunner" --config "$state/etc/backdesk.conf"
}

nginx_start() {
    running nginx >/dev/null && return
    sweep nginx
    rm -f "$state/run/replay/site.sock" # a killed nginx leaves it, and the next one stumbles over it
    detached nginx -e "$state/log/nginx-error.log" -p "$state" -c "$state/etc/nginx.conf"
    wait_until 10 running nginx >/dev/null ||
        die_with_log "$state/log/nginx-error.log" "nginx does not start"
}

# Python programs of one demo are told apart by their arguments; grep must not have it among its own.
site_pids() {
    { grep -lzxFf <(printf '%s\n' "$state/bin/slow_site.py") /proc/[1-9]*/cmdline 2>/dev/null || true; } | cut -d/ -f3
}

site_gone() { [[ -z $(site_pids) ]]; }

site_start() {
    site_gone || return 0
    rm -f "$state/run/site.sock"
    # shellcheck disable=SC2016
    detached sh -c 'exec /usr/bin/python3 -B "$0" "$1" >>log/site.log 2>&1' \
        "$state/bin/slow_site.py" "$state/run/site.sock"
    wait_until 10 test -S "$state/run/site.sock" || die_with_log "$state/log/site.log" "the site does not start"
}

site_stop() {
    local pids
    mapfile -t pids < <(site_pids)
    ((${#pids[@]})) || return 0
    kill "${pids[@]}" 2>/dev/null || true
    wait_until 5 site_gone
}

healthy() { curl -q --noproxy '*' -fsS -o /dev/null "http://127.0.0.1:$(http_port)/v1/tasks/health" 2>/dev/null; }

services_start() {
    site_start
    pool_start
    runner_start
    nginx_start
    wait_until 20 healthy || die_with_log "$state/log/tasks.fcgi.log" "the API does not answer"
}

# The runner first gets its grace (20 s) to end or hand back what it runs.
services_stop() {
    stop_daemon nginx QUIT 5
    stop_daemon taskrunner TERM 30
    stop_daemon tasks.fcgi TERM 30
    site_stop
}
