import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fromXmlTime } from '../../../sim/hyperv/cim/datetime.ts'
import type { CimClass, CimProperty, CimScalar, CimValue } from '../../../sim/hyperv/cim/model.ts'
import { loadSchema } from '../../../sim/hyperv/cim/schema.ts'
import { readScalar } from '../../../sim/hyperv/cim/value.ts'
import type { Random } from '../../../sim/hyperv/host/random.ts'
import { parseXml, type XmlElement } from '../../../src/wire/xml/tree.ts'
import { makeRequest } from './requests.ts'
import { makeWorld, type World, type WorldOptions } from './world.ts'

// What a real host answered is written again from equal values, byte for byte.

const V2 = 'root\\virtualization\\v2'
const URI = 'http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2'
const SCHEMA = loadSchema(V2, 26100)
const FOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'hyperv', 'recorded')

const read = (name: string): string => readFileSync(join(FOLDER, `${name}.xml`), 'utf8').trimEnd()
const id = (digits: string): string => `00000000-0000-4000-8000-${digits.padStart(12, '0')}`

/** A host that gives its GUIDs in this order. */
function recordedHost(guids: readonly string[], options: WorldOptions): World {
  const left = guids.map(id)
  const random: Random = { fraction: () => 0, integer: low => low, hex: () => '', guid: () => left.shift() ?? id('f') }
  return makeWorld({ build: 26100, locale: 'ja-JP', random, ...options })
}

/** The values of an instance that was recorded, as the schema types them. */
function valuesOf(text: string, cls: CimClass): Record<string, CimValue> {
  const instance = findElement(parseXml(new TextEncoder().encode(text)), cls.name)
  assert.ok(instance, `no ${cls.name} was recorded`)
  const values: Record<string, CimValue> = {}
  for (const property of cls.properties) {
    const items = instance
      .elements(property.name)
      .filter(element => element.attribute('nil', 'http://www.w3.org/2001/XMLSchema-instance') !== 'true')
      .map(element => readItem(element, property))
    if (items.length > 0 || property.isArray) values[property.name] = property.isArray ? items : (items[0] ?? null)
    // A NULL of the recording is none that the schema would fill in.
    if (items.length === 0) values[property.name] = null
  }
  return values
}

function findElement(element: XmlElement, name: string): XmlElement | undefined {
  if (element.name === name) return element
  return element
    .elements()
    .reduce<XmlElement | undefined>((found, child) => found ?? findElement(child, name), undefined)
}

function readItem(element: XmlElement, { type }: CimProperty): CimScalar {
  const value =
    type === 'reference'
      ? readPath(element)
      : type === 'datetime'
        ? fromXmlTime(element.elements()[0]?.text() ?? '')
        : readScalar(element.text(), type)
  assert.ok(value !== undefined, element.name)
  return value
}

function readPath(element: XmlElement): string {
  const parameters = element.element('ReferenceParameters')
  const uri = parameters?.element('ResourceURI')?.text() ?? ''
  const selectors = parameters?.element('SelectorSet')?.elements() ?? []
  const keys = selectors.map(each => `${each.attribute('Name')}="${each.text()}"`)
  return `\\\\HVHOST\\${V2}:${uri.slice(URI.length + 1)}.${keys.join(',')}`
}

function classOf(name: string): CimClass {
  const cls = SCHEMA.find(name)
  assert.ok(cls)
  return cls
}

describe('a recorded answer is written again byte for byte', () => {
  for (const [state, guids, messageId] of [
    ['completed', ['8'], '9'],
    ['running', ['4'], '5'],
  ] as const) {
    test(`to a Get of a storage job that is ${state}`, async () => {
      const recorded = read(`get_response_storagejob_${state}`)
      const values = valuesOf(recorded, classOf('Msvm_StorageJob'))
      const { InstanceID } = values
      assert.ok(typeof InstanceID === 'string')
      const world = recordedHost(guids, { content: { Msvm_StorageJob: [values] } })
      const request = makeRequest('Get', 'Msvm_StorageJob', {
        messageId: `uuid:${id(messageId)}`,
        selectors: { InstanceID },
      })

      const reply = await world.post(request)

      assert.equal(reply.text, recorded)
    })
  }

  test('to a Pull that ends, with references', async () => {
    const recorded = read('pull_affectedjobelement')
    const world = recordedHost(['1', '80', '81'], {
      content: { Msvm_AffectedJobElement: [valuesOf(recorded, classOf('Msvm_AffectedJobElement'))] },
    })

    await world.post(makeRequest('Enumerate', 'Msvm_AffectedJobElement'))
    const reply = await world.post(
      makeRequest('Pull', 'Msvm_AffectedJobElement', { messageId: `uuid:${id('82')}`, context: `uuid:${id('80')}` }),
    )

    assert.equal(reply.text, recorded)
  })

  test('to a Pull that goes on', async () => {
    const recorded = read('pull_computersystem_running_vm')
    const values = valuesOf(recorded, classOf('Msvm_ComputerSystem'))
    const world = recordedHost(['1', '2', '7', '9'], { content: { Msvm_ComputerSystem: [values, values] } })

    await world.post(makeRequest('Enumerate', 'Msvm_ComputerSystem'))
    const reply = await world.post(
      makeRequest('Pull', 'Msvm_ComputerSystem', { messageId: `uuid:${id('8')}`, context: `uuid:${id('2')}` }),
    )

    assert.equal(reply.text, recorded)
  })

  test('to a call with a reference and a NULL for its output', async () => {
    const recorded = read('invoke_response_define_switch')
    const name = 'Msvm_VirtualEthernetSwitchManagementService'
    const keys = `CreationClassName="Msvm_VirtualEthernetSwitch",Name="${id('14')}"`
    const ResultingSystem = `\\\\HVHOST\\${V2}:Msvm_VirtualEthernetSwitch.${keys}`
    const world = recordedHost(['12'], {
      methods: { [`${name}.DefineSystem`]: { returnValue: 0, output: { ResultingSystem } } },
    })

    const reply = await world.post(
      makeRequest('DefineSystem', name, {
        messageId: `uuid:${id('13')}`,
        selectors: { CreationClassName: name },
        input:
          '<p:SystemSettings>&lt;INSTANCE CLASSNAME="Msvm_VirtualEthernetSwitchSettingData"/&gt;</p:SystemSettings>',
      }),
    )

    assert.equal(reply.text, recorded)
  })
})
