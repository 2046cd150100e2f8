"""Walks over the snapshots of a domain, by the functions that virsh has no use for; prints what it finds."""

import faulthandler
import sys

import libvirt

# A hang tells where it is, before whoever runs this ends it.
faulthandler.dump_traceback_later(25, exit=True)
with libvirt.open(sys.argv[1]) as connection:
    domain = connection.lookupByName(sys.argv[2])
    print(domain.hasCurrentSnapshot(), domain.snapshotCurrent().getName())
    print(domain.snapshotNum(), domain.snapshotListNames())
    print(domain.snapshotNum(libvirt.VIR_DOMAIN_SNAPSHOT_LIST_ROOTS))
    for snapshot in domain.listAllSnapshots():
        children = [each.getName() for each in snapshot.listAllChildren()]
        print(
            snapshot.getName(),
            snapshot.getDomain().name(),
            snapshot.isCurrent(),
            snapshot.hasMetadata(),
            snapshot.numChildren(),
            snapshot.listChildrenNames(),
            children,
        )
    try:
        xml = domain.snapshotCurrent().getXMLDesc()
        domain.snapshotCreateXML(xml, libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE)
    except libvirt.libvirtError as error:
        print(error.get_error_code(), error.get_error_message())
    try:
        domain.snapshotLookupByName("nobody")
    except libvirt.libvirtError as error:
        print(error.get_error_code(), error.get_error_message())
