"""A host that speaks WS-Management with sealed messages, and of which nothing is ours: Python's own HTTP, MIME and XML, and
the system's GSSAPI, with gss-ntlmssp or Kerberos behind it. It is as small as one conversation of each kind needs, takes
requests as strictly as Windows does, and answers in turns that Windows does not have: prefixes of its own, pieces of HTTP,
UTF-16.

Takes its options as JSON in the first argument, says its port in the first line of its output, and ends with its input.
"""

import base64
import hashlib
import json
import re
import ssl
import struct
import sys
import threading
import uuid
import xml.etree.ElementTree as ET
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import gssapi
import gssapi.raw

OPTIONS = json.loads(sys.argv[1])
OIDS = {"ntlm": "1.3.6.1.4.1.311.2.2.10", "spnego": "1.3.6.1.5.5.2", "kerberos": "1.2.840.113554.1.2.2"}
MECHANISM = gssapi.OID.from_int_seq(OIDS[OPTIONS["mechanism"]])
IOV = gssapi.raw.IOVBufferType

S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
N = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
P = "{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
ID = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}"
V2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/"
MACHINE = V2 + "Msvm_ComputerSystem"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
UNDERSTOOD = {A + "Action", A + "ReplyTo", A + "Address", W + "ResourceURI", W + "MaxEnvelopeSize", W + "OperationTimeout"}


class Fault(Exception):
    def __init__(self, subcode, text):
        super().__init__(text)
        self.subcode = subcode


def element(tag, *children, **attributes):
    made = ET.Element(tag, attributes)
    for child in children:
        if isinstance(child, str):
            made.text = child
        else:
            made.append(child)
    return made


class Sealing:
    """[MS-WSMV] 2.2.9.1, with the streams of one connection."""

    def __init__(self, context):
        self.context = context
        name = "Kerberos" if OPTIONS["scheme"] == "Kerberos" else "SPNEGO"
        self.protocol = f"application/HTTP-{name}-session-encrypted"

    def open(self, content_type, body):
        declared = Message()
        declared["Content-Type"] = content_type
        assert declared.get_content_type() == "multipart/encrypted", content_type
        assert declared.get_param("protocol") == self.protocol, content_type
        boundary = b"--" + declared.get_param("boundary").encode()
        head = re.match(
            re.escape(boundary) + rb"\r\n\tContent-Type: " + re.escape(self.protocol.encode()) + rb"\r\n"
            rb"\tOriginalContent: type=application/soap\+xml;charset=(?:UTF-8|UTF-16);Length=(\d+)\r\n"
            + re.escape(boundary) + rb"\r\n\tContent-Type: application/octet-stream\r\n",
            body,
        )
        end = boundary + b"--\r\n"
        assert head and body.endswith(end), body[:300]
        payload = body[head.end():-len(end)]
        (size,) = struct.unpack_from("<I", payload)
        message = self.unwrap(payload[4:4 + size], payload[4 + size:])
        assert len(message) == int(head[1]), "it is not as long as it says"
        return message

    def seal(self, message, charset):
        signature, data = self.wrap(message)
        lines = [
            "--Sealed",
            f"\tContent-Type: {self.protocol}",
            f"\tOriginalContent: type=application/soap+xml;charset={charset};Length={len(message)}",
            "--Sealed",
            "\tContent-Type: application/octet-stream",
            "",
        ]
        head = "\r\n".join(lines).encode()
        body = head + struct.pack("<I", len(signature)) + signature + data + b"--Sealed--\r\n"
        return f'multipart/encrypted;protocol="{self.protocol}";boundary="Sealed"', body

    def is_kerberos(self):
        return self.context.mech == gssapi.OID.from_int_seq(OIDS["kerberos"])

    def unwrap(self, signature, data):
        if not self.is_kerberos():
            assert len(signature) == 16, "NTLM has signatures of 16 bytes"
            opened = self.context.unwrap(signature + data)
            assert opened.encrypted
            return opened.message
        iov = gssapi.raw.IOV((IOV.header, False, signature), data, (IOV.padding, False, b""), std_layout=False)
        assert gssapi.raw.unwrap_iov(self.context, iov).encrypted
        return iov[1].value

    def wrap(self, message):
        if not self.is_kerberos():
            sealed = self.context.wrap(message, True).message
            return sealed[:16], sealed[16:]
        iov = gssapi.raw.IOV(IOV.header, message, IOV.padding, std_layout=False)
        gssapi.raw.wrap_iov(self.context, iov)
        header, data, padding = (piece.value or b"" for piece in iov)
        return header, data + padding


class Service:
    """What is behind the envelopes: machines in a namespace of WMI."""

    def __init__(self):
        self.names = [f"machine {number}" for number in range(OPTIONS["machines"])]
        self.open = {}
        self.lock = threading.Lock()

    def answer(self, text):
        """An envelope for an envelope, and whether it is a fault."""
        envelope = ET.fromstring(text)
        header, body = envelope.find(S + "Header"), envelope.find(S + "Body")
        action = header.findtext(A + "Action", "")
        try:
            with self.lock:
                content, is_fault = self.carry_out(action, header, body), False
        except Fault as fault:
            content, is_fault = self.describe(fault), True
        return self.envelope(header, action, content), is_fault

    def carry_out(self, action, header, body):
        if body.find(ID + "Identify") is not None:
            said = {"ProtocolVersion": W[1:-1], "ProductVendor": "Nobody of us", "ProductVersion": f"{len(self.open)} enumerations"}
            return element(ID + "IdentifyResponse", *(element(ID + name, text) for name, text in said.items()))
        self.check(header)
        uri = header.findtext(W + "ResourceURI")
        verb = action.rpartition("/")[2]
        if action.startswith(N[1:-1]):
            return getattr(self, verb.lower())(body[0], uri)
        if verb == "Get":
            return self.machine(self.selected(header))
        if action == f"{uri}/{verb}" and body[0].tag == f"{{{uri}}}{verb}_INPUT":
            return self.invoke(verb, body[0], uri, header)
        raise Fault(A + "ActionNotSupported", action)

    def check(self, header):
        for part in header:
            is_vital = part.get(S + "mustUnderstand", "false") == "true"
            if is_vital and part.tag not in UNDERSTOOD:
                raise Fault(S + "MustUnderstand", part.tag)
        if header.findtext(f"{A}ReplyTo/{A}Address") != ANONYMOUS or header.findtext(A + "To") is None:
            raise Fault(A + "MessageInformationHeaderRequired", "where to?")
        if not re.fullmatch(r"uuid:[0-9A-F-]{36}", header.findtext(A + "MessageID", "")):
            raise Fault(A + "InvalidMessageInformationHeader", "MessageID")
        if not re.fullmatch(r"PT\d+(\.\d+)?S", header.findtext(W + "OperationTimeout", "PT1S")):
            raise Fault(W + "InvalidParameter", "OperationTimeout")

    def enumerate(self, asked, uri):
        query = asked.find(W + "Filter")
        if not uri.endswith("/*") or query is None or not query.get("Dialect").endswith("/WQL"):
            raise Fault(N + "CannotProcessFilter", "only queries are taken")
        wanted = re.search(r"Name = '((?:[^'\\]|\\.)*)'", query.text)
        names = self.names if wanted is None else [name for name in self.names if name == re.sub(r"\\(.)", r"\1", wanted[1])]
        mode = asked.findtext(W + "EnumerationMode")
        return self.page("EnumerateResponse", W, names, (1, mode))

    def pull(self, asked, uri):
        names, mode = self.take(asked)
        return self.page("PullResponse", N, names, (min(int(asked.findtext(N + "MaxElements", "1")), OPTIONS["batch"]), mode))

    def release(self, asked, uri):
        self.take(asked)

    def take(self, asked):
        try:
            return self.open.pop(asked.findtext(N + "EnumerationContext"))
        except KeyError:
            raise Fault(N + "InvalidEnumerationContext", "no such enumeration") from None

    def page(self, name, namespace, names, how):
        count, mode = how
        items = element(namespace + "Items", *(self.item(name, mode) for name in names[:count]))
        response = element(N + name, items)
        if names[count:]:
            context = f"uuid:{uuid.uuid4()}".upper()
            self.open[context] = (names[count:], mode)
            response.insert(0, element(N + "EnumerationContext", context))
        else:
            response.append(element(namespace + "EndOfSequence"))
        return response

    def item(self, name, mode):
        return self.machine(name) if mode is None else element(A + "EndpointReference", *self.reference(name))

    def machine(self, name):
        if name not in self.names:
            raise Fault(A + "DestinationUnreachable", "no such machine")
        own = f"{{{MACHINE}}}"
        return element(
            own + "Msvm_ComputerSystem",
            element(own + "Caption", **{XSI + "nil": "true"}),
            element(own + "ElementName", name),
            *(element(own + "OperationalStatus", status) for status in ("2", "32769")),
            element(own + "OnTimeInMilliseconds", str(2**64 - 1)),
        )

    def reference(self, name):
        selectors = element(W + "SelectorSet", element(W + "Selector", name, Name="Name"))
        return element(A + "Address", ANONYMOUS), element(A + "ReferenceParameters", element(W + "ResourceURI", MACHINE), selectors)

    def selected(self, header):
        return {part.get("Name"): part.text for part in header.iterfind(f"{W}SelectorSet/{W}Selector")}.get("Name")

    def invoke(self, verb, asked, uri, header):
        own = f"{{{uri}}}"
        if verb == "DefineSystem":
            settings = ET.fromstring(asked.findtext(own + "SystemSettings"))
            given = {part.get("NAME"): (part.get("TYPE"), part.findtext("VALUE")) for part in settings}
            kind, name = given["ElementName"]
            assert settings.get("CLASSNAME") == "Msvm_VirtualSystemSettingData" and kind == "string"
            self.names.append(name)
            out = [element(own + "ResultingSystem", *self.reference(name))]
        elif verb == "RequestStateChange":
            assert self.selected(header) in self.names and asked.findtext(own + "RequestedState").isdigit()
            out = [element(own + "Job", **{XSI + "nil": "true"})]
        else:
            raise Fault(A + "ActionNotSupported", verb)
        return element(f"{own}{verb}_OUTPUT", *out, element(own + "ReturnValue", "0"))

    def describe(self, fault):
        namespace, _, name = fault.subcode[1:].partition("}")
        value = element(S + "Value", f"q:{name}", **{"xmlns:q": namespace})
        code = element(S + "Code", element(S + "Value", "SOAP:Sender", **{"xmlns:SOAP": S[1:-1]}), element(S + "Subcode", value))
        return element(S + "Fault", code, element(S + "Reason", element(S + "Text", str(fault))))

    def envelope(self, header, action, content):
        said = [
            element(A + "RelatesTo", header.findtext(A + "MessageID", "")),
            element(A + "MessageID", f"uuid:{uuid.uuid4()}"),
            element(A + "Action", f"{action}Response"),
        ]
        body = element(S + "Body", *([] if content is None else [content]))
        return element(S + "Envelope", element(S + "Header", *said), body)


SERVICE = Service()


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sealing = None
    context = None
    replies = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == OPTIONS["scheme"] and token:
            return self.log_on(base64.b64decode(token, validate=True))
        content_type = self.headers["Content-Type"]
        is_sealed = content_type.startswith("multipart/encrypted")
        if self.sealing is None or is_sealed == ("tls" in OPTIONS):
            return self.refuse()
        try:
            text = self.sealing.open(content_type, body) if is_sealed else body
        except (AssertionError, gssapi.exceptions.GSSError) as error:
            self.close_connection = True
            return self.respond(400, "text/plain", str(error).encode())
        answer, is_fault = SERVICE.answer(text)
        self.replies += 1
        # Every other answer is in UTF-16, as Windows may write it too.
        charset = "UTF-16" if self.replies % 2 == 0 else "UTF-8"
        envelope = ET.tostring(answer, encoding=charset, xml_declaration=True)
        content_type = f"application/soap+xml;charset={charset}"
        if is_sealed:
            content_type, envelope = self.sealing.seal(envelope, charset)
        return self.respond(500 if is_fault else 200, content_type, envelope)

    def log_on(self, token):
        if self.context is None:
            credentials = gssapi.Credentials(usage="accept", mechs=[MECHANISM])
            self.context = gssapi.SecurityContext(creds=credentials, usage="accept", channel_bindings=BINDINGS)
        try:
            answer = self.context.step(token)
        except gssapi.exceptions.GSSError:
            return self.refuse()
        if self.context.complete:
            self.sealing = Sealing(self.context)
        said = f"{OPTIONS['scheme']} {base64.b64encode(answer).decode()}" if answer else None
        return self.respond(200 if self.context.complete else 401, None, b"", said)

    def refuse(self):
        self.close_connection = True
        self.respond(401, None, b"", OPTIONS["scheme"])

    def respond(self, status, content_type, body, challenge=None):
        self.send_response(status)
        if challenge is not None:
            self.send_header("WWW-Authenticate", challenge)
        if self.close_connection:
            self.send_header("Connection", "close")
        if content_type is None:
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(body), 1000):
            piece = body[at:at + 1000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        return self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


BINDINGS = None
server = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
if "tls" in OPTIONS:
    with open(OPTIONS["tls"]["cert"], encoding="ascii") as file:
        certificate = ssl.PEM_cert_to_DER_cert(file.read())
    BINDINGS = gssapi.raw.ChannelBindings(application_data=b"tls-server-end-point:" + hashlib.sha256(certificate).digest())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(OPTIONS["tls"]["cert"], OPTIONS["tls"]["key"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
