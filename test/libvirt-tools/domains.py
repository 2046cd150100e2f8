"""Walks over what libvirt's objects do for domains, and prints what is not as it has to be, one line each.

Arguments: the URI, the type of the host's domains, the path of an image and its format.
"""

import faulthandler
import re
import sys
import xml.etree.ElementTree as ElementTree

import libvirt

# A hang tells where it is, before whoever runs this ends it.
faulthandler.dump_traceback_later(25, exit=True)
URI, TYPE, IMAGE, FORMAT = sys.argv[1:]
NAME = "walked"
XML = f"""<domain type='{TYPE}'><name>{NAME}</name><description>walked over</description>
  <memory unit='MiB'>64</memory><vcpu>2</vcpu><os><type arch='x86_64'>hvm</type></os>
  <devices><disk type='file' device='disk'><driver name='qemu' type='{FORMAT}'/><source file='{IMAGE}'/>
  <target dev='hda' bus='ide'/></disk></devices></domain>"""
OF_ONE_KIND = TYPE != "hyperv"


def quiet(_context, _error):
    """Errors are looked at where they are raised."""


def check(what, got, want=True):
    if got != want:
        print(f"{what}: {got!r}, not {want!r}")


def refused(what, code, call):
    try:
        check(what, call(), "an error")
    except libvirt.libvirtError as error:
        check(f"{what}, {error}", error.get_error_code(), code)


def lists(connection, domain):
    uuid = domain.UUIDString()
    check("listAllDomains", uuid in {each.UUIDString() for each in connection.listAllDomains()})
    inactive = connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE)
    check("inactive ones", NAME in {each.name() for each in inactive})
    check("listDefinedDomains", NAME in connection.listDefinedDomains())
    check("numOfDefinedDomains", connection.numOfDefinedDomains(), len(inactive))
    active = connection.listDomainsID()
    check("numOfDomains", connection.numOfDomains(), len(active))
    check("lookupByName", connection.lookupByName(NAME).UUIDString(), uuid)
    check("lookupByUUID", connection.lookupByUUID(domain.UUID()).name(), NAME)
    check("lookupByUUIDString", connection.lookupByUUIDString(uuid).name(), NAME)
    for number in active:
        check("lookupByID", connection.lookupByID(number).ID(), number)
    refused("lookupByID", libvirt.VIR_ERR_NO_DOMAIN, lambda: connection.lookupByID(999_999))
    refused("lookupByName", libvirt.VIR_ERR_NO_DOMAIN, lambda: connection.lookupByName("nobody"))


def off(domain):
    check("ID", domain.ID(), -1)
    check("OSType", domain.OSType(), "hvm")
    check("state", domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)
    check("isActive, isPersistent, isUpdated", (domain.isActive(), domain.isPersistent(), domain.isUpdated()), (0, 1, 0))
    state, maximum, memory, vcpus, time = domain.info()
    check("info", (state, maximum, memory, vcpus, time), (libvirt.VIR_DOMAIN_SHUTOFF, 65_536, 65_536, 2, 0))
    check("maxMemory", domain.maxMemory(), 65_536)
    check("hasManagedSaveImage", domain.hasManagedSaveImage(), 0)
    described = ElementTree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
    check("XMLDesc", (described.get("type"), described.findtext("name"), described.findtext("vcpu")), (TYPE, NAME, "2"))
    refused("destroy", libvirt.VIR_ERR_OPERATION_INVALID, domain.destroy)
    refused("controlInfo", libvirt.VIR_ERR_OPERATION_INVALID, domain.controlInfo)


def settings(domain):
    config = libvirt.VIR_DOMAIN_AFFECT_CONFIG
    domain.setVcpusFlags(3, config | libvirt.VIR_DOMAIN_VCPU_MAXIMUM)
    domain.setVcpusFlags(1, config)
    domain.setMemoryFlags(131_072, config | libvirt.VIR_DOMAIN_MEM_MAXIMUM)
    domain.setMemoryFlags(98_304, config)
    check("info", domain.info()[1:4], [131_072, 98_304, 1])
    check("vcpusFlags", domain.vcpusFlags(config), 1)
    check("maxVcpus", domain.maxVcpus() >= 1)
    for autostart in (1, 0):
        domain.setAutostart(autostart)
        check("autostart", domain.autostart(), autostart)

    scheduler, count = domain.schedulerType()
    parameters = domain.schedulerParameters()
    check("schedulerType", (scheduler in ("memory", "posix", "allocation"), count), (True, len(parameters)))
    weight = "cpu_shares" if scheduler == "posix" else "weight"
    domain.setSchedulerParametersFlags({weight: 150}, config)
    check("schedulerParametersFlags", domain.schedulerParametersFlags(config)[weight], 150)
    domain.setSchedulerParameters({weight: parameters[weight]})
    check("schedulerParameters", domain.schedulerParameters(), parameters)
    refused("no weight", libvirt.VIR_ERR_OPERATION_FAILED, lambda: domain.setSchedulerParameters({weight: 0}))

    everywhere = domain.vcpuPinInfo()[0]
    check("vcpuPinInfo", all(everywhere))
    if OF_ONE_KIND:
        domain.pinVcpu(0, (True,) + (False,) * (len(everywhere) - 1))
        check("pinVcpu", domain.vcpuPinInfo()[0].count(True), 1)
        domain.pinVcpuFlags(0, everywhere, config)
        check("pinVcpuFlags", domain.vcpuPinInfo()[0], everywhere)
    else:
        refused("pinVcpu", libvirt.VIR_ERR_NO_SUPPORT, lambda: domain.pinVcpu(0, everywhere))


def notes(domain):
    kinds = libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, libvirt.VIR_DOMAIN_METADATA_TITLE
    check("metadata", domain.metadata(kinds[0], None), "walked over")
    domain.setMetadata(kinds[1], "A title", None, None)
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<note>a</note>", "own", "urn:own")
    check("title", domain.metadata(kinds[1], None), "A title")
    check("element", domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "urn:own").strip(), "<note>a</note>")
    domain.setMetadata(kinds[1], None, None, None)
    refused("title", libvirt.VIR_ERR_NO_DOMAIN_METADATA, lambda: domain.metadata(kinds[1], None))
    domain.rename("another", 0)
    check("rename", domain.connect().lookupByUUID(domain.UUID()).name(), "another")
    domain.connect().lookupByName("another").rename(NAME)


def life(domain):
    states = []
    domain.create()
    check("ID", domain.ID() > 0)
    for act in (domain.suspend, domain.resume, domain.reset, domain.reboot, domain.managedSave, domain.create):
        act()
        states.append(domain.state()[0])
    running, paused, shut = libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_SHUTOFF
    check("life", states, [paused, running, running, running, shut, running])
    domain.destroyFlags(0)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    check("paused", domain.state()[0], paused)
    domain.managedSave()
    check("saved", (domain.hasManagedSaveImage(), domain.state()), (1, [shut, libvirt.VIR_DOMAIN_SHUTOFF_SAVED]))
    refused("undefine", libvirt.VIR_ERR_OPERATION_INVALID, domain.undefine)
    domain.managedSaveRemove()
    check("removed", domain.hasManagedSaveImage(), 0)


def measured(connection, domain):
    domain.create()
    vcpus, maps = domain.vcpus()
    check("vcpus", ([each[:2] for each in vcpus], len(maps)), ([(0, libvirt.VIR_VCPU_RUNNING)], 1))
    check("memoryStats", domain.memoryStats()["actual"] > 0)
    reads, read, writes, written, errors = domain.blockStats("hda")
    check("blockStats", (0 <= reads <= read, 0 <= writes <= written, errors), (True, True, 0))
    counted = {f"{way}_{of}" for way in ("rd", "wr") for of in ("bytes", "operations")} | {"flush_operations", "errs"}
    times = {f"{what}_total_times" for what in ("rd", "wr", "flush")} if OF_ONE_KIND else set()
    check("blockStatsFlags", set(domain.blockStatsFlags("hda")), counted | times)
    (total,) = domain.getCPUStats(True)
    check("getCPUStats", set(total), {"cpu_time", "user_time", "system_time"} if OF_ONE_KIND else {"cpu_time"})
    each = domain.getCPUStats(False)
    check("getCPUStats of CPUs", [set(cpu) for cpu in each], [{"cpu_time"} if TYPE == "test" else set()] * len(each))
    if OF_ONE_KIND:
        check("diskErrors", domain.diskErrors(), {})
        domain.setMemoryStatsPeriod(3)
        check("setMemoryStatsPeriod", "<stats period='3'/>" in domain.XMLDesc())
        domain.setMemoryStatsPeriod(0)
    else:
        refused("diskErrors", libvirt.VIR_ERR_NO_SUPPORT, domain.diskErrors)
        refused("setMemoryStatsPeriod", libvirt.VIR_ERR_NO_SUPPORT, lambda: domain.setMemoryStatsPeriod(3))
    capacity, allocation, physical = domain.blockInfo("hda")
    check("blockInfo", (capacity, allocation <= physical), (8_388_608, True))
    check("controlInfo", domain.controlInfo(), [libvirt.VIR_DOMAIN_CONTROL_OK, 0, 0])
    check("jobInfo", set(domain.jobInfo()), {0})
    check("jobStats", domain.jobStats(), {"type": libvirt.VIR_DOMAIN_JOB_NONE})
    refused("abortJob", libvirt.VIR_ERR_OPERATION_INVALID, domain.abortJob)

    every = {each.UUIDString(): told for each, told in connection.getAllDomainStats()}
    check("getAllDomainStats", set(every), {each.UUIDString() for each in connection.listAllDomains()})
    told = every[domain.UUIDString()]
    names = "state.state", "vcpu.current", "block.count", "block.0.name", "block.0.path", "block.0.capacity"
    check("statistics", [told[name] for name in names], [1, 1, 1, "hda", IMAGE, 8_388_608])
    check("cpu.time", told["cpu.time"] >= 0 and told["balloon.maximum"] == 131_072)
    groups = libvirt.VIR_DOMAIN_STATS_STATE
    active = connection.getAllDomainStats(groups, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE)
    check("active ones", {each.name() for each, _ in active} >= {NAME})
    (_, alone), = connection.domainListGetStats([domain], groups)
    check("domainListGetStats", set(alone), {"state.state", "state.reason"})
    enforced = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
    refused(
        "vm",
        libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
        lambda: connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_VM, enforced),
    )
    domain.destroy()


def devices(domain):
    check("disks", re.findall(r"dev='(\w+)' bus", domain.XMLDesc()), ["hda"])
    disk = ElementTree.tostring(ElementTree.fromstring(domain.XMLDesc()).find("devices/disk"), "unicode")
    domain.detachDeviceFlags(disk, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    check("none", "<disk" in domain.XMLDesc(), False)
    refused("detachDevice", libvirt.VIR_ERR_DEVICE_MISSING, lambda: domain.detachDevice(disk))
    domain.attachDevice(disk)
    domain.updateDeviceFlags(disk, 0)
    check("again", "<disk" in domain.XMLDesc())


def unsupported(domain):
    for name in ("numaParameters", "ioThreadInfo"):
        refused(name, libvirt.VIR_ERR_NO_SUPPORT, getattr(domain, name))
    for name in ("hostname", "guestInfo"):
        refused(name, libvirt.VIR_ERR_OPERATION_INVALID, getattr(domain, name))
    refused("migrateSetMaxSpeed", libvirt.VIR_ERR_NO_SUPPORT, lambda: domain.migrateSetMaxSpeed(1))


def walk():
    """What is made to go with its connection goes when nothing of that is left."""
    with libvirt.open(URI) as connection:
        domain = connection.defineXMLFlags(XML, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        lists(connection, domain)
        off(domain)
        settings(domain)
        notes(domain)
        life(domain)
        measured(connection, domain)
        devices(domain)
        unsupported(domain)
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
        refused("gone", libvirt.VIR_ERR_NO_DOMAIN, domain.state)
        made = connection.createXML(XML, libvirt.VIR_DOMAIN_START_AUTODESTROY)
        check("createXML", (made.isActive(), made.isPersistent()), (1, 0))


libvirt.registerErrorHandler(quiet, None)
walk()
with libvirt.openReadOnly(URI) as reader:
    refused("lookupByName", libvirt.VIR_ERR_NO_DOMAIN, lambda: reader.lookupByName(NAME))
    refused("defineXML", libvirt.VIR_ERR_OPERATION_DENIED, lambda: reader.defineXML(XML))
