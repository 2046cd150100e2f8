import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Snapshot } from '../../../src/drivers/driver.ts'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
} from '../../../src/libvirt/error-numbers.ts'
import { writeCapabilities } from '../../../src/libvirt/xml/capabilities.ts'
import { readSnapshot, writeSnapshot } from '../../../src/libvirt/xml/domain-snapshot.ts'
import { HYPERV, KVM, NEW_ID, throwsWith } from './domains.ts'

const SNAPSHOT: Snapshot = {
  id: 'snapshot-1',
  name: 'before <the> update',
  description: 'a & b',
  createdMs: 1_700_000_000_900,
  state: 'suspended',
  parent: 'snapshot-0',
  isCurrent: true,
}

test('a snapshot is described as libvirt does', () => {
  assert.equal(
    writeSnapshot(SNAPSHOT, { domainId: NEW_ID, parent: 'clean' }),
    `<domainsnapshot>
  <name>before &lt;the&gt; update</name>
  <description>a &amp; b</description>
  <state>running</state>
  <parent>
    <name>clean</name>
  </parent>
  <creationTime>1700000000</creationTime>
  <memory snapshot='internal'/>
  <domain>
    <uuid>${NEW_ID}</uuid>
  </domain>
</domainsnapshot>
`,
  )
  const halted = writeSnapshot({ ...SNAPSHOT, state: 'halted' }, { domainId: NEW_ID })
  assert.match(halted, /<state>shutoff<\/state>\n {2}<creationTime>/)
  assert.match(halted, /<memory snapshot='no'\/>/)
})

test('another snapshot can be made of the description of one', () => {
  const text = writeSnapshot(SNAPSHOT, { domainId: NEW_ID, parent: 'clean' })

  assert.deepEqual(readSnapshot(text), { name: SNAPSHOT.name, description: SNAPSHOT.description, keepsMemory: true })
})

test('a snapshot needs neither a name nor a description', () => {
  assert.deepEqual(readSnapshot('<domainsnapshot/>'), { description: '' })
  assert.deepEqual(
    readSnapshot(
      "<domainsnapshot><memory snapshot='no'/><disks><disk name='hda' snapshot='internal'/></disks><domain type='kvm'><x>y</x></domain></domainsnapshot>",
    ),
    { description: '', keepsMemory: false },
  )
})

test('what a snapshot cannot be is refused by name', () => {
  for (const [inside, code, name] of [
    [
      "<memory snapshot='external' file='/m'/>",
      VIR_ERR_CONFIG_UNSUPPORTED,
      "domainsnapshot/memory/@snapshot = 'external'",
    ],
    ["<memory snapshot='internal' file='/m'/>", VIR_ERR_CONFIG_UNSUPPORTED, 'domainsnapshot/memory/@file'],
    [
      "<disks><disk name='hda' snapshot='external'/></disks>",
      VIR_ERR_CONFIG_UNSUPPORTED,
      'domainsnapshot/disks/disk/@snapshot',
    ],
    [
      "<disks><disk name='hda' snapshot='no'/></disks>",
      VIR_ERR_CONFIG_UNSUPPORTED,
      'domainsnapshot/disks/disk/@snapshot',
    ],
    ['<name>a\nb</name>', VIR_ERR_XML_DETAIL, 'invalid char in name'],
    ['<cookie/>', VIR_ERR_CONFIG_UNSUPPORTED, 'domainsnapshot/cookie'],
  ] as const) {
    throwsWith(() => readSnapshot(`<domainsnapshot>${inside}</domainsnapshot>`), code, name)
  }
  throwsWith(() => readSnapshot('<domain/>'), VIR_ERR_XML_ERROR, "'domainsnapshot'")
})

test('what a host can do is described without a word that it does not tell', () => {
  const info = {
    id: NEW_ID,
    name: 'hv1',
    memoryBytes: 2 ** 34,
    cpus: [{ number: 0, features: ['FPU', 'XMM2', 'LM'] }],
    softwareVersion: {},
  }

  assert.equal(
    writeCapabilities(info, HYPERV),
    `<capabilities>
  <host>
    <uuid>${NEW_ID}</uuid>
    <cpu>
      <arch>x86_64</arch>
      <feature name='fpu'/>
      <feature name='sse2'/>
      <feature name='lm'/>
    </cpu>
  </host>
  <guest>
    <os_type>hvm</os_type>
    <arch name='x86_64'>
      <wordsize>64</wordsize>
      <domain type='hyperv'/>
    </arch>
    <features>
      <acpi default='on' toggle='no'/>
      <apic default='on' toggle='no'/>
      <pae/>
    </features>
  </guest>
</capabilities>
`,
  )
  assert.match(
    writeCapabilities(info, KVM, { vcpusMax: 16 }),
    /<machine maxCpus='16'>pc<\/machine>\n\s+<domain type='kvm'/,
  )
})
