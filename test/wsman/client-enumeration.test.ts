import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wql } from '../../src/protocols/wsman/wql.ts'
import {
  contextOf,
  enumerated,
  faultWith,
  lost,
  pulled,
  type ScriptedHost,
  type Step,
  scripted,
  V2,
  vm,
} from './client-script.ts'

const EPR = (name: string) =>
  `<a:EndpointReference><a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>${V2}/Msvm_ComputerSystem</w:ResourceURI><w:SelectorSet><w:Selector Name="Name">${name}</w:Selector></w:SelectorSet></a:ReferenceParameters></a:EndpointReference>`

/** The names of all instances that come. */
async function names(
  items: AsyncIterable<{ string(name: string): string | undefined }>,
): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = []
  for await (const item of items) found.push(item.string('Name'))
  return found
}

/** The contexts that Pulls and Releases named, in order. */
function contexts(host: ScriptedHost): readonly (string | undefined)[] {
  return host.asked.map(contextOf).filter(context => context !== undefined)
}

test('Windows answers one item first and a new context each time: all come, and each context is used once', async () => {
  const { client, host } = scripted([
    () => enumerated([vm('1')], 'uuid:A'),
    () => pulled([vm('2'), vm('3')], 'uuid:B'),
    () => pulled([vm('4')]),
  ])

  const machines = await client.query(wql`SELECT * FROM Msvm_ComputerSystem`)

  assert.deepEqual(
    machines.map(machine => machine.string('Name')),
    ['1', '2', '3', '4'],
  )
  assert.deepEqual(host.actions, ['Enumerate', 'Pull', 'Pull'])
  assert.deepEqual(contexts(host), ['uuid:A', 'uuid:B'])
})

test('a query that finds nothing, or all at once, is one exchange', async () => {
  for (const items of [[], [vm('1'), vm('2')]]) {
    const { client, host } = scripted([() => enumerated(items)])

    assert.equal((await client.query('Msvm_ComputerSystem')).length, items.length)
    assert.deepEqual(host.actions, ['Enumerate'])
  }
})

test('a host that knows no optimized enumeration is pulled to its end', async () => {
  const { client, host } = scripted([
    () => '<n:EnumerateResponse><n:EnumerationContext>uuid:A</n:EnumerationContext></n:EnumerateResponse>',
    () => pulled([vm('1')], 'uuid:A'),
    () => pulled([], 'uuid:A'),
    () => pulled([]),
  ])

  assert.equal((await client.query('Msvm_ComputerSystem')).length, 1)
  assert.deepEqual(host.actions, ['Enumerate', 'Pull', 'Pull', 'Pull'])
})

test('the end is told in every form that hosts have for it', async () => {
  const ends = [
    `<n:PullResponse><n:Items>${vm('2')}</n:Items><n:EndOfSequence/></n:PullResponse>`,
    `<n:PullResponse><n:EnumerationContext>uuid:B</n:EnumerationContext><n:Items>${vm('2')}</n:Items><n:EndOfSequence/></n:PullResponse>`,
    `<n:PullResponse><n:EnumerationContext/><n:Items>${vm('2')}</n:Items></n:PullResponse>`,
    `<n:PullResponse><w:Items>${vm('2')}</w:Items><w:EndOfSequence/></n:PullResponse>`,
  ]
  for (const end of ends) {
    const { client, host } = scripted([() => enumerated([vm('1')], 'uuid:A'), () => end])

    assert.equal((await client.query('Msvm_ComputerSystem')).length, 2)
    assert.deepEqual(host.actions, ['Enumerate', 'Pull'])
  }
})

test('an answer without a context goes on with the one before', async () => {
  const { client, host } = scripted([
    () => enumerated([vm('1')], 'uuid:A'),
    () => `<n:PullResponse><n:Items>${vm('2')}</n:Items></n:PullResponse>`,
    () => pulled([vm('3')]),
  ])

  assert.equal((await client.query('Msvm_ComputerSystem')).length, 3)
  assert.deepEqual(contexts(host), ['uuid:A', 'uuid:A'])
})

test('an enumeration with neither end nor context is not taken for a whole one', async () => {
  const { client } = scripted([() => `<n:EnumerateResponse><w:Items>${vm('1')}</w:Items></n:EnumerateResponse>`])

  await assert.rejects(client.query('Msvm_ComputerSystem'), { name: 'WsmanReplyError', kind: 'garbage' })
})

test('references, and both together', async () => {
  const { client } = scripted([() => enumerated([EPR('1')], 'uuid:A'), () => pulled([EPR('2')])])
  const both = scripted([() => enumerated([`<w:Item>${vm('1')}${EPR('1')}</w:Item>`])])

  const found = await client.queryReferences('Msvm_ComputerSystem')
  const named = await both.client.enumerateNamed('Msvm_ComputerSystem').next()

  assert.deepEqual(
    found.map(each => each.key('Name')),
    ['1', '2'],
  )
  assert.ok(named.done !== true)
  assert.equal(named.value.instance.string('Name'), '1')
  assert.equal(named.value.reference.key('Name'), '1')
})

test('an item of another kind than was asked for is refused', async () => {
  for (const ask of ['query', 'queryReferences'] as const) {
    const { client } = scripted([() => enumerated([ask === 'query' ? EPR('1') : vm('1')])])

    await assert.rejects(client[ask]('Msvm_ComputerSystem'), { name: 'WsmanReplyError' })
  }
})

test('a query that picks properties gives these, in no class', async () => {
  const fragment =
    '<w:XmlFragment><ElementName>one</ElementName><EnabledState>2</EnabledState><OnTime xsi:nil="true"/></w:XmlFragment>'
  const { client } = scripted([() => enumerated([fragment])])

  const [row] = await client.query(wql`SELECT ElementName, EnabledState, OnTime FROM Msvm_ComputerSystem`)

  assert.equal(row?.className, 'XmlFragment')
  assert.deepEqual(row?.names, ['ElementName', 'EnabledState', 'OnTime'])
  assert.deepEqual([row?.string('ElementName'), row?.number('EnabledState'), row?.isNull('OnTime')], ['one', 2, true])
  assert.equal(row?.namespace, undefined)
})

test('instances of derived classes come under their own', async () => {
  const other = `<q:Msvm_Planned xmlns:q="${V2}/Msvm_Planned"><q:Name>2</q:Name></q:Msvm_Planned>`
  const { client } = scripted([() => enumerated([vm('1'), other])])

  const found = await client.query('CIM_ComputerSystem')

  assert.deepEqual(
    found.map(({ className, resourceUri }) => [className, resourceUri]),
    [
      ['Msvm_ComputerSystem', `${V2}/Msvm_ComputerSystem`],
      ['Msvm_Planned', `${V2}/Msvm_Planned`],
    ],
  )
})

test('who stops early lets go of the rest, with the last context', async () => {
  const { client, host } = scripted([
    () => enumerated([vm('1')], 'uuid:A'),
    () => pulled([vm('2')], 'uuid:B'),
    () => '',
  ])

  for await (const machine of client.enumerate('Msvm_ComputerSystem')) {
    if (machine.string('Name') === '2') break
  }

  assert.deepEqual(host.actions, ['Enumerate', 'Pull', 'Release'])
  assert.deepEqual(contexts(host), ['uuid:A', 'uuid:B'])
})

test('who stops at the last answer has nothing to let go of', async () => {
  const { client, host } = scripted([() => enumerated([vm('1'), vm('2')])])

  for await (const machine of client.enumerate('Msvm_ComputerSystem')) {
    assert.equal(machine.string('Name'), '1')
    break
  }

  assert.deepEqual(host.actions, ['Enumerate'])
})

test('a host that refuses to let go changes nothing', async () => {
  const { client, host } = scripted([
    () => enumerated([vm('1')], 'uuid:A'),
    () => faultWith('n:InvalidEnumerationContext', 0x8033801b),
  ])

  for await (const machine of client.enumerate('Msvm_ComputerSystem')) if (machine.has('Name')) break

  assert.deepEqual(host.actions, ['Enumerate', 'Release'])
})

test('a signal ends it at once, and what is left is let go of in the background', async () => {
  const stop = new AbortController()
  const released = Promise.withResolvers<undefined>()
  const { client, host } = scripted([
    () => enumerated([vm('1')], 'uuid:A'),
    async () => {
      await released.promise
      return ''
    },
  ])
  const walk = client.enumerate('Msvm_ComputerSystem', { signal: stop.signal })
  await walk.next()

  stop.abort()

  await assert.rejects(walk.next(), { name: 'TransportError', kind: 'aborted' })
  assert.deepEqual(host.actions, ['Enumerate', 'Release'])
  assert.equal(host.asked[1]?.options.signal, undefined)
  const closed = client.close()
  assert.equal(host.isClosed, false) // It waits for the farewell.
  released.resolve(undefined)
  await closed
  assert.equal(host.isClosed, true)
})

test('a Pull that ran out of time is asked again with the same context', async () => {
  const { client, host } = scripted([
    () => enumerated([], 'uuid:A'),
    () => faultWith('w:TimedOut', 0x80338029),
    () => faultWith('w:TimedOut', 0x80338029),
    () => pulled([vm('1')]),
  ])

  assert.equal((await client.query('Msvm_ComputerSystem')).length, 1)
  assert.deepEqual(contexts(host), ['uuid:A', 'uuid:A', 'uuid:A'])
})

test('a Pull that never comes to anything is given up, and let go of', async () => {
  const { client, host } = scripted([() => enumerated([], 'uuid:A'), () => faultWith('w:TimedOut', 0x80338029)])

  await assert.rejects(client.query('Msvm_ComputerSystem'), { name: 'WsmanFault', kind: 'timed-out' })
  await client.close()

  assert.deepEqual(host.actions, ['Enumerate', ...Array.from({ length: 6 }, () => 'Pull'), 'Release'])
})

test('a host that answers nothing for ever is given up, and let go of', async () => {
  const { client, host } = scripted([() => enumerated([], 'uuid:A'), () => pulled([], 'uuid:B')])

  await assert.rejects(client.query('Msvm_ComputerSystem'), { name: 'WsmanReplyError', kind: 'limit' })
  await client.close()

  assert.equal(host.actions.filter(action => action === 'Pull').length, 101)
  assert.equal(host.actions.at(-1), 'Release')
})

test('a walk by hand: begun, pulled, released', async () => {
  const { client, host } = scripted([
    () => enumerated([vm('1')], 'uuid:A'),
    () => pulled([vm('2')], 'uuid:B'),
    () => '',
  ])

  const first = await client.start('Msvm_ComputerSystem')
  const second = await client.pull('Msvm_ComputerSystem', first.context ?? '')
  await client.release('Msvm_ComputerSystem', second.context ?? '')

  assert.deepEqual([first.items.length, second.items.length], [1, 1])
  assert.deepEqual(contexts(host), ['uuid:A', 'uuid:B'])
})

test('twenty thousand instances are read in the pages that a host sends', async () => {
  const pages = 400
  let at = 0
  const step: Step = () => {
    const items = Array.from({ length: 50 }, (_, index) => vm(`${at}-${index}`))
    at++
    return at === 1 ? enumerated(items, `uuid:${at}`) : pulled(items, at < pages ? `uuid:${at}` : undefined)
  }
  const { client } = scripted([step])

  const found = await names(client.enumerate('Msvm_ComputerSystem'))

  assert.equal(found.length, 20_000)
  assert.deepEqual([found[0], found.at(-1)], ['0-0', '399-49'])
})

test('items stay in the order of the host when a page is lost and all is asked anew', async () => {
  const { client, host } = scripted([
    () => enumerated([vm('1')], 'uuid:A'),
    () => lost(true),
    () => '', // The farewell to the first enumeration.
    () => enumerated([vm('1')], 'uuid:B'),
    () => pulled([vm('2')]),
  ])

  const found = await client.query('Msvm_ComputerSystem')

  assert.deepEqual(
    found.map(machine => machine.string('Name')),
    ['1', '2'],
  )
  assert.deepEqual(host.actions, ['Enumerate', 'Pull', 'Release', 'Enumerate', 'Pull'])
})
