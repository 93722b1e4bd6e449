"""Reads a whole table over Arrow Flight and over REST, and prints as JSON whether both gave the same rows.

    same_rows.py --http http://127.0.0.1:8080 --http-token T --flight-port 8081 --flight-token U STUDY/TABLE

Rows are compared one by one in the order in which they came, and every cell exactly: numbers are parsed here
from the text that REST sent. A cell that is null over Flight may be absent from a REST row.
"""

import argparse
import datetime
import decimal
import json
import sys
import urllib.parse
import urllib.request

from pyarrow import flight

PAGE = 1000
SHOWN = 10
ABSENT = object()


def main():
    arguments = parse_arguments()
    study, table = arguments.table.split("/")
    columns, by_flight = pull(arguments, study, table)
    by_rest = read(arguments, study, table)
    found = list(differences(columns, by_flight, by_rest))
    json.dump({
        "columns": columns,
        "flight_rows": len(by_flight),
        "rest_rows": len(by_rest),
        "difference_count": len(found),
        "differences": found[:SHOWN],
    }, sys.stdout, default=str)
    print()
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--http", required=True, help="the address of REST")
    parser.add_argument("--http-token", required=True)
    parser.add_argument("--flight-port", type=int, required=True)
    parser.add_argument("--flight-token", required=True)
    parser.add_argument("table", help="STUDY/TABLE")
    return parser.parse_args()


def pull(arguments, study, table):
    client = flight.FlightClient(f"grpc://127.0.0.1:{arguments.flight_port}")
    bearer = (b"authorization", f"Bearer {arguments.flight_token}".encode())
    options = flight.FlightCallOptions(headers=[bearer], timeout=60)
    info = client.get_flight_info(flight.FlightDescriptor.for_path(study, table), options)
    rows, names = [], None
    for endpoint in info.endpoints:
        part = client.do_get(endpoint.ticket, options).read_all()
        names = part.schema.names
        rows += part.to_pylist()
    return names, rows


def read(arguments, study, table):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    path = f"/api/v1/studies/{urllib.parse.quote(study)}/tables/{urllib.parse.quote(table)}"
    rows, cursor = [], ""
    while cursor is not None:
        request = urllib.request.Request(
            f"{arguments.http}{path}?format=json&limit={PAGE}{cursor}",
            headers={"authorization": f"Bearer {arguments.http_token}"})
        with opener.open(request, timeout=60) as answer:
            page = json.load(answer, parse_float=decimal.Decimal)
        rows += page["rows"]
        cursor = f"&cursor={page['next']}" if page.get("next") else None
    return rows


def differences(columns, by_flight, by_rest):
    if len(by_flight) != len(by_rest):
        yield f"{len(by_flight)} rows over Flight, {len(by_rest)} over REST"
    for number, (ours, theirs) in enumerate(zip(by_flight, by_rest)):
        for name in [*columns, *(name for name in theirs if name not in columns)]:
            cell, text = ours.get(name, ABSENT), theirs.get(name)
            if cell is ABSENT or not same(cell, text):
                yield f"row {number}, `{name}`: {cell!r} over Flight, {text!r} over REST"


def same(cell, sent):
    if cell is None or sent is None:
        return cell is None and sent is None
    if isinstance(cell, datetime.datetime):
        return cell == datetime.datetime.fromisoformat(sent)
    if isinstance(cell, datetime.date):
        return cell.isoformat() == sent
    if isinstance(cell, bytes):
        return cell.hex() == sent
    is_number = isinstance(sent, (int, decimal.Decimal)) and not isinstance(sent, bool)
    if isinstance(cell, float):
        return is_number and float(sent) == cell
    if isinstance(cell, decimal.Decimal):
        return is_number and sent == cell
    return type(cell) is type(sent) and cell == sent


if __name__ == "__main__":
    sys.exit(main())
