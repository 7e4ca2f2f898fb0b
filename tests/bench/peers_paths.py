"""The sequences as SQL, in several forms; see `peers_sql.py`.

ClickHouse's own `windowFunnel` and `sequenceMatch` mean something else: one window for all steps, time between neighbouring rows.
All forms mean what Segue's language says: steps at one instant follow each other either way, the bounds of `within` count, and an
abandoned cart's hour is over before the instant to judge by.
"""


def day(words, n):
    return f"INTERVAL {n} DAY"


def funnel_window(words):
    """The last sign-up before and the first purchase after, by windows; rows of one instant are peers."""
    if words.name == "chdb":
        last = "maxIf(ts, event = 'signup')"
        after = "minIf(ts, event = 'purchase')"
        zero = "toDateTime64(0, 6, 'UTC')"
        reached = f"np > {zero} AND"
    else:
        last = "max(CASE WHEN event = 'signup' THEN ts END)"
        after = "min(CASE WHEN event = 'purchase' THEN ts END)"
        reached = ""
    order = "toUnixTimestamp64Micro(ts)" if words.name == "chdb" else "ts"
    return (
        f"SELECT DISTINCT customer_id FROM (SELECT customer_id, ts, event, {last} OVER (PARTITION BY customer_id ORDER BY {order} "
        f"RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS ls, {after} OVER (PARTITION BY customer_id ORDER BY {order} "
        f"RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS np FROM {words.files(None)} "
        f"WHERE event IN ('signup', 'activate', 'purchase')) AS q "
        f"WHERE event = 'activate' AND ts <= ls + {day(words, 3)} AND {reached} np <= ts + {day(words, 14)}"
    )


def steps(words):
    files = words.files(None)
    return [f"SELECT customer_id, ts FROM {files} WHERE event = '{event}'" for event in ("signup", "activate", "purchase")]


def funnel_asof(words):
    """Each activation with its nearest sign-up, then with its nearest purchase."""
    s, a, p = steps(words)
    if words.name == "chdb":
        return (
            f"SELECT DISTINCT customer_id FROM (SELECT a.customer_id AS customer_id, a.ts AS ts FROM ({a}) AS a ASOF JOIN ({s}) AS s "
            f"ON a.customer_id = s.customer_id AND a.ts >= s.ts WHERE a.ts <= s.ts + {day(words, 3)}) AS f ASOF JOIN ({p}) AS p "
            f"ON f.customer_id = p.customer_id AND f.ts <= p.ts WHERE p.ts <= f.ts + {day(words, 14)}"
        )
    return (
        f"WITH f AS (SELECT a.customer_id, a.ts FROM ({a}) AS a ASOF JOIN ({s}) AS s ON a.customer_id = s.customer_id AND a.ts >= s.ts "
        f"WHERE a.ts <= s.ts + {day(words, 3)}) "
        f"SELECT DISTINCT f.customer_id FROM f ASOF JOIN ({p}) AS p ON f.customer_id = p.customer_id AND f.ts <= p.ts "
        f"WHERE p.ts <= f.ts + {day(words, 14)}"
    )


def funnel_join(words):
    """Plain joins by customer with the bounds behind."""
    s, a, p = steps(words)
    return (
        f"SELECT DISTINCT f.customer_id AS customer_id FROM (SELECT DISTINCT a.customer_id AS customer_id, a.ts AS ts FROM ({a}) AS a "
        f"JOIN ({s}) AS s ON a.customer_id = s.customer_id WHERE a.ts >= s.ts AND a.ts <= s.ts + {day(words, 3)}) AS f "
        f"JOIN ({p}) AS p ON f.customer_id = p.customer_id WHERE p.ts >= f.ts AND p.ts <= f.ts + {day(words, 14)}"
    )


def funnel_lists(words):
    """The times of a customer as lists."""
    if words.name == "chdb":
        return (
            "SELECT customer_id FROM (SELECT customer_id, groupArrayIf(t, event = 'signup') AS s, groupArrayIf(t, event = 'activate') AS a, "
            f"groupArrayIf(t, event = 'purchase') AS p FROM (SELECT customer_id, event, toUnixTimestamp64Micro(ts) AS t FROM {words.files(None)} "
            "WHERE event IN ('signup', 'activate', 'purchase')) GROUP BY customer_id HAVING notEmpty(s) AND notEmpty(a) AND notEmpty(p)) "
            "WHERE arrayExists(y -> arrayExists(x -> y >= x AND y <= x + 259200000000, s) AND "
            "arrayExists(z -> z >= y AND z <= y + 1209600000000, p), a)"
        )
    return (
        "SELECT customer_id FROM (SELECT customer_id, list(ts) FILTER (WHERE event = 'signup') AS s, list(ts) FILTER (WHERE event = 'activate') AS a, "
        f"list(ts) FILTER (WHERE event = 'purchase') AS p FROM {words.files(None)} WHERE event IN ('signup', 'activate', 'purchase') "
        "GROUP BY customer_id) AS q WHERE s IS NOT NULL AND a IS NOT NULL AND p IS NOT NULL AND "
        "len(list_filter(a, lambda y: len(list_filter(s, lambda x: y >= x AND y <= x + INTERVAL 3 DAY)) > 0 AND "
        "len(list_filter(p, lambda z: z >= y AND z <= y + INTERVAL 14 DAY)) > 0)) > 0"
    )


def cart_parts(words):
    files = words.files(7)
    # The hour after must be over, so carts of the last hour say nothing yet.
    over = f"{words.instant(0)} - INTERVAL 1 HOUR"
    carts = f"SELECT customer_id, ts FROM {files} WHERE event = 'add_to_cart' AND ts < {over}"
    return carts, f"SELECT customer_id, ts FROM {files} WHERE event = 'purchase'"


def cart_anti(words):
    carts, buys = cart_parts(words)
    if words.name == "chdb":
        return (
            f"SELECT DISTINCT customer_id FROM (SELECT c.customer_id AS customer_id, c.ts AS ts, p.ts AS bought FROM ({carts}) AS c "
            f"ASOF LEFT JOIN ({buys}) AS p ON c.customer_id = p.customer_id AND c.ts <= p.ts) "
            "WHERE bought = toDateTime64(0, 6, 'UTC') OR bought > ts + INTERVAL 1 HOUR"
        )
    return (
        f"SELECT DISTINCT c.customer_id FROM ({carts}) AS c WHERE NOT EXISTS (SELECT 1 FROM ({buys}) AS p "
        "WHERE p.customer_id = c.customer_id AND p.ts >= c.ts AND p.ts <= c.ts + INTERVAL 1 HOUR)"
    )


def cart_asof(words):
    carts, buys = cart_parts(words)
    return (
        f"SELECT DISTINCT c.customer_id FROM ({carts}) AS c ASOF LEFT JOIN ({buys}) AS p ON c.customer_id = p.customer_id AND c.ts <= p.ts "
        "WHERE p.ts IS NULL OR p.ts > c.ts + INTERVAL 1 HOUR"
    )


def cart_window(words):
    over = f"{words.instant(0)} - INTERVAL 1 HOUR"
    if words.name == "chdb":
        after, none = "minIf(ts, event = 'purchase')", "np = toDateTime64(0, 6, 'UTC')"
    else:
        after, none = "min(CASE WHEN event = 'purchase' THEN ts END)", "np IS NULL"
    order = "toUnixTimestamp64Micro(ts)" if words.name == "chdb" else "ts"
    return (
        f"SELECT DISTINCT customer_id FROM (SELECT customer_id, ts, event, {after} OVER (PARTITION BY customer_id ORDER BY {order} "
        f"RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS np FROM {words.files(7)} WHERE event IN ('add_to_cart', 'purchase')) AS q "
        f"WHERE event = 'add_to_cart' AND ts < {over} AND ({none} OR np > ts + INTERVAL 1 HOUR)"
    )


def cart_lists(words):
    """The times of a customer as lists; for ClickHouse."""
    over = f"toUnixTimestamp64Micro({words.instant(0)}) - 3600000000"
    return (
        "SELECT customer_id FROM (SELECT customer_id, groupArrayIf(t, event = 'add_to_cart') AS c, groupArrayIf(t, event = 'purchase') AS p "
        f"FROM (SELECT customer_id, event, toUnixTimestamp64Micro(ts) AS t FROM {words.files(7)} WHERE event IN ('add_to_cart', 'purchase')) "
        f"GROUP BY customer_id HAVING notEmpty(c)) "
        f"WHERE arrayExists(x -> x < {over} AND NOT arrayExists(y -> y >= x AND y <= x + 3600000000, p), c)"
    )


FORMS = {
    "funnel": {"window": funnel_window, "asof": funnel_asof, "join": funnel_join, "lists": funnel_lists},
    "cart": {"anti": cart_anti, "asof": cart_asof, "window": cart_window, "lists": cart_lists},
}
