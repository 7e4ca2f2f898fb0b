"""Reckons with DuckDB what tests/engine/real_ranks.rs holds.

    SEGUE_DATA=… python3 tests/engine/real_ranks.py
"""

import hashlib
import os

import duckdb

data = os.environ["SEGUE_DATA"]
db = duckdb.connect()


def ids(query):
    return [row[0] for row in db.sql(query).fetchall()]


def show(name, found):
    texts = sorted(str(i) for i in found)
    digest = hashlib.sha256("".join(t + "\n" for t in texts).encode()).hexdigest()[:16]
    print(f'("{name}", {len(texts)}, "{digest}"),')


def top(percent, of):
    """Rounded half up, as SQL."""
    return f"((2 * {of} * {percent} + 100) // 200)"


def quintile(place, of):
    return (
        f"case when {place} <= {top(20, of)} then 5 when {place} <= {top(40, of)} then 4 "
        f"when {place} <= {top(60, of)} then 3 when {place} <= {top(80, of)} then 2 else 1 end"
    )


def place(by, then="id"):
    return f"row_number() over (order by {by} desc, {then})"


def drawn(salt, percent, customers):
    def point(customer):
        return int.from_bytes(hashlib.sha256(f"{salt}\0{customer}".encode()).digest()[:8], "big")

    return [c for c in customers if point(c) < percent * 2**64 // 100]


print("cdnow")
db.sql(
    f"""create table r as select customer_id id, date_diff('day', max(date), timestamp '1997-10-01') recency,
    count(*) frequency, sum(cast(round(dollar_value * 100) as bigint)) monetary
    from '{data}/cdnow/master.parquet' where date < '1997-10-01' group by id"""
)
db.sql("create table n as select *, count(*) over () n from r")
db.sql(
    f"""create table s as select *, {quintile(place('recency'), 'n')} r, {quintile(place('frequency'), 'n')} f,
    {quintile(place('monetary'), 'n')} m, {place('monetary')} p, (rank() over (order by monetary) - 1) / n::double share from n"""
)
show("champions", ids("select id from s where r = 1 and f = 5 and m = 5"))
show("points", ids("select id from s where r * 100 + f * 10 + m >= 545"))
show("high", ids("select id from s where share >= 0.9"))
show("best", ids(f"select id from s where p <= {top(10, 'n')}"))
within = "(select *, row_number() over (order by monetary desc, id) k, count(*) over () c from s where {})"
show("least", ids(f"select id from {within.format('frequency >= 2')} where k > c - 100"))
elite = within.format("r = 1 and f = 5 and m = 5")
show("elite", ids(f"select id from {elite} where k <= {top(10, 'c')}"))
show("others", ids(f"select id from {elite} where k > {top(65, 'c')}"))
show("drawn", drawn("cdnow", 10, ids("select id from s")))
show("drawn_best", drawn("cdnow", 50, ids(f"select id from s where p <= {top(10, 'n')}")))

db.sql(
    f"""create table t as select id, p, case when list_contains($tested, id) then 'tested' when q = 5 then 'high'
    when frequency >= 2 then 'again' else 'single' end tier from s left join
    (select id, {quintile(place('monetary'), 'count(*) over ()')} q from s where frequency >= 2) using (id)""",
    params={"tested": drawn("cdnow", 50, ids(f"select id from s where p <= {top(10, 'n')}"))},
)
for tier in ["tested", "high", "again", "single"]:
    show(f"tier.{tier}", ids(f"select id from t where tier = '{tier}'"))
show("tested", ids(f"select id from t where tier in ('tested', 'again') and p <= {top(10, 23570)}"))

print("online_retail")
db.sql(
    f"""create table o as select customer_id id, sum(quantity) units, count(distinct stock_code) kinds, count(*) lines
    from '{data}/online_retail_ii/year_2010_2011.parquet'
    where customer_id is not null and quantity > 0 and invoice_date < '2011-12-10' group by id"""
)
db.sql(f"create table u as select *, {place('units')} p, {place('kinds')} k, {place('units / lines::double')} a, count(*) over () n from o")
show("largest", ids("select id from u where p <= 50"))
show("curious", ids(f"select id from u where {quintile('k', 'n')} = 5"))
show("bulk", ids(f"select id from u where {quintile('a', 'n')} >= 4"))
show("small", ids(f"select id from u where p > {top(75, 'n')}"))
within = f"(select *, row_number() over (order by kinds desc, id) j, count(*) over () c from u where p <= 1000)"
show("both", ids(f"select id from {within} where j > {top(80, 'c')}"))
show("drawn", drawn("online", 1, ids("select id from u")))
