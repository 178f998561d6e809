#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""stamp: a persistent command that answers when it got each task, in nanoseconds since 1970."""

import json
import sys
import time

for line in sys.stdin:
    now = time.time_ns()
    print(json.dumps({"id": json.loads(line)["id"], "result": {"ns": now}}), flush=True)
