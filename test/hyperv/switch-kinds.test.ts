import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  embedded,
  type EndpointReference,
  httpTransport,
  objectPath,
  parseTargetUri,
  reference,
  typed,
  WsmanClient,
} from '../../src/protocols/wsman/index.ts'
import { connect, type Connection } from '../../src/libvirt/index.ts'
import { HYPERV_ADMIN } from '../support/sim-hyperv.ts'
import { type HypervHost, passwordFile, startHost } from './setting.ts'

const V1 = 'root/virtualization'
const V2 = 'root/virtualization/v2'

/** Runs with a host, somebody else's client of it, and a connection of ours. */
async function onHost(
  build: number,
  namespace: string,
  run: (client: WsmanClient, connection: Connection) => Promise<void>,
): Promise<void> {
  const host: HypervHost = await startHost('--build', String(build), '--pace', '0')
  const target = parseTargetUri(`hyperv://${HYPERV_ADMIN.name}@${host.uri.host}/?transport=http`, () =>
    readFileSync(passwordFile, 'utf8'),
  )
  const client = new WsmanClient(httpTransport(target), { namespace })
  const connection = await connect(host.uri.href)
  try {
    await run(client, connection)
  } finally {
    await connection.close()
    await client.close()
    await host.sim.close()
  }
}

async function serviceOf(client: WsmanClient, className: string): Promise<EndpointReference> {
  const [service] = await client.queryReferences(className)
  return service ?? assert.fail(className)
}

/** As its tools make a switch of the kind Internal. */
async function makeInternal(client: WsmanClient, name: string): Promise<void> {
  const key = { CreationClassName: 'Msvm_ComputerSystem', Name: 'HVHOST' }
  const port = embedded('Msvm_EthernetPortAllocationSettingData', {
    ResourceType: typed('uint16', 33),
    ResourceSubType: typed('string', 'Microsoft:Hyper-V:Ethernet Connection'),
    HostResource: typed('string[]', [objectPath(reference(V2, 'Msvm_ComputerSystem', key), 'HVHOST')]),
  })
  const SystemSettings = embedded('Msvm_VirtualEthernetSwitchSettingData', { ElementName: typed('string', name) })
  const service = await serviceOf(client, 'Msvm_VirtualEthernetSwitchManagementService')
  await client.invoke(service, 'DefineSystem', { SystemSettings, ResourceSettings: [port] })
}

/** The same through v1: a switch, a port of it, a card of the host, and what joins them. */
async function makeInternalV1(client: WsmanClient, name: string): Promise<void> {
  const service = await serviceOf(client, 'Msvm_VirtualSwitchManagementService')
  const call = async (method: string, input: Parameters<WsmanClient['invoke']>[2]) => {
    const { returnValue, output } = await client.invoke(service, method, input)
    assert.equal(returnValue, 0, method)
    return output
  }
  const made = await call('CreateSwitch', {
    Name: '11111111-2222-3333-4444-555555555555',
    FriendlyName: name,
    NumLearnableAddresses: 1_024,
    ScopeOfResidence: '',
  })
  const SwitchPort = (
    await call('CreateSwitchPort', {
      VirtualSwitch: made.reference('CreatedVirtualSwitch') ?? assert.fail(),
      Name: '22222222-2222-3333-4444-555555555555',
      FriendlyName: 'port',
      ScopeOfResidence: '',
    })
  ).reference('CreatedSwitchPort')
  await call('CreateInternalEthernetPortDynamicMac', {
    Name: '33333333-2222-3333-4444-555555555555',
    FriendlyName: name,
  })
  const ends = await client.query('Msvm_GlobalEthernetPortSAPImplementation')
  const end = ends.find(each => each.reference('Antecedent')?.className === 'Msvm_InternalEthernetPort')
  const LANEndpoint = end?.reference('Dependent') ?? assert.fail()
  await call('ConnectSwitchPort', { SwitchPort: SwitchPort ?? assert.fail(), LANEndpoint })
}

const xmlOf = async (connection: Connection, name: string) => (await connection.networkLookupByName(name)).getXMLDesc()
const described = (name: string, more = '') => `<network><name>${name}</name>${more}</network>`
const OWN = "<bridge name='vEthernet (Internal)'/>"

for (const [build, namespace, make] of [
  [20_348, V2, makeInternal],
  [7_601, V1, makeInternalV1],
] as const) {
  test(`the kind of a switch is in the description of its network on build ${build}`, async () => {
    await onHost(build, namespace, async (client, connection) => {
      await make(client, 'Internal')
      await connection.networkDefineXML(described('Private'))
      const internal = await xmlOf(connection, 'Internal')

      assert(internal.includes(OWN), internal)
      assert.equal(await (await connection.networkLookupByName('Internal')).getBridgeName(), 'vEthernet (Internal)')
      assert.doesNotMatch(await xmlOf(connection, 'Private'), /bridge|forward/)
      await connection.networkDefineXML(internal)
      assert.equal(await xmlOf(connection, 'Internal'), internal)
      const other = internal.replaceAll('Internal', 'Private').replace(/<uuid>.*<\/uuid>/, '')
      await assert.rejects(connection.networkDefineXML(other), { name: 'LibvirtError', message: /already exists/ })
      const plugged = (await xmlOf(connection, 'Private')).replace(
        '</network>',
        `${OWN.replace('Internal', 'Private')}</network>`,
      )
      await assert.rejects(connection.networkDefineXML(plugged), { name: 'LibvirtError', message: /left as it is/ })
      for (const network of await connection.listAllNetworks()) await network.undefine()
      assert.equal(await connection.numOfNetworks(), 0)
    })
  })
}

test('a switch with a port of the host is made through v2, and refused through v1', async () => {
  const wanted = described('Internal', OWN)
  await onHost(20_348, V2, async (client, connection) => {
    assert((await (await connection.networkDefineXML(wanted)).getXMLDesc()).includes(OWN))
    const ports = await client.query('Msvm_EthernetPortAllocationSettingData')
    assert(ports.some(port => port.strings('HostResource')[0]?.includes('Msvm_ComputerSystem') === true))
  })
  await onHost(7_601, V1, async (_client, connection) => {
    await assert.rejects(connection.networkDefineXML(wanted), {
      name: 'LibvirtError',
      message: /plugged into no switch/,
    })
    assert.equal(await connection.numOfNetworks(), 0)
  })
})
