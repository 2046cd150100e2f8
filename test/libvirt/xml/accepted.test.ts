import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as accepted from '../../../src/libvirt/xml/accepted.ts'
import type { HostKind } from '../../../src/libvirt/xml/host-kind.ts'
import { domain, HYPERV, KVM, type Parts, read } from './domains.ts'

/** What libvirt and its clients write of machines that have nothing to it. */
const MEANINGLESS: readonly (readonly [Parts, HostKind?])[] = [
  [{ rest: "<seclabel type='none'/>" }],
  [{ rest: "<seclabel type='dynamic' model='dac' relabel='yes'><label>+64055:+64055</label></seclabel>" }],
  [{ rest: '<resource><partition>/machine</partition></resource>' }],
  [{ rest: "<pm><suspend-to-mem enabled='no'/><suspend-to-disk enabled='no'/></pm>" }],
  [{ rest: '<metadata><nobody/></metadata>' }],
  [{ rest: "<features><acpi/><apic/><pae/><vmport state='off'/></features>" }],
  [
    {
      rest: "<features><hyperv mode='custom'><relaxed state='on'/><vapic state='on'/><spinlocks state='on' retries='8191'/></hyperv></features>",
    },
  ],
  [
    {
      rest: "<clock offset='utc'><timer name='rtc' tickpolicy='catchup'/><timer name='pit' tickpolicy='delay'/><timer name='hpet' present='no'/></clock>",
    },
  ],
  [{ rest: "<clock offset='utc'><timer name='hypervclock' present='yes'/></clock>" }],
  [{ rest: "<cpu mode='host-model' check='partial'><model fallback='allow'/></cpu>" }],
  [{ rest: '<title/><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>' }],
  [{ devices: '<emulator>/usr/bin/qemu-system-x86_64</emulator>', type: 'kvm' }, KVM],
  [
    {
      devices:
        "<controller type='usb' index='0' model='piix3-uhci'><alias name='usb'/><address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x2'/></controller>",
    },
  ],
  [{ devices: "<controller type='usb' model='ich9-uhci1'><master startport='0'/></controller>" }],
  [
    {
      devices:
        "<controller type='pci' index='0' model='pci-root'/><controller type='ide' index='0'/><controller type='virtio-serial' index='0'/>",
    },
  ],
  [
    {
      devices:
        "<input type='tablet' bus='usb'><address type='usb' bus='0' port='1'/></input><input type='mouse' bus='ps2'/><input type='keyboard' bus='ps2'/>",
    },
  ],
  [
    {
      devices:
        "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'><listen type='address' address='127.0.0.1'/></graphics>",
    },
  ],
  [{ devices: "<graphics type='vnc' port='-1'/>" }],
  [{ devices: "<graphics type='vnc' port='5901' autoport='yes' listen='localhost'/>" }],
  [{ devices: "<audio id='1' type='none'/>" }],
  [{ devices: "<memballoon model='virtio'><stats period='5'/></memballoon>" }],
  [{ devices: "<memballoon model='none'/>" }],
  [{ devices: "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>" }],
  [
    {
      devices:
        "<channel type='unix'><source mode='bind'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
    },
  ],
  [{ devices: "<panic model='isa'/>" }],
  [{ devices: "<video><model type='none'/></video>" }],
]

test('what has no meaning for a host is read and leaves the definition as it is', () => {
  for (const [parts, kind = HYPERV] of MEANINGLESS) {
    const plain = read(domain({ type: kind.types[0] }), kind)

    assert.deepEqual(read(domain(parts), kind), plain, JSON.stringify(parts))
  }
})

const DISK_EXTRAS = [
  '<backingStore/>',
  "<alias name='ide0-0-0'/>",
  "<address type='drive' controller='0' bus='0' target='0' unit='0'/>",
  "<driver name='qemu' cache='none' io='native' discard='unmap'/>",
]

test('what libvirt writes of disks and interfaces of running domains leaves them as they are', () => {
  const disk = (extra: string) =>
    domain({ devices: `<disk snapshot='external'><source file='/x.vhd'/><target dev='hda'/>${extra}</disk>` })
  const nic = (extra: string) =>
    domain({
      devices: `<interface type='network'><source network='Internal' portid='7' bridge='virbr0'/>${extra}</interface>`,
    })

  for (const extra of DISK_EXTRAS) assert.deepEqual(read(disk(extra)), read(disk('')), extra)
  for (const extra of ["<alias name='net0'/>", "<address type='pci' slot='0x03'/>", "<driver name='vhost'/>"]) {
    assert.deepEqual(read(nic(extra)), read(nic('')), extra)
  }
})

/** Two machines as virt-install 4.1 describes them: one for a host that is Hyper-V, one for KVM. */
const INSTALLED: readonly (readonly [string, HostKind])[] = [
  [
    `<domain type='hyperv'>
  <name>web</name>
  <uuid>1b007043-d40d-496d-996a-85a6a8024439</uuid>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
      <libosinfo:os id='http://microsoft.com/win/2k19'/>
    </libosinfo:libosinfo>
  </metadata>
  <memory>2097152</memory>
  <currentMemory>2097152</currentMemory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>
  <features><acpi/><apic/><pae/></features>
  <clock offset='localtime'/>
  <devices>
    <disk type='file' device='disk'><source file='C:\\VMs\\web.vhdx'/><target dev='hda' bus='ide'/></disk>
    <interface type='network'>
      <source network='Internal'/><mac address='00:16:3e:a5:88:e1'/><model type='e1000'/>
    </interface>
    <console type='pty'/>
    <input type='tablet' bus='usb'/>
    <graphics type='vnc' port='-1'/>
    <video><model type='vga'/></video>
  </devices>
</domain>`,
    HYPERV,
  ],
  [
    `<domain type='kvm'>
  <name>web</name>
  <uuid>14a72bff-ddda-4b7c-8d59-e6ab35e7567d</uuid>
  <memory>2097152</memory>
  <currentMemory>2097152</currentMemory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <features><acpi/><apic/><pae/></features>
  <clock offset='utc'>
    <timer name='rtc' tickpolicy='catchup'/><timer name='pit' tickpolicy='delay'/><timer name='hpet' present='no'/>
  </clock>
  <pm><suspend-to-mem enabled='no'/><suspend-to-disk enabled='no'/></pm>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' discard='unmap'/><source file='/srv/web.qcow2'/><target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='qemu-xhci' ports='15'/>
    <interface type='network'>
      <source network='Internal'/><mac address='52:54:00:10:f9:e5'/><model type='virtio'/>
    </interface>
    <console type='pty'/>
    <channel type='unix'><source mode='bind'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <input type='tablet' bus='usb'/>
    <graphics type='vnc' port='-1'/>
    <video><model type='vga'/></video>
    <memballoon model='virtio'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>`,
    KVM,
  ],
]

test('machines that virt-install describes are read', () => {
  for (const [text, kind] of INSTALLED) {
    const { memoryBytes, vcpus, disks, nics, platform } = read(text, kind)

    assert.deepEqual([memoryBytes, vcpus, disks.length, nics?.length], [2 * 1024 ** 3, 2, 1, 1])
    assert.deepEqual([platform?.serial, platform?.vga], ['console', 'std'])
  }
})

test('a machine that is to be looked at has a screen, unless it is said that it has none', () => {
  const vgaOf = (devices: string, kind = KVM) => read(domain({ type: kind.types[0], devices }), kind).platform?.vga

  assert.equal(vgaOf("<graphics type='vnc' port='-1'/>"), 'std')
  assert.equal(vgaOf("<graphics type='vnc' port='-1'/><video><model type='cirrus'/></video>"), 'cirrus')
  assert.equal(vgaOf("<graphics type='vnc' port='-1'/><video><model type='none'/></video>"), undefined)
  assert.equal(vgaOf(''), undefined)
  assert.equal(vgaOf("<graphics type='vnc' port='-1'/>", HYPERV), undefined)
})

test('everything that is accepted says why', () => {
  const reasons = JSON.stringify(accepted, (_key, value: unknown) => (value instanceof RegExp ? String(value) : value))

  assert.doesNotMatch(reasons, /"why":""/)
})
