"""Prints every event of a host, one a line, until its input ends."""

import faulthandler
import sys
import threading

import libvirt

KINDS = {
    getattr(libvirt, name): name.removeprefix("VIR_DOMAIN_EVENT_ID_")
    for name in dir(libvirt)
    if name.startswith("VIR_DOMAIN_EVENT_ID_")
}


def tell(*words):
    print(*words, flush=True)


def hear(_connection, domain, *details):
    *what, kind = details
    tell(kind, domain.name(), *what)


def closed(_connection, reason, _opaque):
    tell("CLOSED", reason)


def run():
    while not ending.is_set():
        libvirt.virEventRunDefaultImpl()


# A hang tells where it is, before whoever runs this ends it.
faulthandler.dump_traceback_later(100, exit=True)
libvirt.virEventRegisterDefaultImpl()
ending = threading.Event()
looping = threading.Thread(target=run, daemon=True)
looping.start()
connection = libvirt.open(sys.argv[1])
connection.registerCloseCallback(closed, None)
connection.setKeepAlive(1, 3)
numbers = [
    connection.domainEventRegisterAny(None, number, hear, kind)
    for number, kind in sorted(KINDS.items())
]
tell("LISTENING", len(numbers))
sys.stdin.readline()
for number in numbers:
    connection.domainEventDeregisterAny(number)
tell("DEAF")
sys.stdin.read()
connection.unregisterCloseCallback()
connection.close()
# An interpreter that ends while a thread is inside libvirt may hang.
ending.set()
libvirt.virEventAddTimeout(0, lambda *_: None, None)  # Wakes it.
looping.join()
tell("GONE")
