"""Runs one workload in one form on one peer, several times, and prints one line of JSON.

    peers.py duckdb|polars|chdb FOLDER WORKLOAD FORM [REPEATS]

Two threads. The answer is who is in which rule; its digests are made outside the measured time.
"""

import hashlib
import json
import os
import sys
import time

os.environ["POLARS_MAX_THREADS"] = os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "2"

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import workloads

MEMORY = "18GB"


def digest(ids):
    """As in engine.rs: SHA-256 of the sorted ids, a line each."""
    whole = hashlib.sha256()
    if len(ids):
        ids = np.sort(ids)
        whole.update(b"\n".join(ids.tolist()) + b"\n")
    return whole.hexdigest()[:24]


def ids_of(column):
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.array(pc.cast(column, pa.binary()).to_numpy(zero_copy_only=False), dtype="S16")


def members(tables, rules):
    """For each rule its size and digest, out of the answers in whatever shape they are."""
    names = [rule.name for rule in rules]
    tables = [t for t in tables]
    out = {}
    if len(tables) == len(names) and tables[0].num_columns == 1:
        for name, table in zip(names, tables):
            ids = ids_of(table.column(0))
            assert len(np.unique(ids)) == len(ids), f"{name}: a customer twice"
            out[name] = [len(ids), digest(ids)]
        return out
    (table,) = tables
    if table.column_names == ["rule", "customer_id"]:
        ids, rule = ids_of(table["customer_id"]), table["rule"].to_numpy()
        order = np.argsort(rule, kind="stable")
        ids, rule = ids[order], rule[order]
        for at, name in enumerate(names):
            mine = ids[np.searchsorted(rule, at) : np.searchsorted(rule, at, side="right")]
            out[name] = [len(mine), digest(mine)]
        return out
    ids = ids_of(table["customer_id"])
    order = np.argsort(ids)
    ids = ids[order]
    for name in names:
        mine = ids[np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=bool)[order]]
        out[name] = [len(mine), digest(mine)]
    return out


def duckdb_runner(folder, workload, form):
    import duckdb
    import peers_paths
    import peers_sql

    link = duckdb.connect()
    link.execute(f"SET threads = 2; SET memory_limit = '{MEMORY}'; SET preserve_insertion_order = false; SET enable_progress_bar = false")
    queries = statements(peers_sql, peers_paths, peers_sql.Duck(folder), workload, form)
    return lambda: [arrow(link.sql(query)) for query in queries], duckdb.__version__


def arrow(answer):
    return answer.to_arrow_table() if hasattr(answer, "to_arrow_table") else answer.fetch_arrow_table()


def statements(peers_sql, peers_paths, words, workload, form):
    if workload in workloads.TEXTS:
        return [peers_paths.FORMS[workload][form](words)]
    return peers_sql.FORMS[form](workloads.RULES[workload](), words)


def chdb_runner(folder, workload, form):
    import chdb
    import peers_paths
    import peers_sql
    from chdb import session

    link = session.Session()
    settings = (
        " SETTINGS max_threads = 2, max_memory_usage = 18000000000, session_timezone = 'UTC', max_query_size = 1000000000, "
        "max_ast_elements = 10000000, max_expanded_ast_elements = 100000000, max_ast_depth = 100000, max_parser_depth = 100000, "
        "input_format_null_as_default = 1, short_circuit_function_evaluation = 'disable', output_format_arrow_string_as_string = 1, "
        "output_format_arrow_low_cardinality_as_dictionary = 0, output_format_arrow_compression_method = 'none'"
    )
    queries = statements(peers_sql, peers_paths, peers_sql.House(folder), workload, form)

    def ask(query):
        answer = link.query(query + settings, "Arrow")
        return pa.ipc.open_file(pa.BufferReader(answer.bytes())).read_all()

    return lambda: [ask(query) for query in queries], chdb.__version__


def polars_runner(folder, workload, form):
    import peers_polars
    import polars

    return lambda: [frame.to_arrow() for frame in peers_polars.run(folder, workload, form)], polars.__version__


RUNNERS = {"duckdb": duckdb_runner, "chdb": chdb_runner, "polars": polars_runner}


def peak_mb():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) >> 10
    return None


def main():
    engine, folder, workload, form = sys.argv[1:5]
    repeats = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    run, version = RUNNERS[engine](os.path.abspath(folder), workload, form)
    seconds, processor, tables, began = [], [], None, time.time()
    for _ in range(repeats):
        tables = None
        start, before = time.perf_counter(), time.process_time()
        tables = run()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - before)
        # What takes long is not repeated: noise is small beside it.
        if time.time() - began > 20:
            break
    peak = peak_mb()
    rules = workloads.RULES[workload]() if workload in workloads.RULES else [workloads.Rule(workload, None)]
    print(json.dumps({"seconds": seconds, "cpu": processor, "peak_mb": peak, "version": version, "rules": members(tables, rules)}))


if __name__ == "__main__":
    main()
