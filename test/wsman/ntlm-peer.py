"""The other side of an authentication, by the system's GSSAPI with gss-ntlmssp: nothing of it is ours.

Takes one JSON object a line and answers each with one; bytes are in hex. The first names the mechanism.
"""

import json
import sys

import gssapi
import gssapi.raw

OIDS = {
    "ntlm": gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10"),
    "spnego": gssapi.OID.from_int_seq("1.3.6.1.5.5.2"),
    "kerberos": gssapi.OID.from_int_seq("1.2.840.113554.1.2.2"),
}
IOV = gssapi.raw.IOVBufferType


class Peer:
    def __init__(self):
        self.context = None

    def start(self, mechanisms, binding=None):
        credentials = gssapi.Credentials(usage="accept", mechs=[OIDS[name] for name in mechanisms])
        bindings = None if binding is None else gssapi.raw.ChannelBindings(application_data=bytes.fromhex(binding))
        self.context = gssapi.SecurityContext(creds=credentials, usage="accept", channel_bindings=bindings)
        return {}

    def accept(self, token):
        answer = self.context.step(bytes.fromhex(token))
        return {"token": answer.hex() if answer else None, "isComplete": self.context.complete}

    def who(self):
        return {"name": str(self.context.initiator_name), "flags": int(self.context.actual_flags)}

    def wrap(self, message):
        return {"message": self.context.wrap(bytes.fromhex(message), True).message.hex()}

    def unwrap(self, message):
        result = self.context.unwrap(bytes.fromhex(message))
        return {"message": result.message.hex(), "isEncrypted": result.encrypted}

    def wrap_iov(self, message):
        iov = gssapi.raw.IOV(IOV.header, bytes.fromhex(message), IOV.padding, std_layout=False)
        gssapi.raw.wrap_iov(self.context, iov)
        header, data, padding = (piece.value or b"" for piece in iov)
        return {"header": header.hex(), "data": (data + padding).hex()}

    def wrap_any(self, message):
        """In pieces where the mechanism can, which NTLM's cannot."""
        return self.wrap(message) if self.context.mech == OIDS["ntlm"] else self.wrap_iov(message)

    def unwrap_iov(self, header, data):
        iov = gssapi.raw.IOV((IOV.header, False, bytes.fromhex(header)), bytes.fromhex(data), (IOV.padding, False, b""), std_layout=False)
        result = gssapi.raw.unwrap_iov(self.context, iov)
        return {"message": iov[1].value.hex(), "isEncrypted": result.encrypted}


def main():
    peer = Peer()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(peer, request.pop("do"))(**request)
        except gssapi.exceptions.GSSError as error:
            answer = {"error": type(error).__name__ + ": " + str(error)}
        print(json.dumps(answer), flush=True)


main()
