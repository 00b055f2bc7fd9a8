"""What people write in SQL about rows that are in memory: an expression, with a value for each."""

import contextlib
import threading
from collections.abc import Iterator

import duckdb
import polars as pl

from cole_core.errors import InputError
from warehouse.guard import check_query
from warehouse.queries import query
from warehouse.results import Texts, presentable

SECONDS = 10.0
"""After which an expression, or a query, that somebody waits for is given up."""


def evaluate(rows: pl.DataFrame, expression: str) -> pl.Series:
    """The value of an expression for each row, in a database that holds these rows alone.

    Args:
        rows: Its columns are what the expression may speak of.
        expression: In DuckDB's SQL, such as `cifar10 > 93 AND conv3x3 >= 2`.

    Raises:
        InputError: It is no expression over the columns, or takes too long.
    """
    with contextlib.closing(duckdb.connect(":memory:")) as connection:
        connection.execute(query("close_up"))
        connection.register("rows", rows.to_arrow())
        statement = query("values_of_expression").format(expression=expression)
        try:
            check_query(connection, statement)
            with interrupted_after(connection, SECONDS):
                relation = presentable(connection.sql(statement), Texts.NESTED)
                if len(relation.columns) != 1:
                    raise InputError("it is several values")
                found = pl.DataFrame(pl.from_arrow(relation.to_arrow_table()))
        except (duckdb.Error, InputError) as error:
            reason = " ".join(str(error).replace(f"'{statement}'", "it").split())
            raise InputError(
                f'"{expression}" is no expression: {reason}; write one such '
                f"as \"native LIKE '%conv%'\" on {', '.join(rows.columns)}"
            ) from error
    if found.height != rows.height:
        raise InputError(f'"{expression}" has not one value for each row: aggregate in a window')
    return found.to_series()


@contextlib.contextmanager
def interrupted_after(
    connection: duckdb.DuckDBPyConnection, seconds: float | None
) -> Iterator[None]:
    """Ends what the connection runs in the block once so many seconds are over; None: never.

    Raises:
        InputError: They were.
    """
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise InputError(f"it took more than {seconds:g} s: ask for less") from error
    finally:
        timer.cancel()
