"""Gives the verdicts of the page's Python functions. Started by `judges.rs` in the folder of the page's blocks.

Standard input is a JSON list of cases: secret, uri, headers, body. Standard output is a JSON list of what each
function says to each.
"""

import json
import sys

sys.path.insert(0, ".")

from library import verify_with_library
from verify import verify_ion, verify_standard

verdicts = []
for case in json.load(sys.stdin.buffer):
    secret, headers, body = case["secret"], case["headers"], case["body"].encode()
    verdicts.append(
        {
            "standard": verify_standard(secret, headers, body),
            "library": verify_with_library(secret, headers, body),
            "ion": verify_ion(secret, case["uri"], headers, body),
        }
    )
json.dump(verdicts, sys.stdout)
