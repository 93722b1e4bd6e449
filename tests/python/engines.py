"""Runs queries on DuckDB and compares their rows with those that another engine gave, and with the published table.

python engines.py CATALOGUE.duckdb FOLDER

FOLDER holds NAME.sql and NAME.json (an array of objects) for the query of each table NAME. Rows are compared without their order, numbers
to nine digits. Prints one JSON object: for each query its number of rows, or what differs.
"""

import datetime
import decimal
import json
import math
import pathlib
import sys

import duckdb


def plain(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def order(row):
    """Rows in the order of what is exact in them, then of what is not."""
    exact = [(value is not None, str(value)) for value in row if not isinstance(value, float)]
    rough = [f"{value:.6g}" for value in row if isinstance(value, float)]
    return exact, rough


def same(left, right):
    if isinstance(left, float) or isinstance(right, float):
        if left is None or right is None:
            return left is right
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
    return left == right


def compare(query, theirs, connection):
    result = connection.execute(query)
    columns = [column[0] for column in result.description]
    ours = [[plain(value) for value in row] for row in result.fetchall()]
    if theirs and sorted(theirs[0]) != sorted(columns):
        return f"columns {sorted(theirs[0])} instead of {sorted(columns)}"
    floats = {i for row in ours for i, value in enumerate(row) if isinstance(value, float)}
    number = lambda i, value: float(value) if i in floats and value is not None else value
    theirs = [[number(i, row[column]) for i, column in enumerate(columns)] for row in theirs]
    ours = [[number(i, value) for i, value in enumerate(row)] for row in ours]
    if len(ours) != len(theirs):
        return f"{len(theirs)} rows instead of {len(ours)}"
    for left, right in zip(sorted(ours, key=order), sorted(theirs, key=order)):
        for column, a, b in zip(columns, left, right):
            if not same(a, b):
                return f"{column}: {b!r} instead of {a!r} in {left}"
    return len(ours)


def main():
    catalogue, folder = sys.argv[1:]
    connection = duckdb.connect(catalogue, read_only=True)
    connection.execute("SET search_path = 'star,marts'")
    answers = {}
    for path in sorted(pathlib.Path(folder).glob("*.sql")):
        theirs = json.loads(path.with_suffix(".json").read_text())
        asked = compare(path.read_text(), theirs, connection)
        published = compare(f'SELECT * FROM "{path.stem}"', theirs, connection)
        answers[path.stem] = asked if asked == published else f"{asked} asked, {published} published"
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
