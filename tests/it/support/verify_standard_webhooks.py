"""Verifies deliveries from standard input with the public Python package `standardwebhooks`.

Started by `tests/it/signatures.rs`, which signs them. Each comes as one line of tab-separated fields, secret,
`webhook-id`, `webhook-timestamp`, `webhook-signature` and the body's length in bytes, and then the body. The
answer is one line: `verified` and the package's own signature, or `refused`.
"""

import sys
from datetime import datetime, timezone

from standardwebhooks import Webhook, WebhookVerificationError


def verdict(secret, identifier, timestamp, signature, body):
    webhook = Webhook(secret)
    headers = {
        "webhook-id": identifier,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }
    try:
        webhook.verify(body, headers)
    except WebhookVerificationError:
        return "refused"
    at = datetime.fromtimestamp(int(timestamp), tz=timezone.utc)
    return "verified " + webhook.sign(identifier, at, body.decode("utf-8"))


def main():
    received = sys.stdin.buffer
    while line := received.readline():
        *fields, length = line.decode("utf-8").rstrip("\n").split("\t")
        print(verdict(*fields, received.read(int(length))))


main()
