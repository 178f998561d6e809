#!/bin/sh
# SPDX-License-Identifier: MIT
# A command in shell: how full the disks are. Only one runs at a time; another one asks to be tried later.
#
#     command "disk_report" {
#         argv = {"/bin/sh", "/srv/shop/disk_report.sh"}
#         env = {"LOCK=/run/lock/disk_report"}
#         role = admin
#     }
set -eu

exec 9>"$LOCK"
flock -n 9 || {
    echo "another report is being written" >&2
    exit 75 # one of retry_exit_codes
}
echo '{"percent": 10, "message": "asking"}' >&3
df -P >"$BACKDESK_OUTPUT_DIR/disks.txt"
echo '{"percent": 100, "message": "done"}' >&3
echo "{\"lines\": $(wc -l <"$BACKDESK_OUTPUT_DIR/disks.txt")}"
