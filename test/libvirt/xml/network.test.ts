import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { NetworkConfig } from '../../../src/drivers/driver.ts'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_NO_NAME,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
} from '../../../src/libvirt/error-numbers.ts'
import type { HostKind } from '../../../src/libvirt/xml/host-kind.ts'
import { readNetwork, writeNetwork } from '../../../src/libvirt/xml/network.ts'
import { HYPERV, KVM, NEW_ID, throwsWith } from './domains.ts'

const PRIVATE: NetworkConfig = { id: NEW_ID, name: 'lan', nic: '', vlan: null, gateway: '', netmask: '' }

const read = (text: string, kind: HostKind = HYPERV) => readNetwork(text, { kind, newId: () => NEW_ID })
const network = (inside: string) => `<network><name>lan</name>${inside}</network>`

test('a network comes back from its description as it was', () => {
  const config = fc.record({
    id: fc.uuid(),
    name: fc.stringMatching(/^[\w &<'"é-]{1,12}$/),
    nic: fc.constantFrom('', 'Ethernet 2', 'Intel(R) 82574L & Co', 'br0'),
    vlan: fc.option(fc.integer({ min: 1, max: 4094 })),
    gateway: fc.constantFrom('10.1.0.1', '192.168.1.254'),
    netmask: fc.constantFrom('', '255.255.0.0'),
  })
  fc.assert(
    fc.property(config, fc.constantFrom(HYPERV, KVM), (each, kind) => {
      assert.deepEqual(read(writeNetwork(each, kind), kind), { ...each })
    }),
  )
})

test('a network that is bound to a card is described with the card and the tag', () => {
  const config = { ...PRIVATE, nic: 'Ethernet 2', vlan: 42 }

  assert.equal(
    writeNetwork(config, HYPERV),
    `<network>
  <name>lan</name>
  <uuid>${NEW_ID}</uuid>
  <forward dev='Ethernet 2' mode='bridge'>
    <interface dev='Ethernet 2'/>
  </forward>
  <vlan>
    <tag id='42'/>
  </vlan>
</network>
`,
  )
})

test('a network that is bound to no card is private on Hyper-V, and goes out as the host elsewhere', () => {
  assert.doesNotMatch(writeNetwork(PRIVATE, HYPERV), /forward/)
  assert.match(writeNetwork(PRIVATE, KVM), /<forward mode='nat'\/>/)
  const wayOut = 'networks of this host have no forward, or'
  throwsWith(() => read(network("<forward mode='nat'/>")), VIR_ERR_CONFIG_UNSUPPORTED, wayOut)
  throwsWith(() => read(network(''), KVM), VIR_ERR_CONFIG_UNSUPPORTED, "network/forward = 'none'")
  throwsWith(() => read(network(''), KVM), VIR_ERR_CONFIG_UNSUPPORTED, 'networks of this host are of mode nat, or')
})

const MEANINGS: readonly (readonly [string, Partial<NetworkConfig>, HostKind?])[] = [
  ['', {}],
  ["<forward mode='none'/>", {}],
  ["<forward mode='bridge'><interface dev='eth0'/></forward>", { nic: 'eth0' }],
  ["<forward mode='bridge' dev='eth0'/>", { nic: 'eth0' }],
  ["<forward mode='bridge'/><bridge name='br0'/>", { nic: 'br0' }],
  ["<vlan><tag id='7'/></vlan>", { vlan: 7 }],
  ["<ip address='10.0.0.1' prefix='20'/>", { gateway: '10.0.0.1', netmask: '255.255.240.0' }],
  [
    "<ip family='ipv4' address='10.0.0.1' netmask='255.0.0.0'><dhcp/></ip>",
    { gateway: '10.0.0.1', netmask: '255.0.0.0' },
  ],
  ['<uuid>AAAAAAAA-0000-4000-8000-000000000000</uuid>', { id: 'aaaaaaaa-0000-4000-8000-000000000000' }],
  ["<metadata><x:y xmlns:x='urn:x' z='1'/></metadata>", {}],
  ["<forward mode='nat'/><bridge name='virbr0' stp='on' delay='0'/><mac address='52:54:00:aa:bb:cc'/>", {}, KVM],
]

test('parts of a description become the words of the driver contract', () => {
  for (const [inside, meaning, kind] of MEANINGS) {
    assert.deepEqual(read(network(inside), kind), { ...PRIVATE, ...meaning }, inside)
  }
})

const REFUSED: readonly (readonly [string, number, string])[] = [
  ["<forward mode='route'/>", VIR_ERR_CONFIG_UNSUPPORTED, "network/forward/@mode = 'route'"],
  ["<forward mode='zz'/>", VIR_ERR_CONFIG_UNSUPPORTED, "unknown forwarding type 'zz'"],
  ["<forward mode='bridge'/>", VIR_ERR_CONFIG_UNSUPPORTED, 'network/forward/interface'],
  [
    "<forward mode='bridge'><interface dev='a'/><interface dev='b'/></forward>",
    VIR_ERR_CONFIG_UNSUPPORTED,
    "interface[2] = 'b'",
  ],
  ["<forward mode='bridge' dev='a'/><bridge name='br0'/>", VIR_ERR_CONFIG_UNSUPPORTED, "network/forward = 'a, br0'"],
  ["<forward mode='bridge'><interface dev='a'/><nat/></forward>", VIR_ERR_CONFIG_UNSUPPORTED, 'network/forward/nat'],
  ["<bridge name='br0'/>", VIR_ERR_CONFIG_UNSUPPORTED, "network/bridge/@name = 'br0'"],
  ["<vlan trunk='yes'><tag id='1'/></vlan>", VIR_ERR_CONFIG_UNSUPPORTED, "network/vlan/@trunk = 'yes'"],
  ["<vlan><tag id='1'/><tag id='2'/></vlan>", VIR_ERR_CONFIG_UNSUPPORTED, "network/vlan/tag[2]/@id = '2'"],
  ["<vlan><tag id='1' nativeMode='tagged'/></vlan>", VIR_ERR_CONFIG_UNSUPPORTED, 'network/vlan/tag/@nativeMode'],
  ["<vlan><tag id='4095'/></vlan>", VIR_ERR_XML_ERROR, 'network/vlan/tag/@id'],
  ['<vlan/>', VIR_ERR_XML_ERROR, 'missing tag id'],
  ["<virtualport type='openvswitch'/>", VIR_ERR_CONFIG_UNSUPPORTED, 'network/virtualport'],
  ["<portgroup name='x'/>", VIR_ERR_CONFIG_UNSUPPORTED, 'network/portgroup'],
  ['<bandwidth/>', VIR_ERR_CONFIG_UNSUPPORTED, 'network/bandwidth'],
  ['<dns/>', VIR_ERR_CONFIG_UNSUPPORTED, 'network/dns'],
  ["<domain name='x'/>", VIR_ERR_CONFIG_UNSUPPORTED, 'network/domain'],
  ["<mtu size='9000'/>", VIR_ERR_CONFIG_UNSUPPORTED, 'network/mtu'],
  [
    "<ip address='10.0.0.1'><dhcp><range start='10.0.0.2' end='10.0.0.9'/></dhcp></ip>",
    VIR_ERR_CONFIG_UNSUPPORTED,
    'network/ip/dhcp/range',
  ],
  ["<ip family='ipv6' address='fd00::1'/>", VIR_ERR_CONFIG_UNSUPPORTED, "network/ip/@family = 'ipv6'"],
  ["<ip address='10.0.0.256'/>", VIR_ERR_XML_ERROR, 'network/ip/@address'],
  ["<ip address='10.0.0.1' prefix='33'/>", VIR_ERR_XML_ERROR, 'network/ip/@prefix'],
  [
    "<ip address='10.0.0.1'/><ip address='10.0.1.1'/>",
    VIR_ERR_CONFIG_UNSUPPORTED,
    "network/ip[2]/@address = '10.0.1.1'",
  ],
]

test('what a network cannot be is refused by name', () => {
  for (const [inside, code, name] of REFUSED) throwsWith(() => read(network(inside)), code, name)
  throwsWith(() => read('<network/>'), VIR_ERR_NO_NAME)
  throwsWith(() => read('<network><name>a/b</name></network>'), VIR_ERR_XML_DETAIL, 'invalid char in name')
  throwsWith(() => read('<pool/>'), VIR_ERR_XML_ERROR, "expecting root element of 'network'")
})
