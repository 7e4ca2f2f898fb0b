"""From numbers to bars and tables."""

import datetime as dt
import os
import platform
import re
import subprocess

PEERS = {"duckdb": "DuckDB", "chdb": "chDB", "polars": "Polars"}
FORMS = {
    "each": "a query a rule", "together": "a query a rule, handed over at once", "anti": "anti join", "filter": "FILTER aggregates",
    "codes": "FILTER over codes", "twice": "added up by code first, then FILTER", "lists": "lists of codes", "long": "long form, joins to terms and rules",
    "direct": "long form without adding up first",
    "first": "first run, keeping", "next": "a day more", "full": "all of it, without what is kept", "512MB": "limit of 512 MB",
    "asof": "ASOF join", "join": "join", "window": "window functions",
}
SLOW = {"each", "together"}


def median(results, key):
    return results.get(key, {}).get("median")


def best(results, prefix, forms=None):
    """The fastest of the peers: its key and seconds. Forms that were stopped count as slower than any."""
    found = []
    for key, value in results.items():
        parts = key.split(".")
        if key.startswith(prefix) and len(parts) == 4 and parts[2] in PEERS and "median" in value:
            if forms is None or forms(parts[3]):
                found.append((value["median"], key))
    return min(found) if found else (None, None)


def ratio(above, below):
    return above / below if above is not None and below else None


def peak(results, key):
    return results.get(key, {}).get("peak_mb")


def bars(results):
    """Each bar of what the benchmark must show: what, bound, measured, kept."""
    out = []

    def bar(what, value, bound, at_most=True, unit="×", note=""):
        kept = None if value is None else (value <= bound if at_most else value >= bound)
        out.append({"what": what, "bound": f"{'≤' if at_most else '≥'} {bound:g} {unit}", "value": value, "unit": unit, "kept": kept, "note": note})

    m = lambda key: median(results, key)
    segue50, segue10 = m("w200.50.segue"), m("w200.10.segue")
    bar("200 rules, 50 M as they lie, by the time to decode", ratio(segue50, m("decode.50")), 6)
    bar("its peak of memory", peak(results, "w200.50.segue"), 2048, unit="MB")
    seconds, key = best(results, "w200.10.", lambda form: form not in SLOW)
    bar("200 rules, 10 M: best fused query of a peer by Segue", ratio(seconds, segue10), 8, False, note=spoken(key))
    seconds, key = best(results, "w200.10.", lambda form: form in SLOW)
    note = spoken(key)
    stopped = [float(value["error"][2:-2]) for name, value in results.items() if name.endswith(".each") and re.fullmatch(r"> \d+ s", value.get("error", ""))]
    if seconds is None and stopped:
        seconds, note = min(stopped), "at least: all were stopped"
    bar("200 rules, 10 M: best query a rule by Segue", ratio(seconds, segue10), 30, False, note=note)
    bar("200 rules, 50 M compacted, by the time to decode as they lie", ratio(m("compact.50.segue"), m("decode.50")), 3)
    bar("its peak of memory", peak(results, "compact.50.segue"), 600, unit="MB")
    bar("600 terms by 10 terms, 10 M", ratio(m("terms600.10.segue"), m("terms10.10.segue")), 1.7)
    for name, what, size, bound in (("one", "one rule, 50 M", "50", 1), ("ten", "ten mixed rules, 10 M", "10", 1)):
        seconds, key = best(results, f"{name}.{size}.")
        bar(f"{what}: Segue by the best peer", ratio(m(f"{name}.{size}.segue"), seconds), bound, note=spoken(key))
    bar("its peak of memory", peak(results, "ten.10.segue"), 1536, unit="MB")
    seconds, key = best(results, "funnel.50.")
    bar("funnel of three steps, 50 M: best peer by Segue", ratio(seconds, m("funnel.50.segue")), 2, False, note=spoken(key))
    seconds, key = best(results, "cart.50.")
    bar("abandoned cart, 50 M: Segue by the best peer", ratio(m("cart.50.segue"), seconds), 1, note=spoken(key))
    bar("a day more after 400 days: by the full run", ratio(m("daily.50.segue.next"), m("daily.50.segue.full")), 0.25)
    bar("twice the events (10 M, 20 M)", ratio(m("w200.20.segue"), segue10), 2.1)
    limited, free = results.get("w200.50.segue.512MB", {}), results.get("w200.50.segue", {})
    same = None if not (limited.get("rules") and free.get("rules")) else float(limited["rules"] == free["rules"])
    bar("with 512 MB the same answer, 50 M", same, 1, False, unit="(1 is yes)")
    return out


def spoken(key):
    if key is None:
        return ""
    _, _, peer, form = key.split(".")
    return f"{PEERS[peer]}, {FORMS.get(form, form)}"


# What must have one answer: numbers over the same rows and rules.
def question(key):
    parts = key.split(".")
    if parts[0] == "compact":
        return ("w200", parts[1])
    if parts[0] == "daily":
        # The first run stands at another instant.
        return None if parts[3] == "first" else ("daily", parts[1])
    return (parts[0], parts[1]) if len(parts) > 2 else None


def disagreements(results):
    seen, out = {}, []
    # Segue first, so that the others are told to differ from it.
    for key in sorted(results, key=lambda key: ("segue" not in key, key)):
        rules = results[key].get("rules")
        asked = question(key)
        if not rules or asked is None:
            continue
        other, theirs = seen.setdefault(asked, (key, rules))
        if rules != theirs:
            differing = [name for name in rules if rules[name] != theirs.get(name)]
            out.append(f"{key} and {other}: {', '.join(differing[:5])} ({len(differing)} rules)")
    return out


def agreements(results):
    """How many numbers are of answers that were compared."""
    asked = [question(key) for key in results if results[key].get("rules")]
    return sum(1 for key in asked if key is not None and asked.count(key) > 1)


def shown(value):
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def bar_rows(results):
    rows = ["| what | bar | measured | | peer |", "|---|---|---|---|---|"]
    for bar in bars(results):
        value = "not measured" if bar["value"] is None else f"{bar['value']:.0f} MB" if bar["unit"] == "MB" else f"{bar['value']:.2f}"
        kept = {True: "kept", False: "**missed**", None: ""}[bar["kept"]]
        rows.append(f"| {bar['what']} | {bar['bound']} | {value} | {kept} | {bar['note']} |")
    return rows


WORK = {
    "decode": "the files merely decoded", "w200": "200 rules", "compact": "200 rules, compacted store", "one": "one rule", "ten": "ten mixed rules",
    "funnel": "funnel of three steps", "cart": "abandoned cart", "daily": "200 rules, day by day",
}


def number_rows(results):
    rows = ["| work | events | engine | seconds | processor s | peak MB |", "|---|---|---|---|---|---|"]
    order = {name: at for at, name in enumerate([*WORK, "terms10", "terms50", "terms200", "terms600"])}

    def place(key):
        parts = key.split(".")
        slow = results[key].get("median", 1e9)
        return (order.get(parts[0], 99), int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0, "segue" not in key and "decode" not in key, slow)

    for key in sorted((key for key in results if "." in key), key=place):
        parts, value = key.split("."), results[key]
        work = WORK.get(parts[0], parts[0].replace("terms", "") + " count terms")
        who = "decoder" if parts[0] == "decode" else "**Segue**" if parts[2] == "segue" else PEERS[parts[2]]
        rest = parts[2:] if parts[0] == "decode" else parts[3:]
        if rest:
            who += f" ({FORMS.get(rest[0], rest[0])})"
        if "median" in value:
            cpu = sorted(value["cpu"])[len(value["cpu"]) // 2] if value.get("cpu") else None
            said = f"{value['median']:.2f} | {shown(cpu)} | {value.get('peak_mb') or '–'}"
        else:
            said = f"{value.get('error', '–')} | – | –"
        rows.append(f"| {work} | {parts[1]} M | {who} | {said} |")
    return rows


def text(results):
    about = results.get("about", {})
    out = []
    if about:
        out.append(f"{about['date']}, {about['machine']}; {about['versions']}; {about['commit']}.")
        if about["size"] == "quick":
            out.append("**Quick: a tenth of the events; these numbers are of no worth.**")
    if "compacting" in results:
        out.append(f"Compacting 50 M took {results['compacting']['median']:.0f} s.")
    out += ["", *bar_rows(results), "", *number_rows(results), ""]
    wrong = disagreements(results)
    out.append(f"Answers compared rule by rule (size and digest of the sorted ids): {agreements(results)} numbers, {len(wrong)} differ.")
    out += [f"- {line}" for line in wrong]
    return "\n".join(out) + "\n"


def machine(python, packages, size):
    model = re.search(r"model name\s*:\s*(.*)", open("/proc/cpuinfo").read()) if os.path.exists("/proc/cpuinfo") else None
    memory = os.sysconf("SC_PAGESIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = [package.split("==")[0] for package in packages]
    code = "import importlib.metadata as m, sys; print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    found = subprocess.run([python, "-c", code, *names], stdout=subprocess.PIPE, text=True).stdout.strip()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True, cwd=os.path.dirname(__file__)).stdout.strip()
    rust = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True).stdout.split(" (")[0]
    return {
        "date": f"{dt.datetime.now(dt.timezone.utc):%Y-%m-%d %H:%M} UTC",
        "machine": f"{os.cpu_count()} cores of {model.group(1) if model else platform.processor()}, {memory:.0f} GB, {platform.system()} {platform.release()}",
        "versions": f"{rust}, datafusion {locked('datafusion')}, parquet {locked('parquet')}, {found}",
        "commit": f"commit {commit}",
        "size": size,
    }


def locked(name):
    path = os.path.join(os.path.dirname(__file__), "..", "..", "Cargo.lock")
    found = re.search(rf'name = "{name}"\nversion = "([^"]+)"', open(path).read())
    return found.group(1) if found else "?"


BEGIN, END = "<!-- numbers: written by run.py --write -->\n", "<!-- end of numbers -->\n"


def write(path, results):
    """The tables between their marks."""
    page = open(path).read()
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    with open(path, "w") as file:
        file.write(before + BEGIN + "\n" + text(results) + "\n" + END + after)
