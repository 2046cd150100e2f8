"""Drives a host with python3-winrm: its NTLM, its sealing, its HTTP.

Reads one request in JSON a line and answers each with one line. Run by pywinrm*.test.ts.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

from winrm.exceptions import InvalidCredentialsError, WinRMTransportError
from winrm.protocol import Protocol


class Session:
    def open(self, request):
        self.protocol = Protocol(
            endpoint=request["url"],
            transport=request.get("transport", "ntlm"),
            username=request["user"],
            password=request["password"],
            message_encryption=request.get("encryption", "always"),
            server_cert_validation="ignore",
        )
        return {}

    def send(self, request):
        return {"status": 200, "text": self.text(self.protocol.transport.send_message(request["envelope"]))}

    def refusal(self, request):
        """The name of what python3-winrm raises where it is refused."""
        try:
            return {"name": "nothing", **self.send(request)}
        except Exception as error:
            return {"name": type(error).__name__}

    def tamper(self, request):
        """Sends a message of which one bit was turned after it was sealed."""
        prepared = self.seal(request["envelope"])
        body = bytearray(prepared.body)
        body[-40] ^= 1
        prepared.body = bytes(body)
        return self.post(prepared)

    def replay(self, request):
        """Sends a sealed message, and then the very same again."""
        prepared = self.seal(request["envelope"])
        first = self.adapter.send(prepared, timeout=20)
        assert first.status_code == 200 and first.content  # Only then is the connection free again.
        return self.post(prepared)

    def seal(self, envelope):
        transport = self.protocol.transport
        return transport.encryption.prepare_encrypted_request(transport.session, transport.endpoint, envelope.encode())

    def post(self, prepared):
        response = self.adapter.send(prepared, timeout=20)
        return {"status": response.status_code, "text": self.text(response.content)}

    @property
    def adapter(self):
        """What sends for requests, without its logging on anew where that is refused."""
        transport = self.protocol.transport
        return transport.session.get_adapter(transport.endpoint)

    @staticmethod
    def text(content):
        return content.decode() if isinstance(content, bytes) else content


def main():
    session = Session()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(session, request["do"])(request)
        except InvalidCredentialsError:
            answer = {"status": 401, "text": ""}
        except WinRMTransportError as error:
            answer = {"status": error.code, "text": Session.text(error.response_text)}
        except Exception as error:  # Whatever it is, the test that asked is to see it.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
