#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A command in Python, one task per run: counts the words of a text.

    command "count_words" {
        argv = {"/usr/bin/python3", "/srv/shop/count_words.py"}
        param "text" { type = string max_length = 20000 required = yes }
        param "top"  { type = integer min = "1" max = "1000" default = "10" }
    }
"""

import collections
import csv
import json
import os
import re
import sys

task = json.load(sys.stdin)  # defaults are filled in
progress = open(3, "w", buffering=1)  # one line of JSON at a time
words = re.findall(r"\w+", task["text"].lower())
print(f"{len(words)} words", file=sys.stderr)  # the attempt's log

counts = collections.Counter()
for done, word in enumerate(words, 1):
    counts[word] += 1
    if done % 1000 == 0 or done == len(words):
        print(json.dumps({"done": done, "total": len(words), "unit": "words"}), file=progress)

# each file left in this directory can be downloaded when the task has succeeded
path = os.path.join(os.environ["BACKDESK_OUTPUT_DIR"], "words.csv")
with open(path, "w", encoding="utf-8", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["word", "count"])
    rows.writerows(counts.most_common(task["top"]))

json.dump({"words": len(words), "distinct": len(counts)}, sys.stdout)  # the result
