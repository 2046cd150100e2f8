"""Opens each URI of a list with a name and a password, and tells what came of it.

Reads JSON from standard input: [{"uri": …, "name": …, "password": …}, …]. Writes a list of the same length: the names of
the domains and whether the connection is encrypted, or the error's code and message.
"""

import faulthandler
import json
import sys

import libvirt

# A hang tells where it is, before whoever runs this ends it.
faulthandler.dump_traceback_later(25, exit=True)
libvirt.registerErrorHandler(lambda _context, _error: None, None)


def answer(credentials, known):
    for credential in credentials:
        if credential[0] == libvirt.VIR_CRED_AUTHNAME:
            credential[4] = known["name"]
        elif credential[0] == libvirt.VIR_CRED_PASSPHRASE:
            credential[4] = known["password"]
        else:
            return -1
    return 0


def attempt(known):
    kinds = [libvirt.VIR_CRED_AUTHNAME, libvirt.VIR_CRED_PASSPHRASE]
    try:
        connection = libvirt.openAuth(known["uri"], [kinds, answer, known], 0)
    except libvirt.libvirtError as error:
        return [error.get_error_code(), str(error)]
    domains = sorted(domain.name() for domain in connection.listAllDomains())
    told = [domains, connection.isEncrypted() == 1]
    connection.close()
    return told


json.dump([attempt(known) for known in json.load(sys.stdin)], sys.stdout)
