"""Says of what kind the host of a URI is."""

import sys

import libvirt

with libvirt.open(sys.argv[1]) as connection:
    print(connection.getType())
