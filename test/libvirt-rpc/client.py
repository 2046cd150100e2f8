"""What a program in Python does with a host, through libvirt's own client; prints what it saw as JSON."""

import json
import os
import sys
import threading

import libvirt

uri, content = sys.argv[1], os.urandom(3_000_001)
libvirt.registerErrorHandler(lambda _context, _error: None, None)
libvirt.virEventRegisterDefaultImpl()


def refused(call):
    try:
        call()
        return None
    except libvirt.libvirtError as error:
        return [error.get_error_code(), error.get_error_domain(), error.get_error_message(), error.get_str2()]


def loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=loop, daemon=True).start()
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


callback = conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, None)
conn.setKeepAlive(1, 3)
beta = conn.lookupByName("beta")
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
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

readonly = libvirt.openReadOnly(uri)
saw["readonly"] = refused(lambda: readonly.lookupByName("alpha").destroy())
readonly.close()
conn.close()
print(json.dumps(saw))
