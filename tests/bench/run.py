#!/usr/bin/env python3
"""The benchmark of the engine: one command makes what is missing, measures, checks the answers, and writes the tables.

    python3 tests/bench/run.py                      everything; half an hour on two cores
    python3 tests/bench/run.py --quick              stores of a tenth of the size: a few minutes, numbers of no worth
    python3 tests/bench/run.py --only w200 --keep   one stage again; the other numbers as they were
    python3 tests/bench/run.py --table              only the tables, of the numbers that there are

Every number is taken in a process of its own, so that its peak of memory is its own. Numbers go into `results.json` as they come.
"""

import argparse
import datetime as dt
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

import report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PACKAGES = ["duckdb==2.0.0", "polars==2.1.0", "chdb==4.4.0", "pyarrow==26.0.1", "numpy==2.4.6"]
# Millions of events and customers, by what the bars call them.
STORES = {"10": (10_000_000, 500_000), "20": (20_000_000, 1_000_000), "50": (50_000_000, 2_000_000)}
QUICK = {"10": (1_000_000, 50_000), "20": (2_000_000, 100_000), "50": (5_000_000, 200_000)}
WIDE = ["customer_id", "ts", "event", "category", "amount"]
NARROW = ["customer_id", "ts", "event", "category"]
PEER_BYTES = 20 << 30
# Forms of a workload, the promising ones first: a form that takes much longer than a peer's best is stopped.
FORMS = {
    "one": {"duckdb": ["filter", "anti"], "chdb": ["anti", "filter"], "polars": ["anti", "filter"]},
    "ten": {"duckdb": ["each", "filter"], "chdb": ["filter", "each"], "polars": ["each", "together", "filter"]},
    "w200": {
        "duckdb": ["long", "direct", "lists", "filter"],
        "chdb": ["long", "direct", "lists", "codes", "filter"],
        "polars": ["direct", "long", "codes", "filter"],
    },
    "funnel": {
        "duckdb": ["lists", "window", "asof", "join"],
        "chdb": ["lists", "asof", "join", "window"],
        "polars": ["asof", "join"],
    },
    "cart": {"duckdb": ["anti", "asof", "window"], "chdb": ["anti", "lists", "window"], "polars": ["asof", "join"]},
}
STAGES = ["decode", "w200", "limit", "terms", "one", "ten", "funnel", "cart", "compact", "daily", "peers", "peers-terms"]


class Bench:
    def __init__(self, args):
        self.args = args
        self.data = os.path.abspath(args.data)
        self.python = os.path.join(os.path.abspath(args.venv), "bin", "python")
        self.sizes = QUICK if args.quick else STORES
        self.file = os.path.join(self.data, "results-quick.json" if args.quick else "results.json")
        self.results = {}
        if os.path.exists(self.file) and (args.keep or args.table or args.only):
            with open(self.file) as file:
                self.results = json.load(file)

    # --- what is needed ---------------------------------------------------------------------------------------------------------

    def prepare(self):
        os.makedirs(self.data, exist_ok=True)
        if not os.path.exists(self.python):
            venv = os.path.dirname(os.path.dirname(self.python))
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
            subprocess.run([self.python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        for size in self.wanted_sizes():
            events, customers = self.sizes[size]
            call = [self.python, os.path.join(HERE, "store.py"), self.store(size), "--events", str(events), "--customers", str(customers)]
            subprocess.run(call, check=True, stdout=sys.stderr)
            subprocess.run([self.python, os.path.join(HERE, "workloads.py"), self.projects(size), self.store(size)], check=True)
        self.build()

    def wanted_sizes(self):
        return [size for size in self.sizes if size in self.args.events]

    def store(self, size):
        return os.path.join(self.data, f"s{self.sizes[size][0] // 1_000_000}")

    def projects(self, size):
        return os.path.join(self.data, "projects", os.path.basename(self.store(size)))

    def project(self, size, workload):
        return os.path.join(self.projects(size), workload)

    def build(self):
        call = ["cargo", "build", "--release", "--bench", "engine", "--bin", "segue", "--message-format=json-render-diagnostics"]
        made = subprocess.run(call, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        found = {}
        for line in made.splitlines():
            said = json.loads(line)
            if said.get("executable"):
                found[said["target"]["name"]] = said["executable"]
        self.engine, self.segue = found["engine"], found["segue"]

    def warm(self, folder):
        """All files of a folder into the system's memory."""
        for path, _, files in os.walk(folder):
            for name in files:
                with open(os.path.join(path, name), "rb") as file:
                    while file.read(1 << 22):
                        pass

    # --- measuring ----------------------------------------------------------------------------------------------------------------

    def call(self, command, timeout, slack):
        """Runs a command that prints a line of JSON; what went wrong instead stands in `error`."""
        process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        why = []
        watch = threading.Thread(target=guard, args=(process, timeout, slack, why), daemon=True)
        watch.start()
        out, err = process.communicate()
        watch.join()
        if process.returncode != 0:
            last = err.strip().splitlines()[-1:] or ["nothing said"]
            return {"error": why[0] if why else f"failed: {last[0][:200]}"}
        try:
            return json.loads(out.strip().splitlines()[-1])
        except (ValueError, IndexError):
            return {"error": "failed: no answer"}

    def measure(self, key, command, timeout=600, slack=0, again=False):
        if key in self.results and self.args.keep and "error" not in self.results[key] and not again:
            return self.results[key]
        found = self.call(command, timeout, slack)
        if "seconds" in found:
            found["median"] = statistics.median(found["seconds"])
        self.results[key] = found
        self.save()
        said = f"{found['median']:8.3f} s {found.get('peak_mb') or 0:6} MB" if "median" in found else found["error"]
        print(f"{dt.datetime.now():%H:%M:%S}  {key:42} {said}", flush=True)
        return found

    def save(self):
        aside = self.file + ".tmp"
        with open(aside, "w") as file:
            json.dump(self.results, file, indent=1)
        os.replace(aside, self.file)

    def run_segue(self, key, size, workload, *options, repeat=5):
        command = [self.engine, "run", self.project(size, workload), "--digests", "--repeat", str(repeat), *options]
        return self.measure(key, command)

    def decode(self, key, folder, columns, *options):
        return self.measure(key, [self.engine, "decode", folder, "--repeat", "5", *options, *columns])

    def run_peers(self, size, workload, forms, budget=180):
        """All forms on all peers; a form that takes much longer than the best one of its peer tells nothing more."""
        for peer, names in forms.items():
            best = None
            for form in names:
                limit = budget if best is None else min(budget, max(5, 2 * best))
                command = [self.python, os.path.join(HERE, "peers.py"), peer, self.store(size), workload, form, "4"]
                # Repeats go on for 20 seconds at most; the rest is for the start and the digests.
                found = self.measure(f"{workload}.{size}.{peer}.{form}", command, timeout=limit, slack=40)
                seconds = found.get("median")
                if seconds is not None and (best is None or seconds < best):
                    best = seconds

    # --- stages -------------------------------------------------------------------------------------------------------------------

    def stage_decode(self):
        for size in ("10", "50"):
            if size in self.args.events:
                self.warm(self.store(size))
                self.decode(f"decode.{size}", self.store(size), WIDE)

    def stage_w200(self):
        for size, repeat in (("10", 5), ("20", 5), ("50", 3)):
            if size in self.args.events:
                self.warm(self.store(size))
                self.run_segue(f"w200.{size}.segue", size, "w200", repeat=repeat)

    def stage_limit(self):
        if "50" in self.args.events:
            self.run_segue("w200.50.segue.512MB", "50", "w200", "--memory-limit", str(512 << 20), repeat=1)

    def stage_terms(self):
        if "10" in self.args.events:
            for number in (10, 50, 200, 600):
                self.run_segue(f"terms{number}.10.segue", "10", f"terms{number}")

    def stage_one(self):
        if "50" in self.args.events:
            self.warm(self.store("50"))
            self.decode("decode.50.one", self.store("50"), NARROW, "--from", "2026-03-03")
            self.run_segue("one.50.segue", "50", "one", repeat=7)
            self.run_peers("50", "one", FORMS["one"])

    def stage_ten(self):
        if "10" in self.args.events:
            self.warm(self.store("10"))
            self.run_segue("ten.10.segue", "10", "ten")
            self.run_peers("10", "ten", FORMS["ten"])
        if "50" in self.args.events:
            self.run_segue("ten.50.segue", "50", "ten", repeat=3)

    def stage_funnel(self):
        self.sequence("funnel")

    def stage_cart(self):
        self.sequence("cart")

    def sequence(self, workload):
        if "50" in self.args.events:
            self.warm(self.store("50"))
            self.run_segue(f"{workload}.50.segue", "50", workload, repeat=7)
            self.run_peers("50", workload, FORMS[workload])

    def stage_compact(self):
        """The same store clustered by customers, and the rules over it."""
        if "50" not in self.args.events:
            return
        folder = os.path.join(self.data, "compacted", os.path.basename(self.store("50")))
        mark, said = folder + ".done", open(self.store("50") + ".done").read()
        if not (os.path.exists(mark) and open(mark).read() == said):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(os.path.dirname(folder), exist_ok=True)
            began = time.time()
            call = [self.segue, "store", "compact", self.project("50", "w200"), "--to", folder, "--threads", "2"]
            done = subprocess.run(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                self.results["compact.50.segue"] = {"error": f"failed: {(done.stderr.strip().splitlines() or ['?'])[-1][:200]}"}
                self.save()
                return
            self.results["compacting"] = {"median": time.time() - began}
            with open(mark, "w") as file:
                file.write(said)
        projects = os.path.join(self.data, "projects", "compacted")
        path = os.path.join(folder, "activity")
        subprocess.run([self.python, os.path.join(HERE, "workloads.py"), projects, path, "w200"], check=True)
        self.warm(path)
        self.measure("compact.50.segue", [self.engine, "run", os.path.join(projects, "w200"), "--digests", "--repeat", "5"])

    def stage_daily(self):
        """400 days, and then a day more, and another: each with what the run before left behind, and at last without it."""
        if "50" not in self.args.events:
            return
        days, whole = os.path.join(self.data, "daily"), os.path.join(self.data, "projects", "daily")
        shutil.rmtree(days, ignore_errors=True)
        shutil.rmtree(whole, ignore_errors=True)
        shutil.copytree(self.store("50"), days, copy_function=os.link)
        subprocess.run([self.python, os.path.join(HERE, "workloads.py"), whole, days, "w200"], check=True)
        project = os.path.join(whole, "w200")
        events, customers = map(str, self.sizes["50"])
        call = [self.engine, "run", project, "--digests", "--repeat", "1"]
        self.measure("daily.50.segue.first", [*call, "--cache"], again=True)
        nexts = []
        for day in range(3):
            made = [self.python, os.path.join(HERE, "store.py"), days, "--events", events, "--customers", customers, "--day", str(400 + day)]
            subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
            as_of = (dt.date(2026, 6, 2) + dt.timedelta(days=day)).isoformat()
            nexts.append(self.measure("daily.50.segue.next", [*call, "--cache", "--as-of", as_of], again=True))
        self.measure("daily.50.segue.full", [*call[:-1], "3", "--as-of", as_of], again=True)
        if all("median" in found for found in nexts):
            whole = {**nexts[-1], "seconds": [s for found in nexts for s in found["seconds"]], "cpu": [c for found in nexts for c in found["cpu"]]}
            self.results["daily.50.segue.next"] = {**whole, "median": statistics.median(whole["seconds"])}
            self.save()

    def stage_peers(self):
        """The slow ones."""
        if "10" in self.args.events:
            self.warm(self.store("10"))
            self.run_peers("10", "w200", FORMS["w200"])
            self.run_peers("10", "w200", {peer: ["each"] for peer in FORMS["w200"]})

    def stage_peers_terms(self):
        if "10" in self.args.events:
            for number in (10, 200):
                best = {}
                for peer, names in FORMS["w200"].items():
                    known = {form: self.results.get(f"w200.10.{peer}.{form}", {}).get("median") for form in names}
                    known = {form: seconds for form, seconds in known.items() if seconds is not None}
                    best[peer] = ["filter"] if number == 10 else [min(known, key=known.get)] if known else ["codes"]
                self.run_peers("10", f"terms{number}", best, budget=60)

    def run(self):
        started = time.time()
        for stage in STAGES:
            if self.args.only and stage not in self.args.only:
                continue
            print(f"{dt.datetime.now():%H:%M:%S}  stage {stage}", flush=True)
            try:
                getattr(self, "stage_" + stage.replace("-", "_"))()
            except (OSError, subprocess.CalledProcessError, KeyError, ValueError) as why:
                # One stage that fails takes no other with it.
                print(f"          {stage}: {why}", flush=True)
        self.results["about"] = report.machine(self.python, PACKAGES, "quick" if self.args.quick else "full")
        self.save()
        print(f"{(time.time() - started) / 60:.1f} minutes")


def guard(process, timeout, slack, why):
    """Ends a process that takes too long or too much memory. The slack is for what is not measured."""
    began = time.time()
    while process.poll() is None:
        if time.time() - began > timeout + slack:
            why.append(f"> {timeout:.0f} s")
            process.kill()
        try:
            with open(f"/proc/{process.pid}/statm") as file:
                if int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") > PEER_BYTES:
                    why.append(f"> {PEER_BYTES >> 30} GB")
                    process.kill()
        except (OSError, IndexError):
            pass
        time.sleep(0.1)


def main():
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--data", default=os.environ.get("SEGUE_BENCH_DATA", os.path.join(target, "bench")), help="folder of stores and results")
    args.add_argument("--venv", default=os.environ.get("SEGUE_BENCH_VENV"), help="Python environment of the peers")
    args.add_argument("--events", default="10,20,50", type=lambda text: text.split(","), help="which stores, by millions of events")
    args.add_argument("--only", default=None, type=lambda text: text.split(","), help=f"stages: {', '.join(STAGES)}")
    args.add_argument("--quick", action="store_true", help="stores of a tenth of the size")
    args.add_argument("--keep", action="store_true", help="measure only what has no number yet")
    args.add_argument("--table", action="store_true", help="measure nothing")
    args.add_argument("--json", action="store_true", help="print the bars as JSON")
    args.add_argument("--write", action="store_true", help="write the tables into README.md beside this file")
    args = args.parse_args()
    args.venv = args.venv or os.path.join(args.data, "venv")
    for stage in args.only or []:
        if stage not in STAGES:
            sys.exit(f"there is no stage {stage}; there are {', '.join(STAGES)}")
    bench = Bench(args)
    if not args.table:
        bench.prepare()
        bench.run()
    bars = report.bars(bench.results)
    if args.json:
        print(json.dumps(bars, indent=1))
    else:
        print(report.text(bench.results))
    if args.write:
        report.write(os.path.join(HERE, "README.md"), bench.results)
    wrong = report.disagreements(bench.results)
    if wrong:
        sys.exit("answers differ: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
