"""Runs the developer guide's verification function on documents from standard input.

Started by `tests/it/signatures.rs`, which signs the documents. Each comes as one line of tab-separated
fields, secret, URL, signature and the document's length in bytes, and then the document: the text of a
delivery's `data`. The answer is one line: `verified`, `rejected` and what the function would have signed, or
`raised` and the exception's name.
"""

import base64
import hmac
import hashlib
import json
import sys


# As printed in the guide, letter by letter.
def verify_signature(secret: str, url: str, data: dict, header_signature: str) -> bool:
    params = [f"{k}:{v}" for k, v in sorted(data.items()) if v is not None]
    signed = f"{url}?{'&'.join(params)}".encode("utf-8")
    expected = base64.b64encode(
        hmac.new(secret.encode("utf-8"), signed, hashlib.sha1).digest()
    ).decode()
    return hmac.compare_digest(expected, header_signature)


def verdict(secret, url, signature, document):
    try:
        data = json.loads(document)
        if verify_signature(secret, url, data, signature):
            return "verified"
        params = [f"{k}:{v}" for k, v in sorted(data.items()) if v is not None]
        return "rejected " + ascii("&".join(params))[:500]
    except Exception as error:
        return "raised " + type(error).__name__


def main():
    received = sys.stdin.buffer
    while line := received.readline():
        secret, url, signature, length = line.decode("utf-8").rstrip("\n").split("\t")
        document = received.read(int(length)).decode("utf-8")
        print(verdict(secret, url, signature, document))


main()
