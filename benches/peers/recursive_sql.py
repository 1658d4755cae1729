"""DuckDB: the same as one recursive query.

    recursive_sql.py FOLDER

Reads edges.csv, arrivals.csv and starts.csv, prints the seconds for the tables and for the
query, and writes found.csv: source, sink, origin leaf, fewest flows.
"""

import sys
import time

import duckdb

folder = sys.argv[1]
db = duckdb.connect()
start = time.perf_counter()
db.execute(f"""
    CREATE TABLE edges AS SELECT DISTINCT * FROM read_csv('{folder}/edges.csv', header = false, auto_detect = false,
        columns = {{'u': 'INTEGER', 'f': 'UTINYINT', 'v': 'INTEGER', 'g': 'UTINYINT', 'p': 'INTEGER'}});
    CREATE TABLE arrivals AS SELECT DISTINCT * FROM read_csv('{folder}/arrivals.csv', header = false, auto_detect = false,
        columns = {{'u': 'INTEGER', 'f': 'UTINYINT', 'v': 'INTEGER', 'p': 'INTEGER'}});
    CREATE TABLE starts AS SELECT * FROM read_csv('{folder}/starts.csv', header = false, auto_detect = false,
        columns = {{'s': 'INTEGER', 'p': 'INTEGER', 'o': 'UTINYINT', 'f': 'UTINYINT'}});
""")
tables = time.perf_counter() - start
start = time.perf_counter()
db.execute("""
    CREATE TABLE found AS
    WITH RECURSIVE item(s, p, o, v, f, k) USING KEY (s, o, v, f) AS (
        SELECT s, p, o, s, f, 0 FROM starts
        UNION
        SELECT DISTINCT i.s, i.p, i.o, e.v, e.g, i.k + 1
        FROM item i JOIN edges e ON e.u = i.v AND e.f = i.f AND (e.p IS NULL OR e.p = i.p)
        WHERE NOT EXISTS (
            FROM recurring.item r WHERE r.s = i.s AND r.o = i.o AND r.v = e.v AND r.f = e.g)
    )
    SELECT i.s, a.v, i.o, min(i.k) + 1 AS k
    FROM item i JOIN arrivals a ON a.u = i.v AND a.f = i.f AND (a.p IS NULL OR a.p = i.p)
    WHERE a.v <> i.s
    GROUP BY ALL
""")
query = time.perf_counter() - start
db.execute(f"COPY found TO '{folder}/found.csv' (HEADER false)")
print(tables, query)
