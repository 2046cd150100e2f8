"""Prints what becomes of the networks and storage pools of a host, one a line, until its input ends."""

import faulthandler
import sys
import threading

import libvirt

NETWORK = ("defined", "undefined", "started", "stopped")
POOL = NETWORK + ("created", "deleted")


def tell(*words):
    print(*words, flush=True)


def hear_network(_connection, network, event, _detail, _opaque):
    tell("network", network.name(), NETWORK[event])


def hear_pool(_connection, pool, event, _detail, _opaque):
    tell("pool", pool.name(), POOL[event])


def hear_refresh(_connection, pool, _opaque):
    tell("pool", pool.name(), "refreshed")


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
network = connection.networkEventRegisterAny(None, libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE, hear_network, None)
pools = [
    connection.storagePoolEventRegisterAny(None, number, hear, None)
    for number, hear in (
        (libvirt.VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, hear_pool),
        (libvirt.VIR_STORAGE_POOL_EVENT_ID_REFRESH, hear_refresh),
    )
]
tell("LISTENING")
sys.stdin.readline()
connection.networkEventDeregisterAny(network)
for number in pools:
    connection.storagePoolEventDeregisterAny(number)
tell("DEAF")
sys.stdin.read()
connection.close()
# An interpreter that ends while a thread is inside libvirt may hang.
ending.set()
libvirt.virEventAddTimeout(0, lambda *_: None, None)  # Wakes it.
looping.join()
