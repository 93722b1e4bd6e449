"""Talks to Cairn's Arrow Flight port as a researcher's Python would, and prints what happened as JSON.

    flight_client.py --port 8081 --token TOKEN pull STUDY/TABLE
    flight_client.py --port 8081 --token TOKEN list
    flight_client.py --port 8081 pull STUDY/TABLE          # without a token: refused
    flight_client.py --port 8081 each FILE                 # once with each token of a file
    flight_client.py --port 8081 calls FILE                # each call of a file: {"token", "mode", "path", "header"}
    flight_client.py --port 8081 --token TOKEN --columns '{"AESEQ": [1]}' put STUDY/AE
    flight_client.py --port 8081 --token TOKEN --columns '{"AESEQ": [1]}' put '{"study": "T1", "dataset": "AE"}'

A refusal is an answer, not a failure of this script: it prints {"ok": false, "refused": CODE, ...} and ends
with 0. It ends with 2 when it was called wrongly or when nobody listens.
"""

import argparse
import json
import re
import sys

import pyarrow as pa
from pyarrow import flight

# The more particular class comes first; what matches none keeps its class name as code.
REFUSALS = (
    (flight.FlightUnauthenticatedError, "unauthenticated"),
    (flight.FlightUnauthorizedError, "permission_denied"),
    (flight.FlightTimedOutError, "deadline_exceeded"),
    (flight.FlightCancelledError, "cancelled"),
    (flight.FlightInternalError, "internal"),
    (pa.ArrowKeyError, "not_found"),
    (pa.ArrowInvalid, "invalid_argument"),
    (pa.ArrowNotImplementedError, "unimplemented"),
)


def main():
    arguments = parse_arguments()
    client = flight.FlightClient(f"grpc://{arguments.host}:{arguments.port}")
    try:
        answer = {"ok": True, **MODES[arguments.mode](client, call_options(arguments), arguments)}
    except flight.FlightUnavailableError as error:
        print(f"nobody answers on {arguments.host}:{arguments.port}: {error}", file=sys.stderr)
        return 2
    except pa.ArrowException as error:
        answer = {"ok": False, "refused": code_of(error), "message": said(error)}
    except OSError as error:  # GetSchema does not sort refusals into classes; its text says which it was
        answer = {"ok": False, "refused": code_in(str(error)), "message": said(error)}
    except KeyError as error:  # pyarrow's own class for "not found" is also a KeyError
        answer = {"ok": False, "refused": "not_found", "message": said(error)}
    json.dump(answer, sys.stdout, default=str)
    print()
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", help="the bearer token; without it the call carries none")
    parser.add_argument("--header", action="append", default=[], metavar="NAME=VALUE", help="one more header")
    parser.add_argument("--limit", type=int, default=5, help="how many rows to print")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for one call")
    parser.add_argument("--columns", type=json.loads, help="what `put` sends: JSON of columns")
    parser.add_argument("mode", choices=sorted(MODES))
    parser.add_argument("path", nargs="?", help="STUDY/TABLE; for `ticket` the ticket itself, for `each` a file")
    arguments = parser.parse_args()
    if arguments.path is None and arguments.mode != "list":
        parser.error(f"`{arguments.mode}` needs a path")
    return arguments


def call_options(arguments):
    headers = [tuple(part.encode() for part in header.split("=", 1)) for header in arguments.header]
    if arguments.token is not None:
        headers.append((b"authorization", f"Bearer {arguments.token}".encode()))
    return flight.FlightCallOptions(headers=headers, timeout=arguments.timeout)


def list_flights(client, options, _arguments):
    infos = client.list_flights(options=options)
    return {
        "flights": [
            {
                "path": [part.decode() for part in info.descriptor.path or []],
                "rows": info.total_records,
                "bytes": info.total_bytes,
                **columns(info.schema),
            }
            for info in infos
        ]
    }


def schema(client, options, arguments):
    return columns(client.get_schema(descriptor(arguments), options).schema)


def info(client, options, arguments):
    found = client.get_flight_info(descriptor(arguments), options)
    return {
        "rows": found.total_records,
        "bytes": found.total_bytes,
        "tickets": [endpoint.ticket.ticket.decode() for endpoint in found.endpoints],
        **columns(found.schema),
    }


def pull(client, options, arguments):
    found = client.get_flight_info(descriptor(arguments), options)
    tables = [client.do_get(endpoint.ticket, options).read_all() for endpoint in found.endpoints]
    table = pa.concat_tables(tables)
    promised = found.schema.equals(table.schema, check_metadata=True)
    return {"as_promised": promised, **contents(table, arguments.limit)}


def ticket(client, options, arguments):
    return contents(client.do_get(flight.Ticket(arguments.path.encode()), options).read_all(), arguments.limit)


def put(client, options, arguments):
    table = pa.table(arguments.columns)
    writer, answers = client.do_put(descriptor(arguments), table.schema, options)
    with writer:
        writer.write_table(table)
        writer.done_writing()
        answer = answers.read()
    return {"receipt": json.loads(answer.to_pybytes())}


def each(client, _options, arguments):
    """Calls once with each token of a file, one a line, and gives what came of it."""
    answers = []
    with open(arguments.path, encoding="ascii") as tokens:
        for token in tokens.read().splitlines():
            headers = [(b"authorization", f"Bearer {token}".encode())]
            options = flight.FlightCallOptions(headers=headers, timeout=arguments.timeout)
            try:
                list(client.list_flights(options=options))
                answers.append({"ok": True})
            except pa.ArrowException as error:
                answers.append({"ok": False, "refused": code_of(error), "message": said(error)})
    return {"answers": answers}


def calls(client, _options, arguments):
    """Makes each call of a file, one a line, and gives what came of it."""
    answers = []
    with open(arguments.path, encoding="utf-8") as lines:
        for line in lines:
            call = json.loads(line)
            name, value = call["header"]
            headers = [(name.encode(), value.encode()), (b"authorization", f"Bearer {call['token']}".encode())]
            options = flight.FlightCallOptions(headers=headers, timeout=arguments.timeout)
            asked = argparse.Namespace(path=call["path"], limit=arguments.limit, columns={"AESEQ": [1]})
            try:
                answers.append({"ok": True, **MODES[call["mode"]](client, options, asked)})
            except pa.ArrowException as error:
                answers.append({"ok": False, "refused": code_of(error), "message": said(error)})
    return {"answers": answers}


def descriptor(arguments):
    if arguments.path.startswith("{"):
        return flight.FlightDescriptor.for_command(arguments.path.encode())
    return flight.FlightDescriptor.for_path(*arguments.path.split("/"))


def contents(table, limit):
    return {
        "rows": table.num_rows,
        "bytes": table.nbytes,
        **columns(table.schema),
        "first": table.slice(0, limit).to_pylist(),
    }


def columns(found):
    return {"columns": found.names, "types": [str(kind) for kind in found.types],
            "nullable": [field.nullable for field in found]}


def said(error):
    """What the server said, without what the client library puts around it."""
    found = re.search(r"with message: (.*?)(?:\. (?:gRPC client debug context|Detail): .*)?$", str(error), re.DOTALL)
    return found.group(1) if found else str(error)


def code_in(text):
    detail = re.search(r"Detail: (\w+)", text)
    return detail.group(1).lower() if detail else "unknown"


def code_of(error):
    matching = (code for kind, code in REFUSALS if isinstance(error, kind))
    return next(matching, type(error).__name__)


MODES = {"pull": pull, "list": list_flights, "schema": schema, "info": info, "ticket": ticket, "put": put, "each": each,
         "calls": calls}

if __name__ == "__main__":
    sys.exit(main())
