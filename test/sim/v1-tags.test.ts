import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import type { CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import { randomOf } from '../../sim/hyperv/host/random.ts'
import { repositoriesOf } from '../../sim/hyperv/repositories.ts'
import { wsmanService } from '../../sim/hyperv/wsman/service.ts'
import { embedded, onlyOne, query } from './host-world.ts'
import { defineHere, outOf, pathHere, serve, type V1World, v1WorldOf } from './v1-world.ts'
import { contentOf, faultOf } from './wsman/replies.ts'
import { makeRequest } from './wsman/requests.ts'
import { post, USER } from './wsman/world.ts'

const SETTINGS = 'Msvm_VLANEndpointSettingData'
const URI = `http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/${SETTINGS}`
const NIC = 'Msvm_SyntheticEthernetPortSettingData'

async function portOn(world: V1World, title: string): Promise<Instance> {
  const made = await serve(world, 'VirtualSwitch', 'CreateSwitch', { Name: '', FriendlyName: 'lab' })
  const VirtualSwitch = pathHere(world, outOf(world, made, 'CreatedVirtualSwitch'))
  const input = { VirtualSwitch, Name: '', FriendlyName: title, ScopeOfResidence: '' }
  return outOf(world, await serve(world, 'VirtualSwitch', 'CreateSwitchPort', input), 'CreatedSwitchPort')
}

const settingsOf = (world: V1World, title: string): Instance =>
  onlyOne(world.v1, `SELECT * FROM ${SETTINGS} WHERE ElementName = '${title}'`)

const tagOf = (world: V1World, title: string): CimValue => valueOf(settingsOf(world, title), 'AccessVLAN')

/** Puts these properties of the settings that a port with this title has, through the face of WS-Management. */
function put({ host, v1 }: V1World, title: string, properties: string, className = SETTINGS) {
  const service = wsmanService({
    host: { name: host.state.name, build: host.state.build },
    namespaces: repositoriesOf(host, ['v1']),
    clock: host.clock,
    random: randomOf('tags'),
    onBug: error => assert.fail(String(error)),
  })
  const InstanceID = textOf(onlyOne(v1, `SELECT * FROM ${SETTINGS} WHERE ElementName = '${title}'`), 'InstanceID')
  const request = makeRequest('Put', SETTINGS, {
    namespace: 'root/virtualization',
    selectors: { InstanceID },
    input: `<p:${className} xmlns:p="${URI}">${properties}</p:${className}>`,
  })
  return post(service, request, USER)
}

test('the tag of a port is written by putting its settings, and read from them and their answer', async () => {
  const world = await v1WorldOf({ build: 7601 })
  await portOn(world, 'one')

  for (const tag of [7, 4094, 0]) {
    const answer = contentOf(await put(world, 'one', `<p:AccessVLAN>${tag}</p:AccessVLAN>`))
    assert.equal(answer.element('AccessVLAN')?.text(), String(tag))
    assert.equal(tagOf(world, 'one'), tag)
  }
})

test('a port leads to its settings by what it binds to', async () => {
  const world = await v1WorldOf({ build: 7601 })
  const port = await portOn(world, 'one')
  const name = (instance: Instance, ...keys: string[]) => ({
    className: instance.class.name,
    keys: new Map(keys.map(key => [key, textOf(instance, key)])),
  })
  const keys = ['CreationClassName', 'Name', 'SystemCreationClassName', 'SystemName']
  const [endpoint] = world.v1.associators(name(port, ...keys), { associationClass: 'Msvm_BindsTo' })
  assert(endpoint !== undefined)

  const [settings] = world.v1.associators(name(endpoint, ...keys), {
    associationClass: 'Msvm_NetworkElementSettingData',
  })

  assert.equal(textOf(endpoint, 'Name'), textOf(port, 'Name'))
  assert.equal(settings && textOf(settings, 'ElementName'), 'one')
})

test('an adapter takes the tag of the port that it is put at, and shows it in v2', async () => {
  const world = await v1WorldOf({ build: 9200 })
  const port = await portOn(world, 'one')
  await put(world, 'one', '<p:AccessVLAN>7</p:AccessVLAN>')
  const text = embedded(NIC, {
    Connection: ['string', [pathHere(world, port)]],
    VirtualSystemIdentifiers: ['string', ['{a9196905-c530-4bb5-bf89-21584ec59c67}']],
    ResourceType: ['uint16', 10],
    ResourceSubType: ['string', 'Microsoft Synthetic Ethernet Port'],
  })
  const system = await defineHere(world, 'web')
  const input = { TargetSystem: pathHere(world, system), ResourceSettingData: [text] }
  await serve(world, 'VirtualSystem', 'AddVirtualSystemResources', input)
  const shown = () =>
    query(world.v2, `SELECT * FROM Msvm_EthernetSwitchPortVlanSettingData WHERE InstanceID LIKE '%\\C\\%'`).map(row =>
      valueOf(row, 'AccessVlanId'),
    )

  assert.deepEqual([tagOf(world, 'one'), ...shown()], [7, 7])
  await put(world, 'one', '<p:AccessVLAN>8</p:AccessVLAN>')
  assert.deepEqual([tagOf(world, 'one'), ...shown()], [8, 8])
  await put(world, 'one', '<p:AccessVLAN>0</p:AccessVLAN>')
  assert.deepEqual([tagOf(world, 'one'), ...shown()], [0])
})

test('what cannot be put is refused, and changes nothing', async () => {
  const world = await v1WorldOf({ build: 7601 })
  await portOn(world, 'one')
  const subcode = async (properties: string, className?: string) =>
    faultOf(await put(world, 'one', properties, className)).subcode

  assert.equal(await subcode('<p:Unknown>1</p:Unknown>'), 'w:SchemaValidationError')
  assert.equal(await subcode('<p:AccessVLAN>many</p:AccessVLAN>'), 'w:SchemaValidationError')
  assert.equal(await subcode('<p:AccessVLAN>7</p:AccessVLAN>', 'Msvm_Other'), 'w:SchemaValidationError')
  assert.equal(await subcode('<p:AccessVLAN>4095</p:AccessVLAN>'), 'w:InternalError')
  assert.equal(await subcode('<p:DefaultVLAN>7</p:DefaultVLAN>'), 'w:InternalError')
  assert.equal(tagOf(world, 'one'), 0)
})
