# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # dir, state, here and source_root are set by stack
# database.sh: the demo's private MariaDB: made, started, filled, stopped. It listens on a Unix
# socket only and reads no option file of the machine.

# password_of ACCOUNT: made up when first asked for, the same ever after.
password_of() {
    local file=$state/etc/password.$1
    [[ -s $file ]] || (umask 077 && openssl rand -hex 16 >"$file")
    cat "$file"
}

# sql [DATABASE]: statements from standard input, as the server's root.
sql() { mariadb --defaults-file="$state/etc/root.cnf" --default-character-set=utf8mb4 -N "$@"; }

answers() { sql -e 'SELECT 1' >/dev/null 2>&1; }

database_configure() {
    local tmp=$state/etc/root.cnf.new
    render "$here/mariadb.cnf.in" "$state/etc/mariadb.cnf"
    (umask 077 && printf '[client]\nuser=root\npassword=%s\nsocket=%s/run/mysql.sock\n' \
        "$(password_of root)" "$state" >"$tmp")
    mv "$tmp" "$state/etc/root.cnf"
    printf '#!/bin/bash\n# Starts the demo'\''s database again.\nexec %q database --dir %q\n' \
        "$here/stack" "$dir" >"$state/bin/mysql-start"
    chmod 755 "$state/bin/mysql-start"
}

# Databases and accounts. What the accounts may do is said in database_fill.
database_accounts() {
    local account
    echo "CREATE DATABASE backdesk CHARACTER SET utf8mb4;"
    echo "CREATE DATABASE site CHARACTER SET utf8mb4;"
    for account in backdesk_api backdesk_runner backdesk_migration site_reader site_importer demo; do
        echo "CREATE USER '$account'@'localhost' IDENTIFIED BY '$(password_of $account)';"
    done
    echo "ALTER USER 'root'@'localhost' IDENTIFIED BY '$(password_of root)';"
}

# The data directory appears under its name only when it is complete. --force: also on a machine that
# cannot look up its own name.
database_create() {
    local log=$state/start.log
    [[ ! -d $state/data ]] || return 0
    rm -rf "$state/data.new"
    own 750 "$state/data.new"
    { echo "FLUSH PRIVILEGES;"; database_accounts; } >"$state/etc/accounts.sql"
    shared 640 "$state/etc/accounts.sql"
    (cd "$state" && as_daemon mariadb-install-db --defaults-file="$state/etc/mariadb.cnf" \
        --datadir="$state/data.new" --extra-file="$state/etc/accounts.sql" --skip-test-db \
        --auth-root-authentication-method=normal --skip-name-resolve --force) >>"$log" 2>&1 ||
        die_with_log "$log" "the database cannot be created"
    rm "$state/etc/accounts.sql"
    mv "$state/data.new" "$state/data"
}

database_start() {
    local try
    database_create
    for try in 1 2; do # a server that was killed a moment ago may still have seemed to run
        if ! running mariadbd >/dev/null; then
            sweep mariadbd
            start_daemon mariadbd mariadbd --defaults-file="$state/etc/mariadb.cnf"
        fi
        wait_until 60 answers_or_died || true
        ! answers || return 0
    done
    die_with_log "$state/log/mariadbd.log" "the database does not start"
}

answers_or_died() { answers || is_gone mariadbd; }

# Tables, grants and sample books, each where it is missing.
database_fill() {
    local log=$state/start.log
    sql <<END
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES
    ON backdesk.* TO 'backdesk_migration'@'localhost';
GRANT PROCESS ON *.* TO 'backdesk_migration'@'localhost';
GRANT SELECT ON site.* TO 'site_reader'@'localhost';
CREATE USER IF NOT EXISTS 'site_backup'@'localhost' IDENTIFIED BY '$(password_of site_backup)';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON site.* TO 'site_backup'@'localhost';
GRANT SELECT ON mysql.proc TO 'site_backup'@'localhost';
GRANT ALL ON backdesk.* TO 'demo'@'localhost';
GRANT ALL ON site.* TO 'demo'@'localhost';
GRANT PROCESS ON *.* TO 'demo'@'localhost';
END
    as_daemon "$state/app/bin/taskctl" --config "$state/etc/backdesk.conf" migrate \
        --sql "$state/app/share/backdesk/sql" >>"$log" 2>&1 ||
        die_with_log "$log" "the tables cannot be made"
    sql backdesk <"$state/app/share/backdesk/sql/grants.sql"
    if [[ -z $(sql site -e "SHOW TABLES LIKE 'books'") ]]; then
        sql site <"$source_root/sql/demo/library.sql"
    fi
    sql site <"$state/app/share/backdesk/sql/import/ledger.sql"
    sql site <<END
CREATE USER IF NOT EXISTS 'site_importer'@'localhost' IDENTIFIED BY '$(password_of site_importer)';
GRANT SELECT, INSERT, UPDATE ON books TO 'site_importer'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON backdesk_imports TO 'site_importer'@'localhost';
GRANT SELECT, INSERT, UPDATE, DELETE ON backdesk_import_rejects TO 'site_importer'@'localhost';
GRANT CREATE TEMPORARY TABLES ON site.* TO 'site_importer'@'localhost';
END
}

database_stop() { stop_daemon mariadbd TERM 60; }
