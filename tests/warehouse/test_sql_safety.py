"""What `Warehouse.sql` must not do, whatever the statement: each trick is tried for real."""

from pathlib import Path

import polars as pl
import pytest

from cole_core.errors import InputError
from tests.warehouse.conftest import fill
from warehouse import Warehouse

SECRET = "a line that no query may see"

# {secret} is a file beside the warehouse, {target} one that is not there, {catalog} the catalog.
TRICKS = {
    "read_text": "SELECT * FROM read_text('{secret}')",
    "read_text of a pattern": "SELECT * FROM read_text('{folder}/*')",
    "read_blob": "SELECT * FROM read_blob('{secret}')",
    "read_csv": "SELECT * FROM read_csv('{secret}')",
    "read_csv_auto": "SELECT * FROM read_csv_auto('{secret}')",
    "sniff_csv": "FROM sniff_csv('{secret}')",
    "read_json": "SELECT * FROM read_json('{secret}')",
    "read_json_objects": "SELECT * FROM read_json_objects('{secret}')",
    "read_ndjson": "SELECT * FROM read_ndjson('{secret}')",
    "read_parquet": "SELECT * FROM read_parquet('{folder}/p.parquet')",
    "parquet_scan": "SELECT * FROM parquet_scan('{folder}/p.parquet')",
    "parquet_metadata": "SELECT * FROM parquet_metadata('{folder}/p.parquet')",
    "parquet_schema": "SELECT * FROM parquet_schema('{folder}/p.parquet')",
    "parquet_kv_metadata": "SELECT * FROM parquet_kv_metadata('{folder}/p.parquet')",
    "read_duckdb": "SELECT * FROM read_duckdb('{catalog}')",
    "a file by its name": "SELECT * FROM '{secret}'",
    "a file by its name, quoted": 'SELECT * FROM "{folder}/p.parquet"',
    "a file by its name, FROM first": "FROM '{folder}/p.parquet'",
    "glob": "SELECT * FROM glob('{folder}/*')",
    "a web address": "SELECT * FROM 'https://127.0.0.1:1/p.parquet'",
    "read_csv of a web address": "SELECT * FROM read_csv('http://127.0.0.1:1/a.csv')",
    "an object store": "SELECT * FROM read_parquet('s3://bucket/a.parquet')",
    "a qualified function": "SELECT * FROM system.main.read_text('{secret}')",
    "an upper-case function": "SELECT * FROM READ_TEXT('{secret}')",
    "a quoted function": "SELECT * FROM \"read_text\"('{secret}')",
    "in a subquery": "SELECT (SELECT content FROM read_text('{secret}'))",
    "in a WITH": "WITH t AS (FROM read_text('{secret}')) FROM t",
    "in a MATERIALIZED WITH": "WITH t AS MATERIALIZED (FROM read_text('{secret}')) FROM t",
    "in a recursive WITH": (
        "WITH RECURSIVE t AS (SELECT 'a' AS content UNION ALL SELECT content FROM "
        "read_text('{secret}')) FROM t"
    ),
    "in a join": "FROM runs, LATERAL (FROM read_text('{secret}'))",
    "in a condition": "FROM runs WHERE EXISTS (FROM read_text('{secret}'))",
    "in LIMIT": "FROM runs LIMIT (SELECT count(*) FROM read_text('{secret}'))",
    "in ORDER BY": "FROM runs ORDER BY (SELECT count(*) FROM read_text('{secret}'))",
    "in UNION": "SELECT run_id FROM runs UNION ALL SELECT content FROM read_text('{secret}')",
    "in DESCRIBE": "DESCRIBE SELECT * FROM read_text('{secret}')",
    "in SUMMARIZE": "SUMMARIZE SELECT * FROM read_text('{secret}')",
    "in PIVOT": "PIVOT (FROM read_text('{secret}')) ON size IN (1) USING first(content)",
    "in EXPLAIN ANALYZE": "EXPLAIN ANALYZE SELECT * FROM read_text('{secret}')",
    "query in a query": "FROM query('SELECT * FROM read_text(''{secret}'')')",
    "query_table": "FROM query_table('{secret}')",
    "a serialised query": "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "COPY TO": "COPY (SELECT 1) TO '{target}'",
    "COPY TO Parquet": "COPY runs TO '{target}' (FORMAT parquet)",
    "COPY FROM": "COPY store.runs FROM '{secret}'",
    "COPY DATABASE": "COPY FROM DATABASE catalog TO other",
    "EXPLAIN ANALYZE COPY": "EXPLAIN ANALYZE COPY runs TO '{target}'",
    "EXPORT": "EXPORT DATABASE '{target}'",
    "IMPORT": "IMPORT DATABASE '{folder}'",
    "ATTACH": "ATTACH '{target}' AS other",
    "ATTACH the catalog to write": "ATTACH '{catalog}' AS other (READ_WRITE)",
    "DETACH": "DETACH catalog",
    "USE": "USE store",
    "INSTALL": "INSTALL httpfs",
    "FORCE INSTALL": "FORCE INSTALL httpfs FROM 'http://127.0.0.1:1'",
    "LOAD": "LOAD httpfs",
    "LOAD a file": "LOAD '{target}'",
    "SET external access": "SET enable_external_access = true",
    "RESET external access": "RESET enable_external_access",
    "SET GLOBAL": "SET GLOBAL enable_external_access = true",
    "SET allowed_directories": "SET allowed_directories = ['/']",
    "SET replacements": "SET python_enable_replacements = true",
    "SET lock": "SET lock_configuration = false",
    "SET memory": "SET memory_limit = '100GB'",
    "SET temp_directory": "SET temp_directory = '{target}'",
    "SET VARIABLE": "SET VARIABLE a = 1",
    "PRAGMA": "PRAGMA enable_external_access = true",
    "PRAGMA database_list": "PRAGMA database_list",
    "PRAGMA profiling": "PRAGMA enable_profiling = 'json'",
    "PRAGMA profiling output": "PRAGMA profiling_output = '{target}'",
    "PRAGMA import": "PRAGMA import_database('{folder}')",
    "CALL": "CALL enable_logging(storage = 'file', storage_config = {{'path': '{target}'}})",
    "enable_logging in FROM": (
        "FROM enable_logging('QueryLog', storage = 'file', storage_path = '{target}')"
    ),
    "enable_profiling in FROM": "FROM enable_profiling(save_location = '{target}')",
    "write_log": "SELECT write_log('a')",
    "checkpoint in FROM": "FROM checkpoint()",
    "force_checkpoint in FROM": "FROM force_checkpoint('catalog')",
    "CHECKPOINT": "CHECKPOINT",
    "secrets": "FROM duckdb_secrets()",
    "which_secret": "FROM which_secret('{secret}', 'http')",
    "CREATE SECRET": "CREATE SECRET (TYPE http, BEARER_TOKEN 'a')",
    "settings": "FROM duckdb_settings()",
    "a pointer as a table": "FROM arrow_scan(1::UBIGINT::VARCHAR, 2, 3)",
    "a pointer to a frame": "FROM pandas_scan(1)",
    "a pointer to a function": "FROM python_map_function(1)",
    "a Python variable": "SELECT * FROM secret",
    "a Python frame": "SELECT * FROM frame_of_the_caller",
    "INSERT": "INSERT INTO store.runs VALUES ('a')",
    "UPDATE": "UPDATE store.runs SET flow = 'a'",
    "DELETE": "DELETE FROM store.runs",
    "TRUNCATE": "TRUNCATE store.runs",
    "DELETE RETURNING": "DELETE FROM store.runs RETURNING *",
    "INSERT after WITH": "WITH a AS (SELECT 1) INSERT INTO store.runs FROM a",
    "MERGE": "MERGE INTO store.runs USING runs ON false WHEN MATCHED THEN DELETE",
    "DROP": "DROP TABLE store.runs",
    "DROP VIEW": "DROP VIEW runs",
    "ALTER": "ALTER TABLE store.runs ADD COLUMN a INT",
    "CREATE TABLE": "CREATE TABLE a AS SELECT 1",
    "CREATE TEMP TABLE": "CREATE TEMP TABLE a AS SELECT 1",
    "CREATE VIEW": "CREATE OR REPLACE TEMP VIEW runs AS SELECT 1",
    "CREATE MACRO": "CREATE MACRO a() AS TABLE FROM read_text('{secret}')",
    "CREATE SEQUENCE": "CREATE SEQUENCE a",
    "CREATE TYPE": "CREATE TYPE a AS INT",
    "COMMENT": "COMMENT ON VIEW runs IS 'a'",
    "VACUUM": "VACUUM",
    "ANALYZE": "ANALYZE",
    "BEGIN": "BEGIN",
    "COMMIT": "COMMIT",
    "PREPARE": "PREPARE a AS SELECT 1",
    "EXECUTE": "EXECUTE a",
    "two statements": "SELECT 1; DROP VIEW runs",
    "two statements, the first a comment": "/* a */ SELECT 1; /* b */ COPY runs TO '{target}'",
    "a statement behind a semicolon": ";COPY runs TO '{target}'",
    "nothing": "",
    "blanks": " \n\t",
    "a comment": "-- SELECT 1",
    "NUL": "SELECT '\0'",
    "half a character": "SELECT '\ud800'",
    "nested deeply": "SELECT " + "1+" * 900 + "1",
    "nested more deeply": "SELECT " + "1+" * 30_000 + "1",
    "an unknown table": "SELECT * FROM nowhere",
    "a parameter": "SELECT ?",
    "an error of its own": "SELECT error('a\nb')",
}


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """One warehouse for all statements, none of which can change it, and files beside it."""
    folder = tmp_path_factory.mktemp("all")
    (folder / "beside").mkdir()
    (folder / "beside" / "secret.csv").write_text(SECRET)
    pl.DataFrame({"a": [SECRET]}).write_parquet(folder / "beside" / "p.parquet")
    warehouse = fill(Warehouse(folder / "home"))
    with warehouse.writer("test", run_id="run-1") as writer:
        writer.start_run("test", {}, {})
    return warehouse


def files(warehouse: Warehouse) -> dict[Path, bytes]:
    """Everything in and beside a warehouse."""
    return {p: p.read_bytes() for p in warehouse.home.parent.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_is_refused_and_changes_nothing(read_only: Warehouse, name: str) -> None:
    folder = read_only.home.parent / "beside"
    frame_of_the_caller = pl.DataFrame({"a": [SECRET]})
    before = files(read_only)
    statement = TRICKS[name]
    if "{" in statement:
        statement = statement.format(
            secret=folder / "secret.csv",
            folder=folder,
            target=folder / "target",
            catalog=read_only.catalog.path,
        )
    with pytest.raises(InputError) as error:
        read_only.sql(statement)
    assert SECRET not in str(error.value)
    assert files(read_only) == before
    assert frame_of_the_caller.height == 1


ALLOWED = [
    "SELECT 1;",
    "FROM runs",
    "TABLE runs",
    "VALUES (1), (2)",
    "SHOW TABLES",
    "DESCRIBE evaluations",
    "SUMMARIZE evaluations",
    "EXPLAIN SELECT * FROM runs",
    "explain analyze SELECT * FROM runs",
    "-- best\nSELECT max(value) FROM evaluations",
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) FROM t",
    "SELECT * FROM range(3), unnest([1, 2])",
    "SELECT [x * 2 FOR x IN [1, 2]]",
    "PIVOT evaluations ON dataset IN ('cifar10') USING avg(value) GROUP BY native",
    "FROM evaluations SELECT columns('value|native') LIMIT 1",
    "SELECT array_cosine_similarity(a.vector, b.vector) FROM embeddings_minilm_mean_fp32 AS a, "
    "embeddings_minilm_mean_fp32 AS b LIMIT 1",
    "SELECT 1 AS a, 2 AS a, 3 AS a_1",
    "SELECT INTERVAL 1 DAY, union_value(n := 2), '1'::BIT, '12:00:00+02'::TIMETZ, 1::VARIANT",
    "SELECT {'a': INTERVAL 1 DAY}, MAP {'a': 1}, [[1]], '\\xAA'::BLOB, DATE '2026-01-01'",
]


@pytest.mark.parametrize("statement", ALLOWED)
def test_what_people_ask_is_answered(read_only: Warehouse, statement: str) -> None:
    rows = read_only.sql(statement)
    assert rows.height > 0
    assert len(set(rows.columns)) == len(rows.columns)


def test_every_table_function_is_refused_or_known(read_only: Warehouse) -> None:
    """A later DuckDB's functions are refused until somebody has looked at them."""
    from warehouse.guard import _TABLE_FUNCTIONS

    rows = read_only.sql(
        "SELECT DISTINCT function_name AS name FROM duckdb_functions() "
        "WHERE function_type IN ('table', 'table_macro')"
    )
    names = set(rows["name"])
    assert names >= _TABLE_FUNCTIONS - {"unnest"}
    for name in sorted(names - _TABLE_FUNCTIONS):
        with pytest.raises(InputError, match=r"which a query may not"):
            read_only.sql(f"SELECT * FROM {name}()")
