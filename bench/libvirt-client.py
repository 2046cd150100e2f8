"""What a program in Python, with libvirt's own client, waits for; the figures as JSON, times in milliseconds."""

import json
import sys
import threading
import time

import libvirt

LISTS = 40
# Not counted: a server may compile what it does often.
WARM_SECONDS = 1
CALLS_SECONDS = 2
CONNECTIONS = 16
STARTS = 8


def passed(work):
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def states(conn):
    for domain in conn.listAllDomains():
        domain.state()


def lists(conn):
    warm = time.perf_counter() + WARM_SECONDS
    while time.perf_counter() < warm:
        states(conn)
    return {
        "list": [passed(conn.listAllDomains) for _ in range(LISTS)],
        "states": [passed(lambda: states(conn)) for _ in range(LISTS // 8)],
    }


def calls(conn):
    domain, done = conn.listAllDomains()[0], 0
    end = time.perf_counter() + CALLS_SECONDS
    while time.perf_counter() < end:
        domain.state()
        done += 1
    return done / CALLS_SECONDS


def rates(uri):
    conns = [libvirt.open(uri) for _ in range(CONNECTIONS)]
    done = [0.0] * CONNECTIONS

    def run(number):
        done[number] = calls(conns[number])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CONNECTIONS)]
    alone = calls(conns[0])
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"one": alone, "many": sum(done)}


def starts(conn, xml):
    domain, times = conn.defineXML(xml), []

    def start():
        domain.create()
        while domain.state()[0] != libvirt.VIR_DOMAIN_RUNNING:
            pass

    for _ in range(STARTS):
        times.append(passed(start))
        domain.destroy()
    domain.undefine()
    return {"start": times}


what, uri = sys.argv[1:3]
if what == "rates":
    print(json.dumps(rates(uri)))
else:
    conn = libvirt.open(uri)
    print(json.dumps(lists(conn) if what == "lists" else starts(conn, sys.stdin.read())))
