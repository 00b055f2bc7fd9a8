"""What a query by a person may be: one SELECT, over the views and harmless functions alone.

The connection it runs on reads only and reaches neither files nor network. What that leaves is
kept out here: table functions that take memory addresses, change what the connection logs, or run
another query that nobody has looked at.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from cole_core.errors import InputError

_EXPLAIN = re.compile(r"\s*EXPLAIN(\s+ANALYZE\b)?(?=\s)", re.IGNORECASE)

# In FROM these make rows of their arguments, or describe the catalog. Others are refused, those of
# later DuckDB versions among them.
_TABLE_FUNCTIONS = {
    "duckdb_columns",
    "duckdb_functions",
    "duckdb_keywords",
    "duckdb_schemas",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "histogram",
    "histogram_values",
    "json_each",
    "json_tree",
    "pragma_show",
    "pragma_table_info",
    "pragma_version",
    "range",
    "repeat",
    "repeat_row",
    "summary",
    "unnest",
}
_FUNCTIONS = {"sleep_ms", "write_log"}  # scalar ones that are refused


def check_query(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Checks that a statement is one SELECT, or EXPLAIN of one, and calls nothing it may not.

    Args:
        connection: Any; the statement is parsed by it, not run.
        statement: What a person wrote.

    Raises:
        InputError: It is not.
    """
    explain = _EXPLAIN.match(statement)
    tree = _parse(connection, statement[explain.end() :] if explain else statement)
    if tree["error"] and tree["error_type"] == "parser":
        raise InputError(f"'{statement}' is not SQL: {tree['error_message']}; write one SELECT")
    if tree["error"] or len(tree["statements"]) != 1:
        raise InputError(f"'{statement}' is not one SELECT: give a single query that reads")
    for kind, function in _called(tree):
        refused = function not in _TABLE_FUNCTIONS if kind == "table" else function in _FUNCTIONS
        if refused:
            raise InputError(
                f"'{statement}' calls {function}, which a query may not: "
                "read the views that 'cole schema' lists"
            )


def _parse(connection: duckdb.DuckDBPyConnection, statement: str) -> dict[str, Any]:
    try:
        statement.encode()
        row = connection.execute(
            "SELECT json_serialize_sql($statement::VARCHAR)", {"statement": statement}
        ).fetchone()
        assert row is not None
        return json.loads(row[0])
    except UnicodeEncodeError as error:
        raise InputError(f"{statement!r} is not a text: give it in UTF-8") from error
    except RecursionError as error:
        raise InputError(f"'{statement}' is nested too deeply: make it shorter") from error


def _called(node: Any) -> Iterator[tuple[str, str]]:
    """Kind (table or scalar) and name of each function that a parsed statement calls."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                yield "table", str(node["function"]["function_name"]).lower()
                waiting += node["function"]["children"]
                waiting += [v for k, v in node.items() if k != "function"]
                continue
            if node.get("type") == "FUNCTION":
                yield "scalar", str(node["function_name"]).lower()
            waiting += node.values()
