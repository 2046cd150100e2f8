import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { BasicPoster } from './basic-poster.ts'
import { select, textAt } from './literal-xml.ts'
import { propertyOf, RecordedClient } from './recorded-client.ts'

// What our client writes, as its own tests hold it, byte for byte, is understood by the simulated host: no header and no
// body of it is refused for its form.

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'hyperv', 'requests')
const MACHINE = '0F924121-D665-5AAA-9722-7B7C13E12633'

/** What comes of each: no fault, or that of something that a host does not have, or does not do. */
const OUTCOMES: Readonly<Record<string, 'done' | 'a:DestinationUnreachable' | 'w:InternalError'>> = {
  'create.xml': 'a:DestinationUnreachable', // Of a class that is not modelled.
  'delete.xml': 'w:InternalError', // The provider does not write.
  'enumerate-association-filter.xml': 'done',
  'enumerate-associations-by-filter.xml': 'done',
  'enumerate-associators.xml': 'done',
  'enumerate-both.xml': 'done',
  'enumerate-class-exactly.xml': 'done',
  'enumerate-class.xml': 'done',
  'enumerate-query-for-references.xml': 'done',
  'enumerate-query.xml': 'done',
  'enumerate-selector-filter.xml': 'done',
  'get-of-the-only-instance.xml': 'done',
  'get.xml': 'done',
  'identify.xml': 'done',
  'invoke-reference-and-instances.xml': 'done',
  'invoke-references-and-numbers.xml': 'done',
  'invoke-simple.xml': 'done',
  'invoke-with-options.xml': 'done',
  'invoke-without-parameters.xml': 'done',
  'pull.xml': 'done',
  'put-of-every-kind-of-value.xml': 'a:DestinationUnreachable', // Of a class that there is nowhere.
  'release.xml': 'done',
}

let host: SimHyperv
let poster: BasicPoster
let machine: string
let keyboard: readonly (readonly [name: string, value: string])[]

before(async () => {
  host = await startSimHyperv('--vms', '2', '--seed', '1', '--pace', '0', '--basic', '--allow-unencrypted')
  poster = new BasicPoster(host)
  const client = new RecordedClient(poster.post)
  const [found] = await client.query("SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'vm-0002'")
  const [keys] = await client.query('SELECT * FROM Msvm_Keyboard')
  assert.ok(found && keys)
  machine = propertyOf(found, 'Name') ?? ''
  keyboard = ['CreationClassName', 'DeviceID', 'SystemCreationClassName', 'SystemName'].map(name => [
    name,
    propertyOf(keys, name) ?? '',
  ])
})
after(async () => {
  poster[Symbol.dispose]()
  assert.equal(await host.stop(), 0)
  assert.equal(host.complaints(), '')
})

/** A context of this host, for those that go on with one. */
async function beginEnumeration(): Promise<string> {
  const { root } = await poster.post(read('enumerate-class.xml'))
  return textAt(root, '/s:Envelope/s:Body/n:EnumerateResponse/n:EnumerationContext') ?? ''
}

const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')

async function adjusted(file: string): Promise<string> {
  const selectors = keyboard.map(([name, value]) => `<w:Selector Name="${name}">${value}</w:Selector>`)
  return read(file)
    .replaceAll(MACHINE, machine)
    .replace('uuid:8B62B7A5-0000-4000-8000-000000000001', await beginEnumeration())
    .replace('<w:Selector Name="DeviceID">k</w:Selector>', () => selectors.join(''))
}

test('every request that is held is sent', () => {
  assert.deepEqual(readdirSync(FOLDER).toSorted(), Object.keys(OUTCOMES).toSorted())
})

for (const [file, outcome] of Object.entries(OUTCOMES)) {
  test(`${file} ${outcome === 'done' ? 'is answered' : `is answered with ${outcome}`}`, async () => {
    const { status, root, text } = await poster.post(await adjusted(file))

    if (outcome === 'done') {
      assert.equal(status, 200, text)
      assert.deepEqual(select(root, '/s:Envelope/s:Body/s:Fault'), [])
    } else {
      assert.equal(status, 500, text)
      assert.equal(textAt(root, '/s:Envelope/s:Body/s:Fault/s:Code/s:Subcode/s:Value'), outcome, text)
    }
  })
}
