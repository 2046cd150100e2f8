"""Watches what a busy guest does, as those do that draw pictures of it, and prints what is not as it has to be.

Arguments: the URI, the name of the domain, the target of a disk that it writes to, and of an interface that it uses.
"""

import faulthandler
import sys
import time

import libvirt

# A hang tells where it is, before whoever runs this ends it.
faulthandler.dump_traceback_later(50, exit=True)
URI, NAME, DISK, NIC = sys.argv[1:]
PATIENCE = 40
DISK_COUNTERS = ("wr_bytes", "wr_operations", "wr_total_times", "flush_operations", "flush_total_times")
MEMORY_COUNTERS = ("actual", "unused", "available", "usable", "minor_fault", "last_update", "rss")


def counters(domain):
    """Every counter that a guest at work drives up, by a name of its own."""
    disk, (total,) = domain.blockStatsFlags(DISK), domain.getCPUStats(True)
    _, _, _, _, sent, packets, _, _ = domain.interfaceStats(NIC)
    ((_, told),) = domain.connect().domainListGetStats([domain], 0)
    return {
        **{name: disk[name] for name in DISK_COUNTERS},
        "sent": sent,
        "packets": packets,
        "cpu": total["cpu_time"],
        "vcpu": domain.vcpus()[0][0][2],
        **{name: told[name] for name in ("cpu.time", "vcpu.0.time", "net.0.tx.pkts", "block.0.wr.reqs", "block.0.fl.times")},
    }


def until(what, is_so):
    """The last look, which is printed where it never becomes so."""
    deadline = time.monotonic() + PATIENCE
    while (missing := is_so()) and time.monotonic() < deadline:
        time.sleep(0.1)
    if missing:
        print(f"{what}: {missing}")


with libvirt.open(URI) as connection:
    guest = connection.lookupByName(NAME)
    first = counters(guest)
    until("does not grow", lambda: [name for name, value in counters(guest).items() if value <= first[name]])

    guest.setMemoryStatsPeriod(1, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    until("no statistic of memory", lambda: [name for name in MEMORY_COUNTERS if not guest.memoryStats().get(name)])
    memory = guest.memoryStats()
    if not memory["unused"] < memory["available"] <= memory["actual"]:
        print(f"sizes of memory: {memory}")
    (told,) = (told for each, told in connection.getAllDomainStats() if each.name() == NAME)
    if told["balloon.available"] != memory["available"] or not 0 < told["balloon.unused"] < memory["available"]:
        print(f"balloon: {told}, not {memory}")
    if (told["dirtyrate.calc_status"], told["dirtyrate.calc_mode"]) != (0, "page-sampling"):
        print(f"nobody has looked how fast it writes: {told}")
    requests, read, writes, written, errors = guest.blockStats(DISK)
    if not (read >= requests >= 0 and written >= writes > 0 and errors == 0):
        print(f"blockStats: {(requests, read, writes, written, errors)}")
