"""Event stores for the benchmark: daily hive folders of Parquet, the same bytes from the same seed.

A store looks like what a shop's warehouse exports: one file a day, in the order of time, string ids, few customers who do much and
many who do little. Purchases often follow a cart of the same day, activations a sign-up of the days before.
"""

import argparse
import datetime as dt
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAYS = 400
# The instant to judge by, exclusive: the day after the last folder.
AS_OF = dt.date(2026, 6, 1)
FIRST = AS_OF - dt.timedelta(days=DAYS)
SEED = 20260601

# Raw event name, share of the rows, and which of category, product, amount its rows carry.
KINDS = [
    ("page_view", 0.420, "cp"),
    ("send", 0.200, ""),
    ("open", 0.160, ""),
    ("search", 0.060, "c"),
    ("click", 0.050, ""),
    ("add_to_cart", 0.042, "cpa"),
    ("purchase", 0.030, "cpa"),
    ("wishlist", 0.010, "cp"),
    ("signup", 0.010, ""),
    ("unsubscribe", 0.008, ""),
    ("activate", 0.008, ""),
    ("refund", 0.002, "cpa"),
]
EVENTS = [kind[0] for kind in KINDS]
CATEGORIES = ["anti-aging", "skincare", "makeup", "haircare", "fragrance", "bodycare", "suncare", "mens", "nails", "tools"]
CATEGORIES += [f"range-{n:02d}" for n in range(10, 40)]
PRODUCTS = [f"prod-{n:04d}-sku" for n in range(2000)]
CHANNELS = ["email", "web", "app", "sms", "store"]
DAY_US = 86_400_000_000

_SHARES = np.cumsum([kind[1] for kind in KINDS])
_SHARES /= _SHARES[-1]
_POPULAR = np.cumsum(np.arange(1, len(CATEGORIES) + 1) ** -0.7)
_POPULAR /= _POPULAR[-1]
CODE = {name: code for code, name in enumerate(EVENTS)}


def has(what):
    """For each event code whether its rows carry this."""
    return np.array([what in kind[2] for kind in KINDS])


def people(rng, n, customers):
    """Power law: the busiest hundredth of the customers makes a fifth of the events. Who is busy is dealt out over the ids."""
    rank = (customers * rng.random(n) ** 3).astype(np.int64)
    return (rank * 1_000_003 + 7) % customers


def signups(seed, day, n, customers):
    """Who signed up on a day and when, known to the days after it as well."""
    rng = np.random.default_rng([seed, day, 1])
    count = max(1, round(n * (_SHARES[CODE["signup"]] - _SHARES[CODE["signup"] - 1])))
    return people(rng, count, customers), (rng.beta(3, 2, count) * (DAY_US - 1)).astype(np.int64)


def one_day(seed, day, n, customers):
    """The rows of one day; `day` counts from FIRST."""
    rng = np.random.default_rng([seed, day, 0])
    event = np.searchsorted(_SHARES, rng.random(n), side="right").astype(np.int32)
    who = people(rng, n, customers)
    at = (rng.beta(3, 2, n) * (DAY_US - 1)).astype(np.int64)
    category = np.searchsorted(_POPULAR, rng.random(n), side="right").astype(np.int32)
    product = category + len(CATEGORIES) * (rng.random(n) ** 2 * (len(PRODUCTS) // len(CATEGORIES))).astype(np.int32)
    cents = np.maximum(1, np.round(np.exp(rng.normal(3.4, 0.8, n)) * 100)).astype(np.int64)

    # Sign-ups are fixed by their own generator, so that later days find them again.
    rows = np.flatnonzero(event == CODE["signup"])
    new, when = signups(seed, day, n, customers)
    keep = min(len(rows), len(new))
    event[rows[keep:]] = CODE["page_view"]
    who[rows[:keep]], at[rows[:keep]] = new[:keep], when[:keep]
    # Two thirds of the activations follow a sign-up of today or the four days before.
    rows = np.flatnonzero(event == CODE["activate"])
    rows = rows[: len(rows) * 2 // 3]
    back = np.minimum(rng.integers(0, 5, len(rows)), day)
    for ago in range(5):
        some = rows[back == ago]
        new, when = signups(seed, day - ago, n, customers) if day >= ago else (np.empty(0, np.int64), np.empty(0, np.int64))
        if len(some) and len(new):
            pick = rng.integers(0, len(new), len(some))
            who[some] = new[pick]
            later = (rng.exponential(DAY_US / 24, len(some))).astype(np.int64) + 1
            at[some] = np.minimum(when[pick] + later, DAY_US - 1) if ago == 0 else at[some]
    # Six tenths of the purchases are of something that went into the cart on that day.
    carts = np.flatnonzero(event == CODE["add_to_cart"])
    rows = np.flatnonzero(event == CODE["purchase"])
    rows = rows[: len(rows) * 6 // 10]
    if len(carts) and len(rows):
        cart = rng.choice(carts, len(rows))
        for column in (who, category, product, cents):
            column[rows] = column[cart]
        at[rows] = np.minimum(at[cart] + rng.exponential(30 * 60e6, len(rows)).astype(np.int64) + 1, DAY_US - 1)

    has_category = has("c")[event] & (rng.random(n) > 0.03)
    mails = np.isin(event, [CODE[name] for name in ("send", "open", "click", "unsubscribe")])
    channel = np.where(mails, np.where(rng.random(n) < 0.15, 3, 0), rng.choice([1, 1, 1, 2, 2, 4], n)).astype(np.int32)

    has_product, has_amount = has("p")[event], has("a")[event]
    order = np.argsort(at, kind="stable")
    event, at = event[order], at[order]
    start = ((FIRST - dt.date(1970, 1, 1)).days + day) * DAY_US

    def words(codes, names, known=None):
        codes = codes[order]
        return pa.array(names).take(pa.array(codes, mask=None if known is None else ~known[order]))

    amount = pa.Array.from_buffers(pa.decimal128(12, 2), n, decimal_buffers(cents[order], has_amount[order]))
    return pa.table({
        "customer_id": ids(who[order]),
        "ts": pa.array(at + start, pa.timestamp("us")),
        "event": pa.array(EVENTS).take(pa.array(event)),
        "category": words(category, CATEGORIES, has_category),
        "product": words(product, PRODUCTS, has_product),
        "amount": amount,
        "channel": words(channel, CHANNELS),
    })


def decimal_buffers(cents, known):
    """128-bit numbers, little-endian, of small positive ones."""
    wide = np.zeros((len(cents), 2), np.int64)
    wide[:, 0] = cents
    return [pa.py_buffer(np.packbits(known, bitorder="little").tobytes()), pa.py_buffer(wide.tobytes())]


def ids(numbers):
    """`c` and eight digits."""
    n = len(numbers)
    text = np.empty((n, 9), np.uint8)
    text[:, 0] = ord("c")
    rest = numbers.copy()
    for place in range(8, 0, -1):
        text[:, place] = 48 + rest % 10
        rest //= 10
    offsets = np.arange(0, 9 * (n + 1), 9, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), n, [None, pa.py_buffer(offsets), pa.py_buffer(text.tobytes())])


def write_day(folder, seed, day, n, customers):
    date = (FIRST + dt.timedelta(days=day)).isoformat()
    path = os.path.join(folder, f"dt={date}")
    os.makedirs(path, exist_ok=True)
    table = one_day(seed, day, n, customers)
    aside = os.path.join(path, ".part-0.parquet.tmp")
    pq.write_table(table, aside, compression="snappy", row_group_size=1 << 20, store_decimal_as_integer=True)
    target = os.path.join(path, "part-0.parquet")
    os.replace(aside, target)
    return target


def write(folder, events, customers, seed=SEED, days=DAYS):
    """The whole store; a file `DONE` beside the folders tells that it is complete and of what."""
    mark = folder.rstrip("/") + ".done"
    said = f"{events} {customers} {seed} {days} {version()}\n"
    if os.path.exists(mark) and open(mark).read() == said:
        return False
    for day in range(days):
        write_day(folder, seed, day, events // DAYS, customers)
    with open(mark, "w") as file:
        file.write(said)
    return True


def version():
    """Changes when the rows of a store would."""
    return 1


# The stores of the benchmark by their millions of events.
SIZES = {1: (1_000_000, 50_000), 10: (10_000_000, 500_000), 20: (20_000_000, 1_000_000), 50: (50_000_000, 2_000_000)}


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("folder")
    args.add_argument("--events", type=int, required=True)
    args.add_argument("--customers", type=int, required=True)
    args.add_argument("--seed", type=int, default=SEED)
    args.add_argument("--day", type=int, help=f"only this day; {DAYS} is the first one behind the store")
    args = args.parse_args()
    if args.day is not None:
        print(write_day(args.folder, args.seed, args.day, args.events // DAYS, args.customers))
        return
    print("written" if write(args.folder, args.events, args.customers, args.seed) else "there already")


if __name__ == "__main__":
    main()
