"""A client of WinRM whose security is none of ours: GSSAPI of the system, or the NTLM of python3-ntlm-auth.

Reads one request in JSON a line and answers each with one line. Run by foreign-client.ts.
"""

import base64
import hashlib
import http.client
import json
import ssl
import struct
import sys

import gssapi
from gssapi.raw import IOV, IOVBufferType, acquire_cred_with_password, unwrap_iov, wrap_iov
from gssapi.raw.chan_bindings import ChannelBindings

KERBEROS = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2")
SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
NTLM = gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")
FLAGS = (
    gssapi.RequirementFlag.mutual_authentication
    | gssapi.RequirementFlag.confidentiality
    | gssapi.RequirementFlag.integrity
)


class Gss:
    """A context of GSSAPI; NTLM has a signature of a fixed size, Kerberos is asked for its parts."""

    def __init__(self, mech, by, request, channel):
        creds = None
        if "password" in request:
            name = gssapi.Name(request["user"], gssapi.NameType.user)
            mechs = [mech] if mech != SPNEGO else [SPNEGO, NTLM]
            creds = gssapi.Credentials(acquire_cred_with_password(name, request["password"].encode(), mechs=mechs).creds)
            if mech == SPNEGO:
                gssapi.raw.set_neg_mechs(creds, [NTLM])
        target = gssapi.Name("HTTP@localhost", gssapi.NameType.hostbased_service)
        self.is_ntlm = by in ("ntlm", "spnego-ntlm")
        flags = FLAGS if request.get("seals", True) else gssapi.RequirementFlag.mutual_authentication
        self.context = gssapi.SecurityContext(
            name=target, creds=creds, mech=mech, usage="initiate", flags=flags, channel_bindings=channel
        )

    def step(self, token):
        return None if self.context.complete else self.context.step(token)

    def seal(self, message):
        if self.is_ntlm:
            sealed = self.context.wrap(message, True).message
            return sealed[:16], sealed[16:]
        iov = IOV(IOVBufferType.header, message, IOVBufferType.padding, std_layout=False)
        wrap_iov(self.context, iov, confidential=True)
        return iov[0].value, iov[1].value + (iov[2].value or b"")

    def unseal(self, header, data):
        if self.is_ntlm:
            return self.context.unwrap(header + data).message
        iov = IOV((IOVBufferType.header, False, header), (IOVBufferType.data, False, data), std_layout=False)
        unwrap_iov(self.context, iov)
        return iov[1].value


def der(tag, *content):
    inside = b"".join(content)
    if len(inside) < 0x80:
        return bytes([tag, len(inside)]) + inside
    length = len(inside).to_bytes((len(inside).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 + len(length)]) + length + inside


def read_der(data):
    length, start = data[1], 2
    if length >= 0x80:
        start += length - 0x80
        length = int.from_bytes(data[2:start], "big")
    return data[0], data[start : start + length], data[start + length :]


class SpnegoAroundNtlmAuth:
    """What PowerShell and pyspnego do: NTLM in SPNEGO, the list of mechanisms signed, the streams begun anew."""

    NTLM_OID = bytes.fromhex("060a2b06010401823702020a")
    KERBEROS_OID = bytes.fromhex("06092a864886f712010202")

    def __init__(self, request, channel):
        from ntlm_auth.ntlm import NtlmContext

        user, domain = request["user"], ""
        if "\\" in user:
            domain, user = user.split("\\", 1)
        self.ntlm = NtlmContext(user, request["password"], domain)
        self.ntlm._server_certificate_hash = channel
        self.list = der(0x30, *([self.KERBEROS_OID] if request.get("prefersKerberos") else []), self.NTLM_OID)
        self.prefers_kerberos = request.get("prefersKerberos", False)
        self.with_mic = request.get("mic", True)
        self.forges_list = request.get("forgesList", False)
        self.stage = 0

    def step(self, token):
        self.stage += 1
        if self.stage == 1:
            inner = b"not understood" if self.prefers_kerberos else self.ntlm.step()
            init = der(0x30, der(0xA0, self.list), der(0xA2, der(0x04, inner)))
            return der(0x60, bytes.fromhex("06062b0601050502"), der(0xA0, init))
        fields = self.fields(token)
        if self.prefers_kerberos and self.stage == 2:
            assert fields[0xA0] == b"\x0a\x01\x03" and fields[0xA1] == self.NTLM_OID, fields
            return der(0xA1, der(0x30, der(0xA2, der(0x04, self.ntlm.step()))))
        if not self.ntlm.complete:
            inner = self.ntlm.step(read_der(fields[0xA2])[1])
            parts = [der(0xA2, der(0x04, inner))]
            if self.with_mic:
                signed = self.list[:-1] + b"?" if self.forges_list else self.list
                parts.append(der(0xA3, der(0x04, self.security._get_signature(signed))))
            return der(0xA1, der(0x30, *parts))
        assert fields[0xA0] == b"\x0a\x01\x00", fields
        if self.with_mic:
            self.security._verify_signature(self.list, read_der(fields[0xA3])[1])
            self.restart()
        return None

    def restart(self):
        from ntlm_auth.compute_keys import get_seal_key
        from ntlm_auth.constants import SignSealConstants
        from ntlm_auth.rc4 import ARC4

        flags, key = self.security.negotiate_flags, self.security_key
        self.security.outgoing_handle = ARC4(get_seal_key(flags, key, SignSealConstants.CLIENT_SEALING))
        self.security.incoming_handle = ARC4(get_seal_key(flags, key, SignSealConstants.SERVER_SEALING))

    @property
    def security(self):
        return self.ntlm._session_security

    @property
    def security_key(self):
        return self.ntlm.session_key

    def seal(self, message):
        data, header = self.security.wrap(message)
        return header, data

    def unseal(self, header, data):
        return self.security.unwrap(data, header)

    @staticmethod
    def fields(token):
        tag, content, _ = read_der(token)
        assert tag == 0xA1, token
        _, rest, _ = read_der(content)
        fields = {}
        while rest:
            tag, value, rest = read_der(rest)
            fields[tag] = value
        return fields


class Client:
    def open(self, request):
        port = request["port"]
        if request.get("tls"):
            context = ssl._create_unverified_context()
            self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.connection.connect()
        self.connection.auto_open = 0
        return {}

    def logon(self, request):
        by = request["by"]
        self.scheme = "Kerberos" if by == "kerberos" else "Negotiate"
        digest = self.certificate_digest(request.get("channel"))
        if by == "ntlm-auth":
            self.security = SpnegoAroundNtlmAuth(request, digest and digest.hex().upper())
        else:
            mech = {"ntlm": NTLM, "kerberos": KERBEROS}.get(by, SPNEGO)
            bindings = digest and ChannelBindings(application_data=b"tls-server-end-point:" + digest)
            self.security = Gss(mech, by, request, bindings)
        statuses, token = [], self.security.step(None)
        while token is not None:
            status, headers, _ = self.exchange(b"", {"Authorization": f"{self.scheme} {base64.b64encode(token).decode()}"})
            statuses.append(status)
            answers = [value for name, value in headers if name.lower() == "www-authenticate"]
            if status == 401 and (len(answers) != 1 or " " not in answers[0]):
                return {"statuses": statuses, "offers": answers}
            answer = answers[0].split(" ", 1)[1] if answers else None
            token = self.security.step(base64.b64decode(answer)) if answer else None
        return {"statuses": statuses}

    def certificate_digest(self, channel):
        if channel is None:
            return None
        certificate = self.connection.sock.getpeercert(True)
        return hashlib.sha256(certificate if channel == "right" else b"another certificate").digest()

    def ask(self, request):
        header, data = self.security.seal(request["body"].encode(request.get("charset", "utf-8")))
        protocol = request.get("protocol", "Kerberos" if self.scheme == "Kerberos" else "SPNEGO")
        charset = request.get("charset", "utf-8").upper()
        media = f"application/HTTP-{protocol}-session-encrypted"
        if "spoil" in request:
            spoilt = bytearray(data)
            spoilt[request["spoil"]] ^= 1
            data = bytes(spoilt)
        head = (
            f"--Encrypted Boundary\r\n\tContent-Type: {media}\r\n"
            f"\tOriginalContent: type=application/soap+xml;charset={charset};Length={len(data)}\r\n"
            "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
        ).encode()
        body = head + struct.pack("<I", len(header)) + header + data + b"--Encrypted Boundary--\r\n"
        self.last = body, {"Content-Type": f'multipart/encrypted;protocol="{media}";boundary="Encrypted Boundary"'}
        return self.told(*self.exchange(*self.last))

    def repeat(self, _request):
        """Sends the last sealed message again, byte for byte."""
        return self.told(*self.exchange(*self.last))

    def clear(self, request):
        headers = {"Content-Type": "application/soap+xml;charset=UTF-8"}
        return self.told(*self.exchange(request["body"].encode(), headers))

    def told(self, status, headers, body):
        kinds = [value for name, value in headers if name.lower() == "content-type"]
        answer = {"status": status, "type": kinds[0] if kinds else None}
        if kinds and kinds[0].startswith("multipart/encrypted"):
            start = body.index(b"octet-stream\r\n") + len(b"octet-stream\r\n")
            length = int(body[: body.index(b"\r\n--Encrypted Boundary\r\n", 10)].rsplit(b"Length=", 1)[1])
            header_end = start + 4 + struct.unpack("<I", body[start : start + 4])[0]
            sealed = body[header_end : header_end + length]
            assert body[header_end + length :] == b"--Encrypted Boundary--\r\n", body[header_end + length :]
            plain = self.security.unseal(body[start + 4 : header_end], sealed)
            answer["body"] = plain.decode("utf-16" if "UTF-16" in body[:start].decode() else "utf-8")
        elif body:
            answer["body"] = body.decode()
        return answer

    def exchange(self, body, headers):
        try:
            self.connection.request("POST", "/wsman", body, headers)
            response = self.connection.getresponse()
            return response.status, response.getheaders(), response.read()
        except (http.client.HTTPException, ConnectionError):
            return "closed", [], b""


def main():
    client = Client()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(client, request["do"])(request)
        except Exception as error:  # Whatever it is, the test that asked is to see it.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
