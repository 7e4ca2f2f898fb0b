"""The workloads as SQL for DuckDB and ClickHouse (chDB), each in several forms; the fastest form of a peer is what counts.

All forms are pruned by hand to the day folders that they need. The windows are whole days in UTC and the store ends at the instant
to judge by, so the folders of the widest window are the window.
"""

import datetime as dt

import store
import workloads
from workloads import aggregates, all_aggregates, widest

MIDNIGHT = dt.datetime.combine(store.AS_OF, dt.time())


def since(days):
    return (MIDNIGHT - dt.timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")


class Duck:
    """The words of DuckDB."""

    name = "duckdb"

    def __init__(self, folder):
        self.folder = folder

    def files(self, days):
        days = store.DAYS if days is None else min(days, store.DAYS)
        first = store.AS_OF - dt.timedelta(days=days)
        names = (f"'{self.folder}/dt={first + dt.timedelta(days=n)}/part-0.parquet'" for n in range(days))
        return f"read_parquet([{', '.join(names)}], hive_partitioning=false)"

    def instant(self, days):
        return f"TIMESTAMP '{since(days)}'"

    def micros(self, amount, unit):
        return f"INTERVAL {amount} {unit}"

    def when(self, function, what, condition):
        what = {"count": "*", "distinct": f"DISTINCT {what}"}.get(function, what)
        function = "count" if function == "distinct" else function
        return f"{function}({what}) FILTER (WHERE {condition})"

    def known(self, boolean):
        return f"coalesce({boolean}, false)"

    def category(self):
        return "coalesce(category, '')"


class House(Duck):
    """The words of ClickHouse."""

    name = "chdb"
    COLUMNS = (
        "customer_id String, ts DateTime64(6, ''UTC''), event LowCardinality(String), category LowCardinality(String), "
        "product LowCardinality(String), amount Decimal(12, 2), channel LowCardinality(String)"
    )

    def files(self, days):
        # Days as ranges of folders: a glob with hundreds of names is slower than one that reads them all.
        days = store.DAYS if days is None else min(days, store.DAYS)
        path = f"{self.folder}/dt=*/part-0.parquet"
        if days < store.DAYS:
            first = store.AS_OF - dt.timedelta(days=days)
            names = ",".join(str(first + dt.timedelta(days=n)) for n in range(days))
            path = f"{self.folder}/dt={{{names}}}/part-0.parquet"
        columns = self.COLUMNS.replace("''", "\\'")
        return f"file('{path}', Parquet, '{columns}')"

    def instant(self, days):
        return f"toDateTime64('{since(days)}', 6, 'UTC')"

    def when(self, function, what, condition):
        if function == "count":
            return f"countIf({condition})"
        if function == "distinct":
            return f"uniqExactIf({what}, {condition} AND {what} != '')"
        return f"{function}If({what}, {condition})"

    def known(self, boolean):
        return boolean

    def category(self):
        return "category"


def condition(a, words, widest_days):
    """Which rows an aggregate is over; the window only where it is narrower than what is read."""
    out = [f"event = '{a.event}'"]
    if a.category:
        out.append(f"category = '{a.category}'")
    if a.channel:
        out.append(f"channel = '{a.channel}'")
    if a.days is not None and a.days != widest_days:
        out.append(f"ts >= {words.instant(a.days)}")
    return " AND ".join(out)


def aggregate(a, words, widest_days):
    function, what = {"count": ("count", ""), "sum": ("sum", "amount"), "last": ("max", "ts"), "distinct": ("distinct", a.column)}[a.kind]
    return words.when(function, what, condition(a, words, widest_days))


def test(a, column, sign, number, words):
    """A comparison over the column that holds an aggregate."""
    if a.kind == "last":
        # `days since last … < n`: later than n days ago.
        said = words.known(f"{column} {'>' if sign == '<' else '<='} {words.instant(number)}")
        # ClickHouse says 1970 where there is nothing.
        return said if sign == "<" or words.name == "duckdb" else f"({said} AND {column} > toDateTime64(0, 6, 'UTC'))"
    if a.kind == "sum":
        return f"coalesce({column}, 0) {sign} {number}"
    return f"{column} {sign} {number}"


def tree(node, words, names, tests=test):
    if node[0] == "cmp":
        return tests(node[1], names[node[1]], node[2], node[3], words)
    if node[0] == "rate":
        _, above, below, percent = node
        above, below = names[above], names[below]
        return f"({below} > 0 AND {above} * 100 >= {percent} * {below})"
    return f"({tree(node[1], words, names, tests)} {node[0].upper()} {tree(node[2], words, names, tests)})"


def needed(used):
    """Rows that any of the aggregates is over, windows aside."""
    by = {}
    for a in used:
        by.setdefault(a.event, set()).add(a.category)
    plain = sorted(event for event, categories in by.items() if None in categories)
    parts = ["event IN (" + ", ".join(f"'{event}'" for event in plain) + ")"] if plain else []
    for event, categories in sorted(by.items(), key=lambda item: item[0]):
        if None not in categories:
            parts.append(f"(event = '{event}' AND category IN (" + ", ".join(f"'{c}'" for c in sorted(categories)) + "))")
    return " OR ".join(parts)


def for_nobody(node):
    """Whether a rule can hold for a customer without any of the events."""
    if node[0] == "and":
        return for_nobody(node[1]) and for_nobody(node[2])
    if node[0] == "or":
        return for_nobody(node[1]) or for_nobody(node[2])
    if node[0] == "rate":
        return False
    _, a, sign, number = node
    return a.kind != "last" and ((sign == "=" and number == 0) or (sign == "<" and number > 0))


def whole(rules):
    return any(for_nobody(rule.tree) for rule in rules)


def answers(rules, words, names, tests=test):
    return ", ".join(f"{tree(rule.tree, words, names, tests)} AS {rule.name}" for rule in rules)


def filters(rules, words):
    """One query: an aggregate with FILTER for each term."""
    used = all_aggregates(rules)
    names = {a: f"a{n}" for n, a in enumerate(used)}
    days = None if whole(rules) else widest(used)
    where = "" if whole(rules) else f" WHERE {needed(used)}"
    sums = ", ".join(f"{aggregate(a, words, days)} AS {name}" for a, name in names.items())
    inner = f"SELECT customer_id, {sums} FROM {words.files(days)}{where} GROUP BY customer_id"
    if len(rules) == 1:
        return [f"SELECT customer_id FROM ({inner}) AS q WHERE {tree(rules[0].tree, words, names)}"]
    return [f"SELECT customer_id, {answers(rules, words, names)} FROM ({inner}) AS q"]


def each(rules, words):
    """A query for each rule."""
    out = []
    for rule in rules:
        used = list(dict.fromkeys(aggregates(rule.tree)))
        if for_nobody(rule.tree):
            # Everybody, but for those of whom any such event is known.
            days = widest(used)
            them = " OR ".join(f"({condition(a, words, days)})" for a in used)
            out.append(
                f"SELECT DISTINCT customer_id FROM {words.files(None)} WHERE customer_id NOT IN "
                f"(SELECT customer_id FROM {words.files(days)} WHERE {them})"
            )
            continue
        names = {a: f"a{n}" for n, a in enumerate(used)}
        days = widest(used)
        sums = ", ".join(f"{aggregate(a, words, days)} AS {name}" for a, name in names.items())
        where = " OR ".join(dict.fromkeys(f"({condition(a, words, days)})" for a in used))
        inner = f"SELECT customer_id, {sums} FROM {words.files(days)} WHERE {where} GROUP BY customer_id"
        out.append(f"SELECT customer_id FROM ({inner}) AS q WHERE {tree(rule.tree, words, names)}")
    return out


def anti(rules, words):
    """The one rule as who bought, but for who opened."""
    assert rules == workloads.one()
    bought, opened = aggregates(rules[0].tree)
    buyers = f"SELECT customer_id FROM {words.files(90)} WHERE {condition(bought, words, 90)} GROUP BY customer_id HAVING count(*) >= 3"
    openers = f"SELECT customer_id FROM {words.files(30)} WHERE {condition(opened, words, 30)}"
    if words.name == "chdb":
        return [f"SELECT customer_id FROM ({buyers}) WHERE customer_id NOT IN ({openers} AND customer_id IN ({buyers}))"]
    return [f"SELECT customer_id FROM ({buyers}) AS b WHERE NOT EXISTS (SELECT 1 FROM ({openers}) AS o WHERE o.customer_id = b.customer_id)"]


# --- counts, sums and last days over codes -----------------------------------------------------------------------------------
# An event and its category are one small number, and so is how long ago it was: classes between all bounds that the rules name.


class Codes:
    def __init__(self, rules):
        self.used = all_aggregates(rules)
        windows = {a.days for a in self.used if a.days}
        # `days since last < 14` leaves out the very instant of 14 days ago, `in 7d` takes it in: bounds with their sign.
        bounds = [(days, ">=") for days in windows]
        for rule in rules:
            for leaf in leaves(rule.tree):
                if leaf[1].kind == "last":
                    bounds.append((leaf[3], ">"))
        self.bounds = sorted(set(bounds), key=lambda b: (b[0], b[1] == ">="))
        self.days = widest(self.used)
        self.plain = {a.event for a in self.used if a.category is None}
        pairs = {(a.event, a.category) for a in self.used}
        self.pairs = []
        for event in store.EVENTS:
            for category in ["", *store.CATEGORIES]:
                if event in self.plain or (event, category) in pairs:
                    self.pairs.append((event, category, self.code(event, category)))

    @staticmethod
    def code(event, category):
        return store.EVENTS.index(event) * 64 + (store.CATEGORIES.index(category) + 1 if category else 0)

    def bound(self, days, sign=">="):
        """The class up to which rows are as young as that; all rows where there is no bound."""
        return len(self.bounds) if days is None else self.bounds.index((days, sign))

    def classes(self, words):
        cases = " ".join(f"WHEN ts {sign} {words.instant(days)} THEN {n}" for n, (days, sign) in enumerate(self.bounds))
        return f"CASE {cases} ELSE {len(self.bounds)} END"

    def codes(self, words):
        """The rows with their codes; rows of no use are left out."""
        if words.name == "chdb":
            events = ", ".join(f"'{event}'" for event in store.EVENTS)
            categories = ", ".join(f"'{category}'" for category in store.CATEGORIES)
            code = (
                f"transform(event, [{events}], {[n * 64 for n in range(len(store.EVENTS))]}, 0) + "
                f"transform(category, [{categories}], {[n + 1 for n in range(len(store.CATEGORIES))]}, 0)"
            )
            return (
                f"SELECT customer_id, toUInt16({code}) AS code, toUInt8({self.classes(words)}) AS class, amount "
                f"FROM {words.files(self.days)} WHERE {needed(self.used)}"
            )
        pairs = ", ".join(f"('{event}', '{category}', {code})" for event, category, code in self.pairs)
        return (
            f"SELECT customer_id, code::SMALLINT AS code, ({self.classes(words)})::TINYINT AS class, amount FROM {words.files(self.days)} AS e "
            f"JOIN (VALUES {pairs}) AS p(event, category, code) ON e.event = p.event AND coalesce(e.category, '') = p.category"
        )

    def range(self, a):
        """Codes of an aggregate, from and to."""
        low = self.code(a.event, a.category)
        return (low, low) if a.category else (low, low + 63)

    def within(self, a, days=None, sign=">="):
        low, high = self.range(a)
        out = f"code = {low}" if low == high else f"code BETWEEN {low} AND {high}"
        top = self.bound(a.days if days is None else days, sign)
        return out if top == len(self.bounds) else f"{out} AND class <= {top}"


def leaves(node):
    if node[0] in ("and", "or"):
        return leaves(node[1]) + leaves(node[2])
    return [node]


class Pieces:
    """Columns for comparisons: a `last` is two counts."""

    def __init__(self, codes, number, amount):
        self.codes, self.number, self.amount, self.columns = codes, number, amount, {}

    def column(self, text):
        return self.columns.setdefault(text, f"a{len(self.columns)}")

    def test(self, a, _, sign, number, words):
        codes = self.codes
        if a.kind == "last":
            young = self.column(self.number(codes.within(a, number, ">")))
            if sign == "<":
                return f"{young} > 0"
            return f"({self.column(self.number(codes.within(a)))} > 0 AND {young} = 0)"
        column = self.column((self.amount if a.kind == "sum" else self.number)(codes.within(a)))
        return f"{column} {sign} {number}"


def pieces(rules, words, source, number, amount):
    codes = Codes(rules)
    parts = Pieces(codes, number, amount)
    names = dict.fromkeys(codes.used)
    said = answers(rules, words, names, parts.test)
    columns = ", ".join(f"{text} AS {name}" for text, name in parts.columns.items())
    return [f"SELECT customer_id, {said} FROM (SELECT customer_id, {columns} FROM ({source(codes)}) AS c GROUP BY customer_id) AS q"]


def coded(rules, words):
    """One query: FILTER aggregates over codes."""
    if words.name == "chdb":
        return pieces(rules, words, lambda c: c.codes(words), lambda w: f"countIf({w})", lambda w: f"sumIf(amount, {w})")
    number, amount = lambda w: f"count(*) FILTER (WHERE {w})", lambda w: f"coalesce(sum(amount) FILTER (WHERE {w}), 0)"
    return pieces(rules, words, lambda c: c.codes(words), number, amount)


def grouped(codes, words):
    rows = codes.codes(words)
    return f"SELECT customer_id, code, class, count(*) AS n, sum(amount) AS amount FROM ({rows}) AS r GROUP BY customer_id, code, class"


def twice(rules, words):
    """One query: rows of one customer, code and class are added up first, then FILTER aggregates over these."""
    if words.name == "chdb":
        return pieces(rules, words, lambda c: grouped(c, words), lambda w: f"sumIf(n, {w})", lambda w: f"sumIf(amount, {w})")
    number, amount = lambda w: f"coalesce(sum(n) FILTER (WHERE {w}), 0)", lambda w: f"coalesce(sum(amount) FILTER (WHERE {w}), 0)"
    return pieces(rules, words, lambda c: grouped(c, words), number, amount)


def listed(rules, words):
    """One query: a customer's codes as a list, and each term a count over the list; lists by event, so that they are short."""
    codes = Codes(rules)
    # A row's key: the class above, the category below; the event says which list.
    width = 64

    def keys(a, days, sign, lists):
        top = codes.bound(days, sign)
        event = store.EVENTS.index(a.event)
        name = f"k{event}"
        lists.add(event)
        parts = []
        if top < len(codes.bounds):
            parts.append(f"x < {(top + 1) * width}")
        if a.category:
            low = store.CATEGORIES.index(a.category) + 1
            parts.append(f"bitAnd(x, {width - 1}) = {low}" if words.name == "chdb" else f"(x & {width - 1}) = {low}")
        return name, f"m{event}", " AND ".join(parts)

    lists, money, columns = set(), set(), {}

    def column(text):
        return columns.setdefault(text, f"a{len(columns)}")

    def number(a, days, sign=">="):
        name, _, where = keys(a, days, sign, lists)
        if words.name == "chdb":
            return column(f"arrayCount(x -> {where}, {name})" if where else f"length({name})")
        return column(f"coalesce(len(list_filter({name}, lambda x: {where})), 0)" if where else f"coalesce(len({name}), 0)")

    def tests(a, _, sign, value, words):
        if a.kind == "last":
            young = number(a, value, ">")
            return f"{young} > 0" if sign == "<" else f"({number(a, None)} > 0 AND {young} = 0)"
        if a.kind == "sum":
            name, amounts, where = keys(a, a.days, ">=", lists)
            money.add(store.EVENTS.index(a.event))
            where = where or "true"
            if words.name == "chdb":
                return f"{column(f'arraySum((x, m) -> if({where}, m, 0), {name}, {amounts})')} {sign} {value * 100}"
            text = f"coalesce(list_sum(list_transform({name}, lambda x, i: CASE WHEN {where} THEN {amounts}[i] ELSE 0 END)), 0)"
            return f"{column(text)} {sign} {value * 100}"
        return f"{number(a, a.days)} {sign} {value}"

    said = answers(rules, words, dict.fromkeys(codes.used), tests)
    source = codes.codes(words)
    if words.name == "chdb":
        group = [f"groupArrayIf(k, event = {n}) AS k{n}" for n in sorted(lists)] + [f"groupArrayIf(cents, event = {n}) AS m{n}" for n in sorted(money)]
        rows = f"SELECT customer_id, intDiv(code, 64) AS event, toUInt16(class * 64 + code % 64) AS k, toInt64(amount * 100) AS cents FROM ({source})"
    else:
        group = [f"list(k) FILTER (WHERE event = {n}) AS k{n}" for n in sorted(lists)]
        group += [f"list(cents) FILTER (WHERE event = {n}) AS m{n}" for n in sorted(money)]
        rows = (
            "SELECT customer_id, (code >> 6)::TINYINT AS event, (class * 64::SMALLINT + (code & 63))::SMALLINT AS k, "
            f"(amount * 100)::BIGINT AS cents FROM ({source}) AS s"
        )
    inner = f"SELECT customer_id, {', '.join(group)} FROM ({rows}) AS r GROUP BY customer_id"
    values = ", ".join(f"{text} AS {name}" for text, name in columns.items())
    return [f"SELECT customer_id, {said} FROM (SELECT customer_id, {values} FROM ({inner}) AS l) AS q"]


def direct(rules, words):
    """As `long`, without adding up first."""
    return long(rules, words, lambda codes, words: codes.codes(words).replace("amount FROM", "amount, 1 AS n FROM", 1))


def long(rules, words, grouped=grouped):
    """One query in long form: added-up rows are dealt to the terms by a join, the terms' values to the rules by another, and a rule
    is the bits of its terms. Answers with pairs of rule and customer. For rules of which the first term asks for something done."""
    codes = Codes(rules)
    terms, uses, shapes = {}, [], {}
    for at, rule in enumerate(rules):
        parts = leaves(rule.tree)
        shapes.setdefault("and" if len(parts) == 1 or rule.tree[2][0] == "and" else "or", []).append(at)
        for place, (_, a, sign, number) in enumerate(parts):
            # What is asked, and the bit that it sets: `yes` if it holds, `no` if it forbids.
            if a.kind == "last":
                young = terms.setdefault((codes.range(a), codes.bound(number, ">"), "count"), len(terms))
                if sign == "<":
                    uses.append((young, at, 1, 1 << place))
                else:
                    uses.append((terms.setdefault((codes.range(a), codes.bound(None), "count"), len(terms)), at, 1, 1 << place))
                    uses.append((young, at, 1, 8 << place))
                continue
            term = terms.setdefault((codes.range(a), codes.bound(a.days), a.kind), len(terms))
            if sign == ">=":
                uses.append((term, at, number, 1 << place))
            else:
                uses.append((term, at, max(number, 1), 8 << place))
    # A term takes some codes, up to some class.
    deal = []
    for ((low, high), top, kind), term in terms.items():
        for _, _, code in codes.pairs:
            if low <= code <= high:
                deal.append((code, top, term, 1 if kind == "sum" else 0))
    rule_bits = []
    for at, rule in enumerate(rules):
        parts = leaves(rule.tree)
        # Bits that are set when nothing is known: what only forbids holds then.
        default = sum(1 << place for place, (_, a, sign, _) in enumerate(parts) if a.kind != "last" and sign in ("=", "<"))
        rule_bits.append((at, default, 1 if "or" == (rule.tree[2][0] if len(parts) == 3 else "and") else 0, len(parts)))

    def table(rows, columns):
        if words.name == "chdb":
            return f"values('{columns}', {', '.join(map(str, rows))})"
        return f"(VALUES {', '.join(map(str, rows))})"

    bits = "groupBitOr" if words.name == "chdb" else "bit_or"
    summed = grouped(codes, words)
    d = f"{table(deal, 'code Int32, top UInt8, term UInt16, money UInt8')} AS d" + ("" if words.name == "chdb" else "(code, top, term, money)")
    b = f"{table(rule_bits, 'rule UInt16, fallback UInt8, either UInt8, parts UInt8')} AS b" + ("" if words.name == "chdb" else "(rule, fallback, either, parts)")
    value = "sum(CASE WHEN d.money = 1 THEN g.amount ELSE g.n END)"
    if words.name == "chdb":
        # One type for both: hundredths.
        value = "sum(if(d.money = 1, toInt64(g.amount * 100), toInt64(g.n * 100)))"
        uses = [(term, at, number * 100, bits) for term, at, number, bits in uses]
    u = f"{table(uses, 'term UInt16, rule UInt16, bound Int64, bits UInt8')} AS u" + ("" if words.name == "chdb" else "(term, rule, bound, bits)")
    per_term = (
        f"SELECT g.customer_id AS customer_id, d.term AS term, {value} AS v "
        f"FROM ({summed}) AS g JOIN {d} ON g.code = d.code WHERE g.class <= d.top GROUP BY g.customer_id, d.term"
    )
    per_rule = (
        f"SELECT t.customer_id AS customer_id, u.rule AS rule, {bits}(u.bits) AS bits FROM ({per_term}) AS t JOIN {u} ON t.term = u.term "
        "WHERE t.v >= u.bound GROUP BY t.customer_id, u.rule"
    )
    # A bit holds if it was set, or holds by itself, and nothing forbids it.
    if words.name == "chdb":
        held = "bitAnd(bitOr(r.bits, b.fallback), bitNot(intDiv(r.bits, 8)))"
        holds = f"if(b.parts = 1, bitAnd({held}, 1) = 1, bitAnd({held}, 1) = 1 AND if(b.either = 1, bitAnd({held}, 6) > 0, bitAnd({held}, 6) = 6))"
    else:
        held = "((r.bits | b.fallback) & ~(r.bits >> 3))"
        holds = f"({held} & 1) = 1 AND (b.parts = 1 OR CASE WHEN b.either = 1 THEN ({held} & 6) > 0 ELSE ({held} & 6) = 6 END)"
    return [f"SELECT r.rule AS rule, r.customer_id AS customer_id FROM ({per_rule}) AS r JOIN {b} ON r.rule = b.rule WHERE {holds}"]


FORMS = {"filter": filters, "each": each, "anti": anti, "codes": coded, "twice": twice, "lists": listed, "long": long, "direct": direct}
