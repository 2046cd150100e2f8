"""What a program in Python does with a host, through libvirt's own client; prints what it saw as JSON."""

import faulthandler
import json
import os
import sys
import threading

import libvirt

# A hang tells where it is, before whoever runs this ends it.
faulthandler.dump_traceback_later(25, exit=True)
uri, content = sys.argv[1], os.urandom(3_000_001)
libvirt.registerErrorHandler(lambda _context, _error: None, None)
libvirt.virEventRegisterDefaultImpl()


def refused(call):
    try:
        call()
        return None
    except libvirt.libvirtError as error:
        return [error.get_error_code(), error.get_error_domain(), error.get_error_message(), error.get_str2()]


class Loop:
    """Runs libvirt's events in a thread of its own, which has ended before the program goes on.

    Whoever waits for a stream must not do so meanwhile: the client of libvirt loses what the loop receives for it between its
    look at what has come and its wait for more, and waits for ever. An interpreter that ends around it may hang as well.
    """

    def __enter__(self):
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending.is_set():
            libvirt.virEventRunDefaultImpl()

    def __exit__(self, *_):
        self.ending.set()
        libvirt.virEventAddTimeout(0, lambda timer, _: libvirt.virEventRemoveTimeout(timer), None)  # Wakes it.
        self.thread.join()


conn = libvirt.open(uri)
saw = {
    "hostname": conn.getHostname(),
    "type": conn.getType(),
    "version": conn.getVersion(),
    "domains": [[d.name(), d.UUIDString(), d.ID(), d.state()[0]] for d in conn.listAllDomains()],
    "unsupported": refused(lambda: conn.getMaxVcpus(None)),
    "absent": refused(lambda: conn.lookupByName("none")),
}

events, enough = [], threading.Event()


def lifecycle(_conn, dom, event, _detail, _opaque):
    events.append([dom.name(), event])
    if len(events) == 2:
        enough.set()


beta = conn.lookupByName("beta")
with Loop():
    callback = conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, None)
    conn.setKeepAlive(1, 3)
    beta.create()
    beta.destroy()
    enough.wait(10)
    conn.domainEventDeregisterAny(callback)
saw["events"] = events

volume = conn.storagePoolLookupByName("pool").storageVolLookupByName("disk")
up = conn.newStream()
volume.upload(up, 0, len(content))
sent = [0]


def take(_stream, count, _opaque):
    piece = content[sent[0] : sent[0] + count]
    sent[0] += len(piece)
    return piece


up.sendAll(take, None)
up.finish()
down, got = conn.newStream(), []
volume.download(down, 0, 0)
down.recvAll(lambda _stream, data, _opaque: got.append(data) or len(data), None)
down.finish()
saw["same"] = b"".join(got) == content

console = conn.newStream()
beta.openConsole(None, console, 0)
banner = console.recv(1024)
console.send(b"hello")
saw["console"] = [banner.decode(), console.recv(1024).decode()]
console.abort()

half = conn.newStream()
volume.upload(half, 0, 0)
half.send(b"half")
half.abort()

saw["threads"] = []
threads = [
    threading.Thread(target=lambda: saw["threads"].append(len({d.UUIDString() for d in conn.listAllDomains()})))
    for _ in range(40)
]
with Loop():
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

readonly = libvirt.openReadOnly(uri)
saw["readonly"] = refused(lambda: readonly.lookupByName("alpha").destroy())
readonly.close()
conn.close()
print(json.dumps(saw))
