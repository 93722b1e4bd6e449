"""Asks a server over TLS, as programs with a certificate or without do.

    tls_client.py STEPS

STEPS is a JSON list. A step has `door` (`http` or `flight`), `address`, the authorities `ca`, and what it may have of
`peer` (a path without its suffixes .pem and .key), `token`, `method`, `path`, `headers`, `body`. Prints what came of each
as a JSON list.
"""

import hashlib
import http.client
import json
import ssl
import sys

import pyarrow.flight as flight


def over_http(step):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(step["ca"])
    if step.get("peer"):
        context.load_cert_chain(step["peer"] + ".pem", step["peer"] + ".key")
    if step.get("oldest"):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    host, port = step["address"].rsplit(":", 1)
    connection = http.client.HTTPSConnection(host, int(port), timeout=20, context=context)
    headers = dict(step.get("headers") or {})
    if step.get("token"):
        headers["authorization"] = "Bearer " + step["token"]
    connection.request(step.get("method", "GET"), step["path"], step.get("body"), headers)
    shown = hashlib.sha256(connection.sock.getpeercert(True)).hexdigest()
    answer = connection.getresponse()
    return {
        "status": answer.status,
        "headers": {name.lower(): value for name, value in answer.getheaders()},
        "body": answer.read().decode(),
        "shown": shown,
        "version": connection.sock.version() if connection.sock else None,
    }


def over_flight(step):
    options = {"tls_root_certs": open(step["ca"], "rb").read()}
    if step.get("peer"):
        options["cert_chain"] = open(step["peer"] + ".pem", "rb").read()
        options["private_key"] = open(step["peer"] + ".key", "rb").read()
    client = flight.connect("grpc+tls://" + step["address"], **options)
    token = b"Bearer " + step.get("token", "").encode()
    call = flight.FlightCallOptions(headers=[(b"authorization", token)], timeout=15)
    return {"flights": len(list(client.list_flights(options=call)))}


def main():
    answers = []
    for step in json.loads(sys.argv[1]):
        try:
            answers.append(over_http(step) if step["door"] == "http" else over_flight(step))
        except (OSError, http.client.HTTPException, flight.FlightError) as error:
            answers.append({"error": f"{type(error).__name__}: {error}"})
    print(json.dumps(answers))


main()
