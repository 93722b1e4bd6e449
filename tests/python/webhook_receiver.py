"""A receiver of webhooks, as docs/webhooks.md shows it, with nothing but the standard library.

Usage: webhook_receiver.py SECRET[,SECRET…] FILE

Reads from FILE one request a line, as JSON with `headers` and `body` (base 64), and prints as JSON whether each verifies
under each secret, and whether it still does after a byte of its body was changed.
"""

import base64
import hashlib
import hmac
import json
import sys


def verified(secret: str, headers, body: bytes, now: float) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message_id, sent_at = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(now - int(sent_at)) > 300:
        return False
    digest = hmac.new(key, f"{message_id}.{sent_at}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    given = headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(expected, signature) for signature in given)


def main() -> None:
    secrets, path = sys.argv[1].split(","), sys.argv[2]
    answers = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            request = json.loads(line)
            headers, body = request["headers"], base64.b64decode(request["body"])
            now = request["received_at"]
            answers.append(
                {
                    "verified": [verified(secret, headers, body, now) for secret in secrets],
                    "changed": any(verified(secret, headers, body + b" ", now) for secret in secrets),
                    "late": any(verified(secret, headers, body, now + 3600) for secret in secrets),
                    "message": json.loads(body),
                }
            )
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
