import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { WsmanClient } from '../../src/protocols/wsman/client.ts'
import { CimInterval, CimTimestamp } from '../../src/protocols/wsman/datetime.ts'
import { embedded, typed } from '../../src/protocols/wsman/embedded.ts'
import { reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import { associatorsOf, wql } from '../../src/protocols/wsman/wql.ts'
import { parseXml, type XmlElement } from '../../src/wire/xml/tree.ts'
import { FIXTURES, scripted } from './client-script.ts'

const V2 = 'root/virtualization/v2'
const MACHINE = reference(V2, 'Msvm_ComputerSystem', {
  CreationClassName: 'Msvm_ComputerSystem',
  Name: '0F924121-D665-5AAA-9722-7B7C13E12633',
})
const SERVICE = reference(V2, 'Msvm_VirtualSystemManagementService', {
  CreationClassName: 'Msvm_VirtualSystemManagementService',
})
const CONFIGURATION = reference(V2, 'Msvm_VirtualSystemSettingData', {
  InstanceID: 'Microsoft:0F924121-D665-5AAA-9722-7B7C13E12633',
})
const DISK = embedded('Msvm_StorageAllocationSettingData', {
  ResourceType: typed('uint16', 31),
  ResourceSubType: typed('string', 'Microsoft:Hyper-V:Virtual Hard Disk'),
  HostResource: typed('string[]', ['C:\\Disks\\a & b <1>.vhdx']),
  Limit: typed('uint64', 18_446_744_073_709_551_615n),
  AutomaticAllocation: typed('boolean', true),
})

/** Every kind of request, by the name of the file that holds its bytes. */
const REQUESTS: Readonly<Record<string, (client: WsmanClient) => Promise<unknown>>> = {
  identify: client => client.identify(),
  get: client => client.get(MACHINE),
  'get-of-the-only-instance': client => client.get(reference('root/cimv2', 'Win32_OperatingSystem')),
  'put-of-every-kind-of-value': client =>
    client.put(reference('root\\cimv2', 'Win32_Thing', { Index: 4, Owner: MACHINE }), {
      Name: 'a < b & c',
      Empty: '',
      Size: 9_007_199_254_740_993n,
      IsOn: false,
      Since: new CimTimestamp(1_765_965_322_702_341n),
      Delay: CimInterval.ofMilliseconds(90_250),
      Owner: MACHINE,
      Tags: ['one', 'two'],
      Nothing: null,
      None: [],
      LeftOut: undefined,
      Data: Uint8Array.of(0, 1, 255),
    }),
  create: client => client.create('Win32_Share', { Name: 'disks', Type: 0 }, { namespace: 'root/cimv2' }),
  delete: client => client.delete(MACHINE),
  'enumerate-class': client => client.query('Msvm_ComputerSystem'),
  'enumerate-class-exactly': client => client.query({ className: 'CIM_ComputerSystem', polymorphism: 'none' }),
  'enumerate-query': client => client.query(wql`SELECT * FROM Msvm_ComputerSystem WHERE ElementName = ${"it's"}`),
  'enumerate-query-for-references': client => client.queryReferences(wql`SELECT * FROM Msvm_Keyboard`),
  'enumerate-both': client => client.enumerateNamed('Msvm_VirtualEthernetSwitch').next(),
  'enumerate-associators': client =>
    client.query(
      associatorsOf(CONFIGURATION, {
        associationClass: 'Msvm_VirtualSystemSettingDataComponent',
        resultClass: 'Msvm_ProcessorSettingData',
      }),
    ),
  'enumerate-selector-filter': client =>
    client.query({ className: 'Msvm_ComputerSystem', where: { EnabledState: 2, Caption: 'Virtual Machine' } }),
  'enumerate-association-filter': client =>
    client.query({
      of: MACHINE,
      associationClass: 'Msvm_SettingsDefineState',
      resultClass: 'Msvm_VirtualSystemSettingData',
      role: 'ManagedElement',
      resultRole: 'SettingData',
      properties: ['ElementName', 'InstanceID'],
    }),
  'enumerate-associations-by-filter': client => client.query({ of: MACHINE, isOfAssociations: true }),
  pull: client => client.pull('Msvm_ComputerSystem', 'uuid:8B62B7A5-0000-4000-8000-000000000001'),
  release: client => client.release('Msvm_ComputerSystem', 'uuid:8B62B7A5-0000-4000-8000-000000000001'),
  'invoke-without-parameters': client =>
    client.invoke(reference(V2, 'Msvm_Keyboard', { DeviceID: 'k' }), 'TypeCtrlAltDel'),
  'invoke-simple': client =>
    client.invoke(MACHINE, 'RequestStateChange', {
      RequestedState: 2,
      TimeoutPeriod: CimInterval.ofMilliseconds(1_500),
    }),
  'invoke-reference-and-instances': client =>
    client.invoke(SERVICE, 'AddResourceSettings', {
      AffectedConfiguration: CONFIGURATION,
      ResourceSettings: [DISK, DISK],
    }),
  'invoke-references-and-numbers': client =>
    client.invoke(SERVICE, 'GetSummaryInformation', {
      SettingData: [CONFIGURATION, CONFIGURATION],
      RequestedInformation: [0, 1, 100],
    }),
  'invoke-with-options': client =>
    client.invoke(
      SERVICE,
      'DestroySystem',
      { AffectedSystem: MACHINE },
      { timeoutMs: 2_500, options: { hint: 'a "b"' } },
    ),
}

/** What a client sends, whatever becomes of it. */
async function sent(request: (client: WsmanClient) => Promise<unknown>): Promise<string> {
  const { client, host } = scripted([() => '<w:Unwanted/>'], {
    newMessageId: () => 'uuid:00000000-0000-4000-8000-000000000001',
    sessionId: 'uuid:00000000-0000-4000-8000-000000000002',
    dataLocale: 'de-DE',
    retry: { retries: 0 },
  })
  await request(client).catch(() => undefined)
  return host.asked[0]?.text ?? ''
}

for (const [name, request] of Object.entries(REQUESTS)) {
  test(`the bytes of a request: ${name}`, async () => {
    const golden = readFileSync(join(FIXTURES, 'requests', `${name}.xml`), 'utf8').trimEnd()

    assert.equal(await sent(request), golden)
  })
}

test('no two requests have the same name', async () => {
  const { client, host } = scripted([() => ''])

  await client.delete(MACHINE)
  await client.delete(MACHINE)

  const names = host.asked.map(({ messageId }) => messageId)
  for (const name of names) assert.match(name, /^uuid:[\dA-F]{8}(-[\dA-F]{4}){3}-[\dA-F]{12}$/)
  assert.equal(new Set(names).size, 2)
})

/** The body of a request that a foreign client sent. */
function foreignBody(name: string): XmlElement | undefined {
  const text = readFileSync(join(FIXTURES, 'client-requests', name), 'utf8')
  return parseXml(Buffer.from(text.slice(text.indexOf('<?xml')).trim()))
    .elements('Body')[0]
    ?.elements()[0]
}

/** Names with their namespaces, attributes, text: what an element means, whatever its prefixes. */
function meaning(element: XmlElement | undefined): unknown {
  if (element === undefined) return undefined
  const attributes = element.attributes.map(({ name, namespace, value }) => `${namespace} ${name}=${value}`)
  const children = element.elements().map(meaning)
  return [element.namespace, element.name, attributes, children.length > 0 ? children : element.text()]
}

// Proves: hypervCreateXmlStruct, hypervAddEprParam
test('a method with a reference and an instance means what libvirt sends, but for the quirks of its own', async () => {
  const foreign = foreignBody('libvirt-v2/invoke_addresourcesettings_1.txt')
  const configuration = foreign?.elements('AffectedConfiguration')[0]
  const selector = configuration
    ?.elements('ReferenceParameters')[0]
    ?.elements('SelectorSet')[0]
    ?.elements('Selector')[0]
  const own = reference(V2, 'Msvm_VirtualSystemSettingData', { InstanceID: selector?.text() ?? '' })

  const text = await sent(client => client.invoke(SERVICE, 'AddResourceSettings', { AffectedConfiguration: own }))

  const body = parseXml(Buffer.from(text)).elements('Body')[0]?.elements()[0]
  assert.deepEqual(meaning(body?.elements('AffectedConfiguration')[0]), meaning(configuration))
})

test('an association filter means what openwsman sends', async () => {
  const foreign = foreignBody('wsmancli/enumerate_association_filter.txt')

  const text = await sent(client => client.query({ of: reference(V2, 'Msvm_ComputerSystem', { Name: 'a' }) }))

  const filter = parseXml(Buffer.from(text)).elements('Body')[0]?.elements()[0]?.elements('Filter')[0]
  assert.deepEqual(meaning(filter), meaning(foreign?.elements('Filter')[0]))
})
