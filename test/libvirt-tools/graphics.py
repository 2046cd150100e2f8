"""Looks at the domain of a name through the descriptor that it is passed, after and before other calls."""

import faulthandler
import socket
import sys

import libvirt

# A hang tells where it is, before whoever runs this ends it.
faulthandler.dump_traceback_later(25, exit=True)
uri, name = sys.argv[1:]
with libvirt.open(uri) as connection:
    domain = connection.lookupByName(name)
    displays = [socket.socket(fileno=domain.openGraphicsFD(0)) for _ in range(2)]
    print(domain.name())
for display in displays:
    greeting = display.recv(12, socket.MSG_WAITALL)
    print(greeting.decode().strip())
    display.sendall(greeting)
    print(display.recv(1)[0] > 0)
