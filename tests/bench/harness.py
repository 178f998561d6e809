# SPDX-License-Identifier: MIT
"""How things are compared: every case once, then every case again, so that whatever the machine does meanwhile hits
all of them; medians, the spread, and ratios between cases of the same round only."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS_LEAST = 5


class Case:
    """One thing that is measured. MEASURE returns {metric: value}; PREPARE and TIDY run around it, unmeasured."""

    def __init__(self, name, measure, prepare=None, tidy=None):
        self.name, self.measure, self.prepare, self.tidy = name, measure, prepare, tidy

    def once(self):
        if self.prepare:
            self.prepare()
        try:
            return self.measure()
        finally:
            if self.tidy:
                self.tidy()


class Goal:
    """OURS compared with PEER in METRIC: their ratio must be AT_LEAST (or AT_MOST) so much. Without a PEER the value
    itself is compared."""

    def __init__(self, ours, metric, peer=None, at_least=None, at_most=None):
        self.ours, self.metric, self.peer, self.at_least, self.at_most = ours, metric, peer, at_least, at_most

    def judge(self, result):
        value = result.ratio(self.ours, self.peer, self.metric) if self.peer else result.median(self.ours, self.metric)
        if value is None:
            return None
        met = value >= self.at_least if self.at_least is not None else value <= self.at_most
        sign, bound = (">=", self.at_least) if self.at_least is not None else ("<=", self.at_most)
        against = f" / {self.peer}" if self.peer else ""
        return {"goal": f"{self.ours}{against}: {self.metric} {sign} {bound:g}", "measured": value, "met": met}


class Result:
    """Values by case and metric, in the order of the rounds."""

    def __init__(self, benchmark, goals=()):
        self.benchmark, self.goals, self.values = benchmark, list(goals), {}

    def add(self, case, metrics):
        for metric, value in metrics.items():
            self.values.setdefault(case, {}).setdefault(metric, []).append(value)

    def median(self, case, metric):
        values = self.values.get(case, {}).get(metric)
        return statistics.median(values) if values else None

    def ratio(self, case, peer, metric):
        """The median of the ratios of each round."""
        pairs = zip(self.values.get(case, {}).get(metric, ()), self.values.get(peer, {}).get(metric, ()))
        ratios = [ours / theirs for ours, theirs in pairs if theirs]
        return statistics.median(ratios) if ratios else None

    def table(self):
        metrics = list(dict.fromkeys(metric for values in self.values.values() for metric in values))
        head = ["", *metrics]
        rows = []
        for case, values in self.values.items():
            rows.append([case, *(spread(values[metric]) if metric in values else "" for metric in metrics)])
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
                 for row in [head, ["-" * width for width in widths], *rows]]
        for verdict in filter(None, (goal.judge(self) for goal in self.goals)):
            lines.append(f"{'met    ' if verdict['met'] else 'NOT MET'}  {verdict['goal']}: {short(verdict['measured'])}")
        return "\n".join(lines)

    def json(self):
        return {"benchmark": self.benchmark, "machine": machine(), "values": self.values,
                "medians": {case: {metric: statistics.median(values) for metric, values in metrics.items()}
                            for case, metrics in self.values.items()},
                "goals": [verdict for verdict in (goal.judge(self) for goal in self.goals) if verdict]}


def run(result, cases, rounds):
    """A B C A B C ...; a line on standard error for each."""
    for number in range(1, rounds + 1):
        for case in cases:
            begin = time.monotonic()
            metrics = case.once()
            result.add(case.name, metrics)
            said = ", ".join(f"{metric} {short(value)}" for metric, value in metrics.items())
            print(f"  {number}/{rounds} {case.name}: {said} ({time.monotonic() - begin:.1f} s)", file=sys.stderr, flush=True)
    return result


def chosen(cases, options):
    """Those that --only names."""
    names = [name.strip() for name in options.only.split(",") if name.strip()]
    return [case for case in cases if not names or case.name in names]


def short(value):
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def spread(values):
    """The median, and the least and the most."""
    return f"{short(statistics.median(values))} ({short(min(values))} - {short(max(values))})"


def percentile(values, part):
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def version_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return (done.stdout or done.stderr).strip().splitlines()[0]


def machine():
    model = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"cores": os.cpu_count(), "cpu": model[0] if model else platform.machine(), "kernel": platform.release(),
            "load": os.getloadavg()[0], "mariadb": version_of("mariadbd", "--version"),
            "nginx": version_of("nginx", "-v"), "php": version_of("php", "--version"),
            "node": version_of("node", "--version"),
            "commit": version_of("git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD")}


def save(results, path):
    Path(path).write_text(json.dumps([result.json() for result in results], indent=1) + "\n", encoding="utf-8")
