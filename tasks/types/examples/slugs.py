#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A command in Python that stays: it reads one task a line and answers one line each, so that a task costs
no start of a program.

    command "slug" {
        argv = {"/usr/bin/python3", "/srv/shop/slugs.py"}
        mode = persistent
        param "title" { type = string max_length = 200 required = yes }
    }
"""

import json
import re
import sys
import unicodedata


def slug(title):
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


for line in sys.stdin:  # ends when the runner closes it
    task = json.loads(line)
    made = slug(task["data"]["title"])
    if made:
        answer = {"id": task["id"], "result": {"slug": made}}
    else:
        answer = {"id": task["id"], "error": {"code": "no_letters", "message": "nothing is left of the title"}}
    print(json.dumps(answer), flush=True)
