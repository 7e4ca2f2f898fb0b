"""The workloads of the benchmark, said once: what is written for Segue and what the peers are asked is made from the same rules.

A rule is a tree: ("and" | "or", left, right) over ("cmp", aggregate, sign, number) and ("rate", above, below, percent).
`peers_sql.py` and `peers_polars.py` say the same trees in the words of the peers.
"""

import collections
import os
import random

import store

# How an event is called in rules, by its raw name.
WORDS = {
    "page_view": "viewed", "send": "sent", "open": "open", "search": "searched", "click": "clicked", "add_to_cart": "added_to_cart",
    "purchase": "purchased", "wishlist": "wished", "signup": "signed_up", "unsubscribe": "unsubscribed", "activate": "activated",
    "refund": "returned",
}
WITH_CATEGORY = [name for name, _, carries in store.KINDS if "c" in carries]

# kind: count, sum (of the amount), last (how many days ago), distinct (of a column). `days` is None where all history counts.
Aggregate = collections.namedtuple("Aggregate", "kind event category days channel column", defaults=(None, None))
Rule = collections.namedtuple("Rule", "name tree")


def count(event, category=None, days=None, channel=None):
    return Aggregate("count", event, category, days, channel)


def at_least(aggregate, number):
    return ("cmp", aggregate, ">=", number)


def none(aggregate):
    return ("cmp", aggregate, "=", 0)


def both(*parts):
    tree = parts[0]
    for part in parts[1:]:
        tree = ("and", tree, part)
    return tree


CORE = Rule("core", both(at_least(count("purchase", "anti-aging", 90), 3), none(count("open", None, 30))))


def one():
    return [CORE]


def ten():
    """Ten mixed rules: distinct counts, a rate, sums, one that holds for who did nothing."""
    return [
        CORE,
        Rule("spenders", at_least(Aggregate("sum", "purchase", None, 365), 500)),
        Rule("lookers", both(at_least(count("page_view", None, 7), 10), none(count("purchase", None, 30)))),
        Rule("explorers", at_least(Aggregate("distinct", "purchase", None, 365, None, "category"), 3)),
        Rule("quiet", both(none(count("open", None, 90)), none(count("page_view", None, 90)))),
        Rule("readers", both(at_least(count("send", None, 90), 5), ("rate", count("open", None, 90), count("send", None, 90), 80))),
        Rule("carts", both(at_least(count("add_to_cart", None, 7), 2), none(count("purchase", None, 7)))),
        Rule("browsers", at_least(Aggregate("distinct", "page_view", None, 30, None, "product"), 5)),
        Rule("keepers", both(at_least(Aggregate("sum", "purchase", "makeup", 90), 100), none(count("refund", None, 90)))),
        Rule("clickers", both(at_least(count("click", None, 30, "email"), 2), none(count("unsubscribe", None, 365)))),
    ]


# How often an event is asked for, in the order of store.KINDS; and categories, the popular ones more often.
_ASKED = [4, 2, 4, 2, 3, 4, 6, 1, 1, 1, 1, 1]
_CATEGORY = [(n + 1) ** -0.5 for n in range(len(store.CATEGORIES))]


def many(rules=200, seed=14):
    """Rules of three terms each: how often, how much, how long ago, over four windows. The first term asks for something that was
    done; the second and the third are joined by `and` or `or`. The three are of different events, so that none rules out another."""
    dice = random.Random(seed)

    def aggregate(kinds, taken=()):
        event = dice.choices(store.EVENTS, _ASKED)[0]
        while event in taken:
            event = dice.choices(store.EVENTS, _ASKED)[0]
        category = dice.choices(store.CATEGORIES, _CATEGORY)[0] if event in WITH_CATEGORY and dice.random() < 0.7 else None
        kind = "count"
        if event in ("purchase", "add_to_cart") and dice.random() < 0.35:
            kind = "sum"
        elif dice.random() < 0.1 and "last" in kinds:
            kind = "last"
        days = None if kind == "last" else dice.choice([7, 30, 90, 365])
        return Aggregate(kind, event, category, days)

    def later(taken):
        found = aggregate(("count", "sum", "last"), taken)
        if found.kind == "sum":
            return ("cmp", found, dice.choice([">=", "<"]), dice.choice([20, 50, 100, 200]))
        if found.kind == "last":
            return ("cmp", found, dice.choice(["<", "<", ">="]), dice.choice([14, 21, 45, 60, 120]))
        return none(found) if dice.random() < 0.4 else at_least(found, dice.choice([1, 2, 3, 5, 10]))

    out = []
    for n in range(rules):
        first = aggregate(("count", "sum"))
        second = later((first.event,))
        third = later((first.event, second[1].event))
        first = at_least(first, dice.choice([20, 50, 100, 200] if first.kind == "sum" else [1, 2, 3, 5]))
        out.append(Rule(f"r{n:03d}", ("and", first, (dice.choice(["and", "and", "and", "or"]), second, third))))
    return out


def terms(number, seed=3):
    """As many distinct counts, a rule each."""
    dice = random.Random(seed)
    found = {}
    while len(found) < number:
        event = dice.choice(store.EVENTS)
        category = dice.choice(store.CATEGORIES + [None]) if event in WITH_CATEGORY else None
        found.setdefault(count(event, category, dice.choice([7, 14, 30, 45, 60, 90, 120, 180, 270, 365])))
    return [Rule(f"t{n:03d}", at_least(aggregate, 1)) for n, aggregate in enumerate(found)]


# Written by hand for every engine.
FUNNEL = "signed_up then activated within 3d then purchased within 14d"
CART = "added_to_cart in 7d then no purchased within 1h"

RULES = {"one": one, "ten": ten, "w200": many}
RULES |= {f"terms{n}": (lambda n=n: terms(n)) for n in (10, 50, 200, 600)}
TEXTS = {"funnel": FUNNEL, "cart": CART}
NAMES = [*RULES, *TEXTS]


def aggregates(tree):
    """The aggregates of a tree, from the left."""
    if tree[0] == "cmp":
        return [tree[1]]
    if tree[0] == "rate":
        return [tree[1], tree[2]]
    return aggregates(tree[1]) + aggregates(tree[2])


def all_aggregates(rules):
    """Each once, in the order in which the rules name them."""
    return list(dict.fromkeys(a for rule in rules for a in aggregates(rule.tree)))


def widest(of):
    """How many days back these aggregates look; None for all of them."""
    days = [a.days for a in of]
    return None if None in days else max(days)


def seg(tree):
    """A tree as a condition of Segue's language."""
    if tree[0] in ("and", "or"):
        return f"({seg(tree[1])} {tree[0]} {seg(tree[2])})"
    if tree[0] == "rate":
        _, above, below, percent = tree
        return f"rate({WORDS[above.event]} per {WORDS[below.event]} in {above.days}d) ≥ {percent}%"
    _, a, sign, number = tree
    what = WORDS[a.event] + (f" {a.category}" if a.category else "") + (f" where (channel = {a.channel})" if a.channel else "")
    window = f" in {a.days}d" if a.days else ""
    said = {">=": "≥", "<": "<", "=": "="}[sign]
    if a.kind == "sum":
        return f"sum(amount of {what}{window}) {said} {number}"
    if a.kind == "distinct":
        return f"distinct({a.column} of {what}{window}) {said} {number}"
    if a.kind == "last":
        return f"days since last {what} {said} {number}"
    return f"no {what}{window}" if (sign, number) == ("=", 0) else f"{what} {said} {number}{window}"


def rules_text(name):
    if name in TEXTS:
        return f"segment {name}:\n  {TEXTS[name]}\n"
    out = []
    for rule in RULES[name]():
        text = seg(rule.tree)
        if text.startswith("("):
            text = text[1:-1]
        out.append(f"segment {rule.name}:\n  {text}\n")
    return "\n".join(out)


def catalog_text(path):
    lines = ["sources:", f"  activity: {{path: {path}, customer: customer_id, time: ts, event: event}}", "", "taxonomies:", "  categories:"]
    lines += [f"    {name}:" for name in store.CATEGORIES]
    lines += ["", "events:"]
    for name, _, carries in store.KINDS:
        lines += [f"  {WORDS[name]}:", "    source: activity", f"    raw: {name}"]
        if "c" in carries:
            lines.append("    subject: [category]")
        lines.append("    properties:")
        if "c" in carries:
            lines.append("      category: {type: text, taxonomy: categories}")
        if "p" in carries:
            lines.append("      product: {type: text}")
        if "a" in carries:
            lines.append("      amount: {type: money}")
        lines.append(f"      channel: {{type: text, known: [{', '.join(store.CHANNELS)}]}}")
    return "\n".join([*lines, "", "population: events", ""])


QUIET = (504, 505, 506, 507, 508, 509, 510, 511, 513)


def write_project(folder, name, path, as_of=None):
    """A project of one workload over the store in `path`."""
    os.makedirs(os.path.join(folder, "rules"), exist_ok=True)
    as_of = as_of or store.AS_OF.isoformat()
    # The rules are made, so nobody reads what the checker would rather have written otherwise.
    quiet = ", ".join(f"W{code:04d}: allow" for code in QUIET)
    project = [
        "name: bench", 'edition: "2026"', "timezone: UTC", "currency: EUR", f"as_of: {as_of}", "catalog: catalog.yaml", "rules: rules",
        "allow_outside: true", f"lints: {{{quiet}}}", "",
    ]
    for file, text in [("segue.yaml", "\n".join(project)), ("catalog.yaml", catalog_text(path)), (f"rules/{name}.seg", rules_text(name))]:
        with open(os.path.join(folder, file), "w") as out:
            out.write(text)


def write_projects(folder, path, names=NAMES, as_of=None):
    for name in names:
        write_project(os.path.join(folder, name), name, os.path.abspath(path), as_of)


if __name__ == "__main__":
    import sys

    if len(sys.argv) >= 3:
        write_projects(sys.argv[1], sys.argv[2], sys.argv[3:] or NAMES)
    else:
        used = all_aggregates(many())
        references = sum(len(aggregates(rule.tree)) for rule in many())
        pairs = {(a.event, a.category) for a in used}
        print(f"{len(many())} rules, {references} references, {len(used)} aggregates, {len(pairs)} pairs of event and category")
