"""Python's own XML-RPC codec as a peer for xmlrpc-python.test.ts.

Reads a JSON array of documents in base64 from standard input, and answers with a JSON array of the same length: what
Python reads in each document, kind and text of every value, and the document that it writes for that.
"""

import base64
import json
import sys
import xmlrpc.client


def show(value):
    if value is None:
        return ["nil"]
    if isinstance(value, bool):
        return ["boolean", value]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["double", value.hex()]
    if isinstance(value, str):
        return ["string", value]
    if isinstance(value, xmlrpc.client.DateTime):
        return ["dateTime", value.value]
    if isinstance(value, xmlrpc.client.Binary):
        return ["base64", value.data.hex()]
    if isinstance(value, (list, tuple)):
        return ["array", [show(item) for item in value]]
    return ["struct", sorted([name, show(member)] for name, member in value.items())]


def dump_int(self, value, write):
    # Python refuses what is beyond 32 bits, where i8 has long been usual.
    name = "int" if -(2**31) <= value < 2**31 else "i8"
    write("<value><%s>%d</%s></value>\n" % (name, value, name))


xmlrpc.client.Marshaller.dispatch[int] = dump_int


def answer(document):
    params, method = xmlrpc.client.loads(document)
    if method is None:
        written = xmlrpc.client.dumps(params, methodresponse=True, allow_none=True)
    else:
        written = xmlrpc.client.dumps(params, methodname=method, allow_none=True)
    return {"method": method, "read": show(params), "written": base64.b64encode(written.encode()).decode()}


json.dump([answer(base64.b64decode(text)) for text in json.load(sys.stdin)], sys.stdout)
