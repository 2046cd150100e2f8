"""Measures Python's own XML-RPC codec on a document, for codec.ts: codec.py FILE ROUNDS.

Prints the medians of the CPU time, in milliseconds, as one line of JSON.
"""

import json
import statistics
import sys
import time
import xmlrpc.client


def median_ms(work, rounds):
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


path, rounds = sys.argv[1], int(sys.argv[2])
with open(path, "rb") as file:
    document = file.read()
params, _ = xmlrpc.client.loads(document)
print(
    json.dumps(
        {
            "decode": median_ms(lambda: xmlrpc.client.loads(document), rounds),
            "encode": median_ms(lambda: xmlrpc.client.dumps(params, methodresponse=True), rounds),
        }
    )
)
