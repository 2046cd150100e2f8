import { test } from 'node:test'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_NAME,
  VIR_ERR_NO_NETWORK,
  VIR_ERR_NO_SOURCE,
  VIR_ERR_NO_TARGET,
  VIR_ERR_OVERFLOW,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
} from '../../../src/libvirt/error-numbers.ts'
import type { HostKind } from '../../../src/libvirt/xml/host-kind.ts'
import { domain, HYPERV, KVM, type Parts, read, throwsWith } from './domains.ts'

const DISK = "<source file='C:\\x.vhd'/>"
const HDA = "<target dev='hda'/>"
const NIC = "<source network='Internal'/>"

/** What no host here can be, and the name under which it is refused. */
const UNSUPPORTED: readonly (readonly [Parts, string, HostKind?])[] = [
  [{ type: 'kvm' }, "domain/@type = 'kvm'"],
  [{ rest: '<bootloader>/usr/bin/pygrub</bootloader>' }, 'domain/bootloader'],
  [{ head: '<genid/>' }, 'domain/genid'],
  [{ rest: '<memoryBacking><hugepages/></memoryBacking>' }, 'domain/memoryBacking'],
  [{ rest: "<maxMemory slots='2' unit='KiB'>4096</maxMemory>" }, 'domain/maxMemory'],
  [{ rest: '<memtune><hard_limit>1</hard_limit></memtune>' }, 'domain/memtune'],
  [{ rest: "<numatune><memory mode='strict' nodeset='0'/></numatune>" }, 'domain/numatune'],
  [{ rest: '<blkiotune><weight>800</weight></blkiotune>' }, 'domain/blkiotune'],
  [{ rest: '<iothreads>2</iothreads>' }, 'domain/iothreads'],
  [{ rest: "<sysinfo type='smbios'/>" }, 'domain/sysinfo'],
  [{ rest: "<launchSecurity type='sev'/>" }, 'domain/launchSecurity'],
  [{ rest: '<resource><partition>/mine</partition></resource>' }, "domain/resource/partition = '/mine'"],
  [{ rest: "<seclabel type='static' model='dac'><label>+1:+1</label></seclabel>" }, "domain/seclabel/@type = 'static'"],
  [{ rest: "<pm><suspend-to-disk enabled='yes'/></pm>" }, 'domain/pm/suspend-to-disk'],
  [{ rest: "<perf><event name='cmt' enabled='yes'/></perf>" }, 'domain/perf'],
  [{ rest: "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>" }, 'domain/q:commandline'],
  [{ rest: "<vcpu current='1'>2</vcpu>" }, "domain/vcpu/@current = '1'"],
  [{ rest: "<vcpu placement='auto'>2</vcpu>" }, "domain/vcpu/@placement = 'auto'"],
  [{ rest: "<vcpus><vcpu id='0' enabled='yes'/></vcpus>" }, 'domain/vcpus'],
  [{ rest: "<cputune><vcpupin vcpu='0' cpuset='1'/></cputune>" }, 'domain/cputune/vcpupin'],
  [{ rest: "<cputune><emulatorpin cpuset='1'/></cputune>" }, 'domain/cputune/emulatorpin'],
  [{ rest: '<cputune><shares>70000</shares></cputune>' }, "domain/cputune/shares = '70000'"],
  [{ os: "<loader readonly='yes' type='pflash'>/OVMF.fd</loader>" }, 'domain/os/loader'],
  [{ os: '<nvram>/n</nvram>' }, 'domain/os/nvram'],
  [{ os: "<bootmenu enable='yes'/>" }, "domain/os/bootmenu/@enable = 'yes'"],
  [{ os: "<smbios mode='host'/>" }, 'domain/os/smbios'],
  [{ os: "<bios useserial='yes'/>" }, 'domain/os/bios'],
  [{ os: '<initrd>/i</initrd>' }, "domain/os/initrd = '/i'"],
  [{ os: '<kernel>/k</kernel><dtb>/d</dtb>' }, 'domain/os/dtb'],
  [{ rest: "<features><kvm><hidden state='on'/></kvm></features>" }, 'domain/features/kvm'],
  [{ rest: "<features><smm state='on'/></features>" }, "domain/features/smm/@state = 'on'"],
  [{ rest: "<features><acpi state='off'/></features>" }, 'domain/features/acpi'],
  [{ rest: "<features><hyperv><relaxed state='on'/></hyperv></features>", type: 'kvm' }, 'domain/features/hyperv', KVM],
  [{ rest: "<features><hyperv><evmcs state='on'/></hyperv></features>" }, 'domain/features/hyperv/evmcs'],
  [{ rest: '<cpu><model>Skylake</model></cpu>' }, "domain/cpu/model = 'Skylake'"],
  [{ rest: '<cpu><vendor>Intel</vendor></cpu>' }, 'domain/cpu/vendor'],
  [{ rest: "<cpu><topology sockets='1' cores='2' threads='1'/></cpu>" }, "domain/cpu/topology/@cores = '2'"],
  [{ rest: "<cpu><numa><cell id='0' memory='1'/></numa></cpu>" }, 'domain/cpu/numa'],
  [{ rest: "<cpu match='strict'/>" }, "domain/cpu/@match = 'strict'"],
  [{ rest: "<cpu><feature policy='forbid' name='lm'/></cpu>" }, "domain/cpu/feature/@policy = 'forbid'"],
  [{ rest: "<cpu><feature name='avx512f'/></cpu>" }, "domain/cpu/feature/@name = 'avx512f'"],
  [{ rest: "<clock offset='timezone' timezone='Europe/Paris'/>" }, "domain/clock/@offset = 'timezone'"],
  [{ rest: "<clock offset='variable' adjustment='3600'/>" }, "domain/clock/@adjustment = '3600'"],
  [{ rest: "<clock><timer name='tsc' frequency='1'/></clock>" }, 'domain/clock/timer'],
  [{ rest: "<clock><timer name='hpet' present='yes'/></clock>" }, 'domain/clock/timer'],
  [{ rest: '<on_poweroff>preserve</on_poweroff>' }, "domain/on_poweroff = 'preserve'"],
  [{ rest: '<on_crash>coredump-destroy</on_crash>' }, "domain/on_crash = 'coredump-destroy'"],
  [{ rest: '<on_lockfailure>poweroff</on_lockfailure>' }, 'domain/on_lockfailure'],
  [{ devices: `<disk type='network'>${HDA}</disk>` }, "domain/devices/disk/@type = 'network'"],
  [{ devices: `<disk type='volume'>${HDA}</disk>` }, "domain/devices/disk/@type = 'volume'"],
  [{ devices: `<disk device='lun'>${DISK}${HDA}</disk>` }, "domain/devices/disk/@device = 'lun'"],
  [{ devices: `<disk>${DISK}<target dev='sda' bus='usb'/></disk>` }, "domain/devices/disk/target/@bus = 'usb'"],
  [{ devices: `<disk>${DISK}<target dev='sda' bus='nvme'/></disk>` }, "domain/devices/disk/target/@bus = 'nvme'"],
  [{ devices: `<disk>${DISK}<target dev='hda' tray='open'/></disk>` }, 'domain/devices/disk/target/@tray'],
  [{ devices: `<disk><driver type='vmdk'/>${DISK}${HDA}</disk>` }, "domain/devices/disk/driver/@type = 'vmdk'"],
  [{ devices: `<disk><driver cache='unsafe'/>${DISK}${HDA}</disk>` }, "domain/devices/disk/driver/@cache = 'unsafe'"],
  [{ devices: `<disk><driver iothread='1'/>${DISK}${HDA}</disk>` }, 'domain/devices/disk/driver/@iothread'],
  [{ devices: `<disk>${DISK}${HDA}<serial>X</serial></disk>` }, 'domain/devices/disk/serial'],
  [{ devices: `<disk>${DISK}${HDA}<wwn>5000c50015ea71aa</wwn></disk>` }, 'domain/devices/disk/wwn'],
  [
    { devices: `<disk>${DISK}${HDA}<iotune><odd_iops_sec>1</odd_iops_sec></iotune></disk>` },
    'domain/devices/disk/iotune/odd_iops_sec',
  ],
  [
    { devices: `<disk>${DISK}${HDA}<iotune><read_iops_sec_max>1</read_iops_sec_max></iotune></disk>` },
    'domain/devices/disk/iotune/read_iops_sec_max',
  ],
  [{ devices: `<disk>${DISK}${HDA}<transient/></disk>` }, 'domain/devices/disk/transient'],
  [{ devices: `<disk>${DISK}${HDA}<encryption format='luks'/></disk>` }, 'domain/devices/disk/encryption'],
  [
    { devices: `<disk>${DISK}${HDA}<backingStore type='file'><source file='/b'/></backingStore></disk>` },
    'domain/devices/disk/backingStore/@type',
  ],
  [
    { devices: `<disk>${DISK}${HDA}<address type='drive' controller='1' bus='0' unit='0'/></disk>` },
    "domain/devices/disk/address = '1:0:0:0'",
  ],
  [
    { devices: `<disk><source file='/x' startupPolicy='optional'/>${HDA}</disk>` },
    'domain/devices/disk/source/@startupPolicy',
  ],
  [{ devices: `<interface type='user'/>` }, "domain/devices/interface/@type = 'user'"],
  [
    { devices: `<interface type='direct'><source dev='eth0'/></interface>` },
    "domain/devices/interface/@type = 'direct'",
  ],
  [
    { devices: `<interface type='network'>${NIC}<model type='vmxnet9'/></interface>` },
    "domain/devices/interface/model/@type = 'vmxnet9'",
  ],
  [
    { devices: `<interface type='network'>${NIC}<filterref filter='clean-traffic'/></interface>` },
    'domain/devices/interface/filterref',
  ],
  [{ devices: `<interface type='network'>${NIC}<bandwidth/></interface>` }, 'domain/devices/interface/bandwidth'],
  [
    { devices: `<interface type='network'>${NIC}<vlan><tag id='5'/></vlan></interface>` },
    'domain/devices/interface/vlan',
  ],
  [
    { devices: `<interface type='network'>${NIC}<virtualport type='openvswitch'/></interface>` },
    'domain/devices/interface/virtualport',
  ],
  [{ devices: `<interface type='network'>${NIC}<rom file='/r'/></interface>` }, 'domain/devices/interface/rom'],
  [
    { devices: `<interface type='network'>${NIC}<driver queues='4'/></interface>` },
    'domain/devices/interface/driver/@queues',
  ],
  [
    { devices: `<interface type='network'><source network='Internal' portgroup='p'/></interface>` },
    'domain/devices/interface/source/@portgroup',
  ],
  [
    { devices: `<interface type='network'><source network='Twin'/></interface>` },
    "domain/devices/interface/source/@network = 'Twin'",
  ],
  [
    { devices: "<serial type='tcp'><source mode='bind' host='0.0.0.0' service='1'/></serial>" },
    "domain/devices/serial/@type = 'tcp'",
  ],
  [{ devices: "<serial type='pty'/><serial type='pty'/>" }, 'domain/devices/serial[2]'],
  [{ devices: "<console type='pty'><target type='virtio'/></console>" }, 'domain/devices/console/target/@type'],
  [{ devices: "<parallel type='pty'/>" }, 'domain/devices/parallel'],
  [{ devices: "<graphics type='spice' port='-1'/>" }, "domain/devices/graphics/@type = 'spice'"],
  [{ devices: "<graphics type='vnc' port='5901'/>" }, "domain/devices/graphics/@port = '5901'"],
  [{ devices: "<graphics type='vnc' listen='0.0.0.0'/>" }, "domain/devices/graphics/@listen = '0.0.0.0'"],
  [{ devices: "<graphics type='sdl'/>" }, "domain/devices/graphics/@type = 'sdl'"],
  [{ devices: "<video><model type='qxl'/></video>" }, "domain/devices/video/model/@type = 'qxl'"],
  [{ devices: "<video><model type='vga' heads='4'/></video>" }, "domain/devices/video/model/@heads = '4'"],
  [{ devices: '<video/><video/>' }, 'domain/devices/video[2]'],
  [{ devices: "<sound model='usb'/>" }, "domain/devices/sound/@model = 'usb'"],
  [{ devices: "<audio id='1' type='spice'/>" }, "domain/devices/audio/@type = 'spice'"],
  [
    { devices: "<tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>" },
    'domain/devices/tpm/backend/@type',
  ],
  [{ devices: "<hostdev mode='subsystem' type='usb'/>" }, "domain/devices/hostdev/@type = 'usb'"],
  [{ devices: "<watchdog model='i6300esb' action='reset'/>" }, 'domain/devices/watchdog'],
  [{ devices: "<channel type='spicevmc'/>" }, "domain/devices/channel/@type = 'spicevmc'"],
  [{ devices: "<redirdev bus='usb' type='spicevmc'/>" }, 'domain/devices/redirdev'],
  [{ devices: "<filesystem type='mount'/>" }, 'domain/devices/filesystem'],
  [{ devices: "<smartcard mode='host'/>" }, 'domain/devices/smartcard'],
  [{ devices: "<vsock model='virtio'/>" }, 'domain/devices/vsock'],
  [{ devices: "<iommu model='intel'/>" }, 'domain/devices/iommu'],
  [{ devices: "<memory model='dimm'/>" }, 'domain/devices/memory'],
  [{ devices: "<controller type='scsi' model='vmpvscsi'/>" }, 'domain/devices/controller'],
  [{ devices: "<controller type='pci' model='pcie-root'/>" }, 'domain/devices/controller'],
  [{ devices: "<rng model='virtio'><backend model='egd' type='udp'/></rng>" }, 'domain/devices/rng/backend/@model'],
  [{ devices: "<memballoon model='virtio' autodeflate='on'/>" }, 'domain/devices/memballoon/@autodeflate'],
  [{ devices: "<input type='evdev'/>" }, 'domain/devices/input/@type'],
  [{ devices: '<nonsense/>' }, 'domain/devices/nonsense'],
  [
    { rest: "<metadata><p:domain xmlns:p='urn:polyvisor:libvirt:domain:1'><p:odd/></p:domain></metadata>" },
    'domain/metadata/p:domain/p:odd',
  ],
  [{ rest: "<metadata><p:other xmlns:p='urn:polyvisor:libvirt:domain:1'/></metadata>" }, 'domain/metadata/p:other'],
  [{ rest: `<metadata><p:n xmlns:p='urn:n'>${'x'.repeat(70_000)}</p:n></metadata>` }, 'domain/metadata'],
]

test('what a host cannot be is refused by the name of its element and by its value', () => {
  for (const [parts, name, kind] of UNSUPPORTED) {
    throwsWith(() => read(domain(parts), kind), VIR_ERR_CONFIG_UNSUPPORTED, name)
  }
})

test('a machine or an architecture that hosts here have not is refused', () => {
  const of = (type: string, kind = 'hyperv') =>
    `<domain type='${kind}'><name>a</name><memory>1</memory><os>${type}</os></domain>`

  for (const [type, name, kind] of [
    ["<type arch='i686'>hvm</type>", "domain/os/type/@arch = 'i686'", HYPERV],
    ["<type machine='pc'>hvm</type>", "domain/os/type/@machine = 'pc'", HYPERV],
    ["<type machine='q35'>hvm</type>", "domain/os/type/@machine = 'q35'", KVM],
    ['<type>xen</type>', "domain/os/type = 'xen'", HYPERV],
    ['<type>exe</type>', "domain/os/type = 'exe'", HYPERV],
  ] as const) {
    throwsWith(() => read(of(type, kind.types[0]), kind), VIR_ERR_CONFIG_UNSUPPORTED, name)
  }
})

test('a password that is refused is not repeated', () => {
  const devices = "<graphics type='vnc' port='-1' passwd='hunter2'/>"

  throwsWith(
    () => read(domain({ devices })),
    VIR_ERR_CONFIG_UNSUPPORTED,
    'domain/devices/graphics/@passwd is not supported',
  )
})

/** What describes no domain, with the code that libvirt 9.0 has for it. */
const BROKEN: readonly (readonly [string, number, string])[] = [
  ['', VIR_ERR_XML_DETAIL, ''],
  ['<domain', VIR_ERR_XML_DETAIL, ''],
  ['<!DOCTYPE x><domain/>', VIR_ERR_XML_DETAIL, ''],
  ['<network/>', VIR_ERR_XML_ERROR, "expecting root element of 'domain', not 'network'"],
  ["<domain xmlns='urn:x'/>", VIR_ERR_XML_ERROR, 'expecting root element'],
  ['<domain/>', VIR_ERR_INTERNAL_ERROR, 'missing domain type attribute'],
  ["<domain type='hyperv'/>", VIR_ERR_NO_NAME, ''],
  ["<domain type='hyperv'><name/></domain>", VIR_ERR_NO_NAME, ''],
  ["<domain type='hyperv'><name>a\nb</name></domain>", VIR_ERR_XML_DETAIL, 'invalid char in name'],
  ["<domain type='hyperv'><name>a</name></domain>", VIR_ERR_XML_ERROR, 'Memory size must be specified'],
  [
    "<domain type='hyperv'><name>a</name><memory>1</memory></domain>",
    VIR_ERR_XML_ERROR,
    'an os <type> must be specified',
  ],
  [domain({ head: '<uuid>no</uuid>' }), VIR_ERR_INTERNAL_ERROR, 'malformed uuid element'],
  [
    domain({ head: "<currentMemory unit='furlong'>1</currentMemory>" }),
    VIR_ERR_INVALID_ARG,
    "unknown suffix 'furlong'",
  ],
  [domain({ head: "<currentMemory unit='EiB'>50</currentMemory>" }), VIR_ERR_OVERFLOW, 'value too large'],
  [
    domain({ head: '<currentMemory>-5</currentMemory>' }),
    VIR_ERR_XML_ERROR,
    "Invalid value '-5' for domain/currentMemory",
  ],
  [domain({ rest: '<vcpu>x</vcpu>' }), VIR_ERR_XML_ERROR, 'maximum vcpus count must be an integer'],
  [domain({ rest: '<vcpu>0</vcpu>' }), VIR_ERR_XML_ERROR, "invalid maximum number of vCPUs '0'"],
  [domain({ rest: "<vcpu current='3'>2</vcpu>" }), VIR_ERR_CONFIG_UNSUPPORTED, 'maximum vCPU count must not be less'],
  [domain({ rest: "<vcpu cpuset='5-2'>2</vcpu>" }), VIR_ERR_XML_ERROR, 'domain/vcpu/@cpuset'],
  [domain({ os: "<boot dev='zz'/>" }), VIR_ERR_XML_ERROR, 'domain/os/boot/@dev'],
  [domain({ rest: "<clock offset='zz'/>" }), VIR_ERR_CONFIG_UNSUPPORTED, "unknown clock offset 'zz'"],
  [domain({ rest: '<on_reboot>zz</on_reboot>' }), VIR_ERR_CONFIG_UNSUPPORTED, 'unknown on_reboot action: zz'],
  [domain({ devices: `<disk>${HDA}</disk>` }), VIR_ERR_NO_SOURCE, 'hda'],
  [domain({ devices: `<disk>${DISK}</disk>` }), VIR_ERR_NO_TARGET, ''],
  [
    domain({ devices: `<disk device='floppy'>${HDA}</disk>` }),
    VIR_ERR_INTERNAL_ERROR,
    'Invalid floppy device name: hda',
  ],
  [
    domain({ devices: `<disk>${DISK}<target dev='fda'/></disk>` }),
    VIR_ERR_INTERNAL_ERROR,
    'Invalid disk device name: fda',
  ],
  [domain({ devices: `<disk>${DISK}<target dev='zz'/></disk>` }), VIR_ERR_XML_ERROR, "Unknown disk name 'zz'"],
  [
    domain({ devices: `<disk>${DISK}${HDA}</disk><disk>${DISK}${HDA}</disk>` }),
    VIR_ERR_XML_ERROR,
    "target 'hda' duplicated",
  ],
  [
    domain({
      devices: "<interface type='null'><alias name='ua-11111111-2222-4333-8444-555555555555'/></interface>".repeat(2),
    }),
    VIR_ERR_XML_ERROR,
    'non unique alias detected',
  ],
  [domain({ devices: `<interface type='network'/>` }), VIR_ERR_XML_ERROR, "requires a 'source' element"],
  [domain({ devices: `<interface type='network'><source network='Gone'/></interface>` }), VIR_ERR_NO_NETWORK, "'Gone'"],
  [
    domain({ devices: `<interface type='null'><mac address='zz'/></interface>` }),
    VIR_ERR_XML_ERROR,
    "unable to parse mac address 'zz'",
  ],
  [
    domain({ devices: `<interface type='null'><mac address='01:00:00:00:00:00'/></interface>` }),
    VIR_ERR_XML_ERROR,
    'expected unicast mac address',
  ],
  [domain({ devices: `<disk>${DISK}${HDA}<boot order='0'/></disk>` }), VIR_ERR_XML_ERROR, 'boot/@order'],
  [
    domain({ os: "<boot dev='hd'/>", devices: `<disk>${DISK}${HDA}<boot order='1'/></disk>` }),
    VIR_ERR_CONFIG_UNSUPPORTED,
    'cannot be used together',
  ],
  [domain({ devices: `stray` }), VIR_ERR_XML_ERROR, "unexpected text 'stray'"],
  [domain({ head: '<name>again</name>' }), VIR_ERR_CONFIG_UNSUPPORTED, 'domain/name[2]'],
]

test('what describes no domain is told as libvirt tells it', () => {
  for (const [text, code, word] of BROKEN) throwsWith(() => read(text), code, word)
})

test('devices that are both to be the first, and the second of a kind as the first, are refused', () => {
  const disk = (device: string, order: number) =>
    `<disk>${DISK}<target dev='${device}'/><boot order='${order}'/></disk>`

  throwsWith(
    () => read(domain({ devices: disk('hda', 1) + disk('hdb', 1) })),
    VIR_ERR_CONFIG_UNSUPPORTED,
    "boot order '1'",
  )
  throwsWith(
    () => read(domain({ devices: disk('hda', 2) + disk('hdb', 1) })),
    VIR_ERR_CONFIG_UNSUPPORTED,
    "domain/devices/disk[2]/boot/@order = '1'",
  )
})

test('a document that is larger than libvirt’s protocol carries is refused', () => {
  throwsWith(
    () => read(domain({ head: `<description>${'x'.repeat(5 * 1024 ** 2)}</description>` })),
    VIR_ERR_XML_DETAIL,
  )
})
