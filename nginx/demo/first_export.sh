# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # dir and state are set by stack
# first_export.sh: proves by HTTP that the demo works, and says where everything is.

# A 503 is tried again: after a database that was away each process of the pool notices for itself that it
# is back.
api() { curl -q --noproxy '*' -fsS --retry 10 --retry-max-time 60 -u ada:demo "$@"; }

# The status of the task at URL $1.
status_of() { api "$1" | sed -nE 's/.*"status": *"([a-z]+)".*/\1/p'; }

# Posts an export, waits for it, downloads it, shows its first line. Leaves its path in $task.
first_export() {
    local base status='' end=$((SECONDS + 60))
    base=http://127.0.0.1:$(http_port)
    task=$(api -o /dev/null -w '%header{location}' -H 'Content-Type: application/json' \
        -H "Idempotency-Key: first-export-$(openssl rand -hex 8)" \
        -d '{"type": "csv_export", "data": {"export": "books"}}' "$base/v1/tasks")
    [[ $task == /v1/tasks/* ]] || die "the API gave no task for an export: '$task'"
    until [[ $status == success ]]; do
        status=$(status_of "$base$task")
        case $status in
            failure | cancelled | dropped) die "the first export ended as $status: $base$task" ;;
        esac
        ((SECONDS < end)) || die "the first export does not end: $base$task"
        sleep 0.2
    done
    api -o "$dir/first-export.csv" "$base$task/download"
    say "  $base$task/download: $(wc -c <"$dir/first-export.csv") bytes, beginning with"
    say "  $(head -n 1 "$dir/first-export.csv" | cut -c 1-100)"
}

print_urls() {
    local base
    base=http://127.0.0.1:$(http_port)
    cat <<END

Backdesk runs. Users: ada, grace, admin; the password is demo.

  page        $base/tasks/
  API         $base/v1/tasks
  variables   $dir/env
  logs        $state/log

Three lines to try:

  curl -u ada:demo -H 'Content-Type: application/json' -d '{"type": "html_export", "data": {"export": "books"}}' $base/v1/tasks
  curl -u ada:demo $base/v1/tasks/exports
  curl -u ada:demo -OJ $base$task/download

And two for the site's slow endpoint, done later (without the header it makes one wait):

  curl -u ada:demo -i -H 'Prefer: respond-async' '$base/demo/slow?seconds=10'
  curl -u ada:demo -i -H 'Prefer: wait=60' $base/v1/tasks/ID/result
END
}
