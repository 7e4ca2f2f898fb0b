"""The workloads in Polars, lazily and on its streaming engine, each in several forms; see `peers_sql.py`."""

import datetime as dt

import polars as pl

import store
import workloads
from peers_sql import Codes, for_nobody, leaves, whole
from workloads import aggregates, all_aggregates, widest

MIDNIGHT = dt.datetime.combine(store.AS_OF, dt.time())
WHO = "customer_id"
col = pl.col


def since(days):
    return pl.lit(MIDNIGHT - dt.timedelta(days=days)).cast(pl.Datetime("us"))


def scan(folder, days):
    days = store.DAYS if days is None else min(days, store.DAYS)
    first = store.AS_OF - dt.timedelta(days=days)
    files = [f"{folder}/dt={first + dt.timedelta(days=n)}/part-0.parquet" for n in range(days)]
    return pl.scan_parquet(files, hive_partitioning=False)


def collect(frame):
    return frame.collect(engine="streaming")


def condition(a, widest_days):
    out = col("event") == a.event
    if a.category:
        out &= col("category") == a.category
    if a.channel:
        out &= col("channel") == a.channel
    if a.days is not None and a.days != widest_days:
        out &= col("ts") >= since(a.days)
    return out


CENTS = (col("amount") * 100).cast(pl.Int64)


def aggregate(a, widest_days):
    where = condition(a, widest_days)
    if a.kind == "count":
        return where.sum()
    if a.kind == "sum":
        return CENTS.filter(where).sum()
    if a.kind == "last":
        return col("ts").filter(where).max()
    return col(a.column).filter(where).drop_nulls().n_unique()


def signed(column, sign, number):
    return column >= number if sign == ">=" else column < number if sign == "<" else column == number


def test(a, column, sign, number):
    if a.kind == "last":
        return ((column > since(number)) if sign == "<" else (column <= since(number))).fill_null(False)
    return signed(column.fill_null(0), sign, number * 100 if a.kind == "sum" else number)


def tree(node, names, tests=test):
    if node[0] == "cmp":
        return tests(node[1], col(names[node[1]]), node[2], node[3])
    if node[0] == "rate":
        above, below = col(names[node[1]]), col(names[node[2]])
        return (below > 0) & (above.cast(pl.Int64) * 100 >= below.cast(pl.Int64) * node[3])
    left, right = tree(node[1], names, tests), tree(node[2], names, tests)
    return left & right if node[0] == "and" else left | right


def needed(used):
    by = {}
    for a in used:
        by.setdefault(a.event, set()).add(a.category)
    plain = [event for event, categories in by.items() if None in categories]
    out = col("event").is_in(plain)
    for event, categories in by.items():
        if None not in categories:
            out |= (col("event") == event) & col("category").is_in(sorted(categories))
    return out


def filters(folder, rules):
    used = all_aggregates(rules)
    names = {a: f"a{n}" for n, a in enumerate(used)}
    days = None if whole(rules) else widest(used)
    rows = scan(folder, days)
    if not whole(rules):
        rows = rows.filter(needed(used))
    sums = rows.group_by(WHO).agg(*[aggregate(a, days).alias(name) for a, name in names.items()])
    if len(rules) == 1:
        return [collect(sums.filter(tree(rules[0].tree, names)).select(WHO))]
    return [collect(sums.select(WHO, *[tree(rule.tree, names).alias(rule.name) for rule in rules]))]


def lazy_rule(folder, rule):
    used = list(dict.fromkeys(aggregates(rule.tree)))
    names = {a: f"a{n}" for n, a in enumerate(used)}
    days = widest(used)
    where = condition(used[0], days)
    for a in used[1:]:
        where |= condition(a, days)
    if for_nobody(rule.tree):
        return scan(folder, None).select(WHO).unique().join(scan(folder, days).filter(where).select(WHO), on=WHO, how="anti")
    sums = scan(folder, days).filter(where).group_by(WHO).agg(*[aggregate(a, days).alias(name) for a, name in names.items()])
    return sums.filter(tree(rule.tree, names)).select(WHO)


def each(folder, rules):
    return [collect(lazy_rule(folder, rule)) for rule in rules]


def together(folder, rules):
    """The queries of all rules handed over at once."""
    return pl.collect_all([lazy_rule(folder, rule) for rule in rules], engine="streaming")


def anti(folder, rules):
    assert rules == workloads.one()
    bought, opened = aggregates(rules[0].tree)
    buyers = scan(folder, 90).filter(condition(bought, 90)).group_by(WHO).agg(pl.len().alias("n")).filter(col("n") >= 3).select(WHO)
    openers = scan(folder, 30).filter(condition(opened, 30)).select(WHO)
    return [collect(buyers.join(openers, on=WHO, how="anti"))]


# --- over codes: see peers_sql.Codes -----------------------------------------------------------------------------------------


def coded_rows(folder, codes):
    pairs = pl.LazyFrame(codes.pairs, schema={"event": pl.String, "word": pl.String, "code": pl.Int16}, orient="row")
    kind = pl.lit(len(codes.bounds), pl.UInt8)
    for n, (days, sign) in reversed(list(enumerate(codes.bounds))):
        young = col("ts") >= since(days) if sign == ">=" else col("ts") > since(days)
        kind = pl.when(young).then(pl.lit(n, pl.UInt8)).otherwise(kind)
    rows = scan(folder, codes.days).filter(needed(codes.used)).with_columns(col("category").fill_null("").alias("word"), kind.alias("class"))
    return rows.join(pairs, on=["event", "word"]).select(WHO, "code", "class", CENTS.alias("cents"))


class Pieces:
    def __init__(self, codes, number, amount):
        self.codes, self.number, self.amount, self.columns = codes, number, amount, {}

    def column(self, a, days, sign, make):
        low, high = self.codes.range(a)
        top = self.codes.bound(days, sign)
        key = (low, high, top, make)
        if key not in self.columns:
            where = col("code") == low if low == high else col("code").is_between(low, high)
            if top < len(self.codes.bounds):
                where &= col("class") <= top
            self.columns[key] = (f"a{len(self.columns)}", make(where))
        return col(self.columns[key][0])

    def test(self, a, _, sign, number):
        if a.kind == "last":
            young = self.column(a, number, ">", self.number)
            return young > 0 if sign == "<" else (self.column(a, None, ">=", self.number) > 0) & (young == 0)
        if a.kind == "sum":
            return signed(self.column(a, a.days, ">=", self.amount).fill_null(0), sign, number * 100)
        return signed(self.column(a, a.days, ">=", self.number), sign, number)


def over(codes, rules, rows, number, amount):
    parts = Pieces(codes, number, amount)
    said = [tree(rule.tree, dict.fromkeys(codes.used, "code"), parts.test).alias(rule.name) for rule in rules]
    sums = rows.group_by(WHO).agg(*[expression.alias(name) for name, expression in parts.columns.values()])
    return [collect(sums.select(WHO, *said))]


def coded(folder, rules):
    codes = Codes(rules)
    return over(codes, rules, coded_rows(folder, codes), lambda w: w.sum(), lambda w: col("cents").filter(w).sum())


def grouped(folder, codes):
    return coded_rows(folder, codes).group_by(WHO, "code", "class").agg(pl.len().cast(pl.Int64).alias("n"), col("cents").sum())


def twice(folder, rules):
    codes = Codes(rules)
    return over(codes, rules, grouped(folder, codes), lambda w: col("n").filter(w).sum(), lambda w: col("cents").filter(w).sum())


def direct(folder, rules):
    return long(folder, rules, lambda folder, codes: coded_rows(folder, codes).with_columns(pl.lit(1, pl.Int64).alias("n")))


def long(folder, rules, grouped=grouped):
    """As `long` in peers_sql: joins deal the sums to terms and the terms to rules."""
    codes = Codes(rules)
    terms, uses, rule_bits = {}, [], []
    for at, rule in enumerate(rules):
        parts = leaves(rule.tree)
        for place, (_, a, sign, number) in enumerate(parts):
            if a.kind == "last":
                young = terms.setdefault((codes.range(a), codes.bound(number, ">"), "count"), len(terms))
                if sign == "<":
                    uses.append((young, at, 1, 1 << place))
                else:
                    uses.append((terms.setdefault((codes.range(a), codes.bound(None), "count"), len(terms)), at, 1, 1 << place))
                    uses.append((young, at, 1, 8 << place))
                continue
            term = terms.setdefault((codes.range(a), codes.bound(a.days), a.kind), len(terms))
            number = number * 100 if a.kind == "sum" else number
            uses.append((term, at, number, 1 << place) if sign == ">=" else (term, at, max(number, 1), 8 << place))
        default = sum(1 << place for place, (_, a, sign, _) in enumerate(parts) if a.kind != "last" and sign in ("=", "<"))
        rule_bits.append((at, default, len(parts) == 3 and rule.tree[2][0] == "or", len(parts)))
    deal = [
        (code, top, term, kind == "sum")
        for ((low, high), top, kind), term in terms.items()
        for _, _, code in codes.pairs
        if low <= code <= high
    ]
    deal = pl.LazyFrame(deal, schema={"code": pl.Int16, "top": pl.UInt8, "term": pl.Int32, "money": pl.Boolean}, orient="row")
    uses = pl.LazyFrame(uses, schema={"term": pl.Int32, "rule": pl.Int32, "bound": pl.Int64, "bits": pl.UInt8}, orient="row")
    shape = pl.LazyFrame(rule_bits, schema={"rule": pl.Int32, "fallback": pl.UInt8, "either": pl.Boolean, "parts": pl.Int32}, orient="row")
    value = pl.when(col("money")).then(col("cents")).otherwise(col("n")).alias("v")
    per_term = grouped(folder, codes).join(deal, on="code").filter(col("class") <= col("top")).select(WHO, "term", value)
    per_term = per_term.group_by(WHO, "term").agg(col("v").sum())
    bits = [(col("bits") & (1 << n)).max().alias(f"b{n}") for n in range(6)]
    per_rule = per_term.join(uses, on="term").filter(col("v") >= col("bound")).group_by(WHO, "rule").agg(*bits).join(shape, on="rule")
    held = [((col(f"b{n}") > 0) | ((col("fallback") & (1 << n)) > 0)) & (col(f"b{n + 3}") == 0) for n in range(3)]
    rest = pl.when(col("either")).then(held[1] | held[2]).otherwise(held[1] & held[2])
    return [collect(per_rule.filter(held[0] & ((col("parts") == 1) | rest)).select("rule", WHO))]


# --- sequences -----------------------------------------------------------------------------------------------------------------


def steps(folder, days, event):
    return scan(folder, days).filter(col("event") == event).select(WHO, "ts")


def funnel_asof(folder):
    """Each activation with its nearest sign-up before and its nearest purchase after."""
    signups = steps(folder, None, "signup").with_columns(col("ts").alias("s")).sort("ts")
    acts = steps(folder, None, "activate").sort("ts")
    buys = steps(folder, None, "purchase").with_columns(col("ts").alias("p")).sort("ts")
    first = acts.join_asof(signups, on="ts", by=WHO, strategy="backward", tolerance=dt.timedelta(days=3)).filter(col("s").is_not_null())
    second = first.join_asof(buys, on="ts", by=WHO, strategy="forward", tolerance=dt.timedelta(days=14)).filter(col("p").is_not_null())
    return [collect(second.select(WHO).unique())]


def funnel_join(folder):
    signups = steps(folder, None, "signup").rename({"ts": "s"})
    acts = steps(folder, None, "activate")
    buys = steps(folder, None, "purchase").rename({"ts": "p"})
    first = acts.join(signups, on=WHO).filter((col("ts") >= col("s")) & (col("ts") - col("s") <= dt.timedelta(days=3))).select(WHO, "ts").unique()
    second = first.join(buys, on=WHO).filter((col("p") >= col("ts")) & (col("p") - col("ts") <= dt.timedelta(days=14)))
    return [collect(second.select(WHO).unique())]


def cart_asof(folder):
    over = since(0) - dt.timedelta(hours=1)
    carts = steps(folder, 7, "add_to_cart").filter(col("ts") < over).sort("ts")
    buys = steps(folder, 7, "purchase").with_columns(col("ts").alias("p")).sort("ts")
    found = carts.join_asof(buys, on="ts", by=WHO, strategy="forward", tolerance=dt.timedelta(hours=1)).filter(col("p").is_null())
    return [collect(found.select(WHO).unique())]


def cart_join(folder):
    over = since(0) - dt.timedelta(hours=1)
    carts = steps(folder, 7, "add_to_cart").filter(col("ts") < over)
    buys = steps(folder, 7, "purchase").rename({"ts": "p"})
    paid = carts.join(buys, on=WHO).filter((col("p") >= col("ts")) & (col("p") - col("ts") <= dt.timedelta(hours=1))).select(WHO, "ts")
    return [collect(carts.join(paid, on=[WHO, "ts"], how="anti").select(WHO).unique())]


FORMS = {"filter": filters, "each": each, "together": together, "anti": anti, "codes": coded, "twice": twice, "long": long, "direct": direct}
PATHS = {"funnel": {"asof": funnel_asof, "join": funnel_join}, "cart": {"asof": cart_asof, "join": cart_join}}


def run(folder, workload, form):
    if workload in PATHS:
        return PATHS[workload][form](folder)
    return FORMS[form](folder, workloads.RULES[workload]())
