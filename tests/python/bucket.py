"""An S3 service of its own (moto) for the tests of anchors in buckets, with what an intruder with its keys can do.

    bucket.py     # prints {"port": N}, then reads commands, one a line of JSON, and answers each with one

Buckets: `kept` has Object Lock with COMPLIANCE by default, `governed` GOVERNANCE, `lockable` no default, `plain` no lock.
Commands: {"do": "names", "bucket"}, {"do": "hide" | "destroy", "bucket", "key"}, {"do": "cover", "bucket", "key", "text"}.
"""

import json
import logging
import socket
import sys

import boto3
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

KEYS = {"aws_access_key_id": "anchor", "aws_secret_access_key": "for tests alone"}


def main():
    logging.getLogger("werkzeug").disabled = True
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said, sys.stdout = sys.stdout, sys.stderr
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", **KEYS)
    for bucket in ("kept", "governed", "lockable"):
        client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    client.create_bucket(Bucket="plain")
    for bucket, mode in (("kept", "COMPLIANCE"), ("governed", "GOVERNANCE")):
        rule = {"DefaultRetention": {"Mode": mode, "Days": 1}}
        lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
    print(json.dumps({"port": port}), file=said, flush=True)
    for line in sys.stdin:
        print(json.dumps(done(client, json.loads(line))), file=said, flush=True)
    server.stop()


def done(client, command):
    bucket, key = command["bucket"], command.get("key")
    try:
        if command["do"] == "names":
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            return {"names": [found["Key"] for page in pages for found in page.get("Contents", [])]}
        if command["do"] == "hide":
            client.delete_object(Bucket=bucket, Key=key)
        if command["do"] == "cover":
            client.put_object(Bucket=bucket, Key=key, Body=command["text"].encode())
        if command["do"] == "destroy":
            version = client.list_object_versions(Bucket=bucket, Prefix=key)["Versions"][-1]["VersionId"]
            client.delete_object(Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True)
    except ClientError as error:
        return {"refused": error.response["Error"]["Code"]}
    return {"refused": None}


main()
