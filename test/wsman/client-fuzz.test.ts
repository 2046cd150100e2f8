import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseInterval, parseTimestamp } from '../../src/protocols/wsman/datetime.ts'
import { reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import { type CimInstance, readEmbedded } from '../../src/protocols/wsman/instance.ts'
import { parseObjectPath, printObjectPath } from '../../src/protocols/wsman/object-path.ts'
import { FIXTURES, fixture, scripted, vm } from './client-script.ts'

const VM = reference('root/virtualization/v2', 'Msvm_ComputerSystem', { Name: 'one' })
const DECLARED: ReadonlySet<string> = new Set(['WsmanReplyError', 'WsmanFault', 'CimError'])

const replies = ['recorded', 'faults'].flatMap(folder =>
  readdirSync(join(FIXTURES, folder)).map(name => fixture(`${folder}/${name}`)),
)
const embedded: readonly string[] = Object.values<readonly string[]>(
  JSON.parse(fixture('ws2012-instances.json').toString()),
).flat()

/** Whatever comes of `read`, it is a value or a declared error. */
async function survives(read: () => unknown): Promise<void> {
  try {
    await read()
  } catch (error) {
    assert.ok(error instanceof Error && DECLARED.has(error.name), `threw ${String(error)}`)
  }
}

/** Every getter on every property. */
async function readEverything(instance: CimInstance): Promise<void> {
  const getters = [
    'string',
    'strings',
    'boolean',
    'booleans',
    'number',
    'numbers',
    'bigint',
    'bigints',
    'real',
    'reals',
    'datetime',
    'datetimes',
    'interval',
    'intervals',
    'reference',
    'references',
    'instance',
    'instances',
    'bytes',
    'type',
    'isNull',
  ] as const
  for (const name of instance.names) {
    for (const getter of getters) await survives(() => instance[getter](name))
  }
  await survives(() => instance.toCimXml())
}

/** A piece of XML, or of what stands in it, that breaks something. */
const shard = fc.oneof(
  fc.constantFrom(
    '<',
    '>',
    '/>',
    '</',
    '&',
    '&amp;',
    '&#0;',
    '&#38;',
    '"',
    "'",
    '=',
    ' ',
    '\n',
    ':',
    '<s:Fault>',
    '<p:X/>',
    '<a>',
    '</a>',
    ' xsi:nil="true"',
    ' xmlns:p="urn:x"',
    ' xmlns:s=""',
    '<![CDATA[',
    ']]>',
    '<!--',
    '<!DOCTYPE x>',
    '<w:Item>',
    '<n:Items/>',
    '<n:EndOfSequence/>',
    '<cim:Datetime>',
    '-1',
    '99999999999999999999',
    '\u{0}',
    '\u{fffe}',
    'é',
    '<VALUE.NULL/>',
    '<VALUE>',
    '<a:ReferenceParameters/>',
    '<a:EndpointReference/>',
    'Name=""',
    'TYPE="datetime"',
    'TYPE="x"',
    'uuid:',
  ),
  fc.string({ maxLength: 4 }),
)

/** A text with some pieces put in, cut out, or said twice. */
function mutated(texts: readonly string[]): fc.Arbitrary<string> {
  const change = fc.tuple(fc.nat(), fc.constantFrom('put', 'cut', 'twice'), fc.nat({ max: 60 }), shard)
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(change, { minLength: 1, maxLength: 6 }))
    .map(([text, changes]) => {
      let result = text
      for (const [place, what, length, piece] of changes) {
        const at = place % (result.length + 1)
        const [before, middle, after] = [result.slice(0, at), result.slice(at, at + length), result.slice(at + length)]
        if (what === 'put') result = before + piece + middle + after
        else result = what === 'cut' ? before + after : before + middle + middle + after
      }
      return result
    })
}

/** Gives an answer to every kind of request, and reads all that comes of it. */
async function answer(bytes: Uint8Array): Promise<void> {
  const { client } = scripted([() => bytes], { retry: { retries: 0 }, newMessageId: () => 'uuid:1' })
  await survives(async () => readEverything(await client.get(VM)))
  await survives(async () => readEverything((await client.invoke(VM, 'DefineSystem')).output))
  await survives(() => client.identify())
  for (const mode of ['instances', 'references', 'both'] as const) {
    await survives(async () => {
      const { items } = await client.pull('Msvm_X', 'uuid:1', mode)
      for (const { instance } of items) if (instance !== undefined) await readEverything(instance)
    })
    await survives(() => client.start('Msvm_X', mode))
  }
}

/** What relates to the one name that the requests of these tests have. */
const related = replies.map(reply => reply.toString().replace(/(RelatesTo>)[^<]*/, '$1uuid:1'))

test('recorded answers that were changed at random end in values or declared errors', async () => {
  await fc.assert(
    fc.asyncProperty(mutated(related), async text => answer(Buffer.from(text))),
    { numRuns: 400 },
  )
})

test('recorded answers with broken bytes, and bytes of no meaning at all, end in declared errors', async () => {
  const flipped = fc
    .tuple(
      fc.constantFrom(...replies),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
    )
    .map(([reply, changes]) => {
      const bytes = Buffer.from(reply)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      return bytes
    })
  await fc.assert(fc.asyncProperty(fc.oneof(flipped, fc.uint8Array({ maxLength: 64 })), answer), { numRuns: 300 })
})

test('instances of CIM-XML that were changed at random end in values or declared errors', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated(embedded), fc.string()), async text => {
      await survives(async () => readEverything(readEmbedded(text)))
    }),
    { numRuns: 1_000 },
  )
})

test('what is read of CIM-XML is written and read as the same', () => {
  fc.assert(
    fc.property(mutated(embedded), text => {
      let instance: CimInstance
      let written: string
      try {
        instance = readEmbedded(text)
        written = instance.toCimXml()
      } catch {
        return // Told above.
      }
      const again = readEmbedded(written)
      assert.deepEqual(again.names, instance.names)
      assert.equal(again.toCimXml(), written)
    }),
    { numRuns: 1_000 },
  )
})

test('times, intervals and paths that were changed at random are read or not, and nothing else', () => {
  const texts = [
    '2025-12-17T09:55:22.702341Z',
    '20251217105522.702341+060',
    'P0DT0H5M0.25S',
    '00000000000500.250000:000',
    String.raw`\\HOST\root\virtualization\v2:Msvm_X.A="1\\2",B=3,C=TRUE`,
  ]
  fc.assert(
    fc.property(mutated(texts), text => {
      parseTimestamp(text)?.toIso()
      parseInterval(text)?.toIso()
      const path = parseObjectPath(text)
      if (path !== undefined && path.host === undefined) printObjectPath(path)
    }),
    { numRuns: 3_000 },
  )
})

test('a decoder takes time in proportion to what it is given', async () => {
  const big = `<n:PullResponse><n:Items>${vm('x'.repeat(100)).repeat(20_000)}</n:Items><n:EndOfSequence/></n:PullResponse>`
  const digits = `<p:X xmlns:p="urn:x"><p:A>${'9'.repeat(1_000_000)}</p:A><p:B>${'A'.repeat(1_000_001)}</p:B><p:C>\\\\h\\${'a\\'.repeat(300_000)}</p:C></p:X>`
  const { client } = scripted([() => big, () => digits])
  const before = performance.now()

  assert.equal((await client.pull('Msvm_X', 'uuid:1')).items.length, 20_000)
  await readEverything(await client.get(VM))

  assert.ok(performance.now() - before < 20_000)
})
