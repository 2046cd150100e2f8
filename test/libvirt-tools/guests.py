"""Asks a guest for all that libvirt asks of guests, by the functions of python3-libvirt; prints what it says."""

import faulthandler
import sys

import libvirt

# A hang tells where it is, before whoever runs this ends it.
faulthandler.dump_traceback_later(25, exit=True)
with libvirt.open(sys.argv[1]) as connection:
    domain = connection.lookupByName(sys.argv[2])
    agent = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT
    print(domain.interfaceAddresses(agent)["eth0"])
    print(domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE))
    print(domain.hostname())
    info = domain.guestInfo()
    print(info["os.id"], info["disk.1.partition"], info["fs.0.disk.0.alias"], info["if.count"])
    print(domain.fsInfo())
    domain.setTime({"seconds": 1000000000, "nseconds": 0})
    print(domain.getTime()["seconds"] // 100)
    print(domain.fsFreeze(), domain.fsThaw())
    domain.fSTrim(None, 0)
    for types in (libvirt.VIR_DOMAIN_GUEST_INFO_OS, 1 << 20):
        try:
            print(sorted(domain.guestInfo(types))[0])
        except libvirt.libvirtError as error:
            print(error.get_error_code(), error.get_error_message())
    silent = connection.lookupByName(sys.argv[3])
    try:
        silent.hostname()
    except libvirt.libvirtError as error:
        print(error.get_error_code() == libvirt.VIR_ERR_AGENT_UNRESPONSIVE, error.get_error_message())
