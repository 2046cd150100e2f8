import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { drain, enumerate, named, pull } from './pulling.ts'
import { batchOf, contentOf, faultOf } from './replies.ts'
import { makeRequest } from './requests.ts'
import { HOST, makeWorld, type WorldOptions } from './world.ts'

const CONTEXT = /^uuid:[\dA-F]{8}(-[\dA-F]{4}){3}-[\dA-F]{12}$/

const manyMachines = (count: number): WorldOptions => ({
  content: {
    Msvm_ComputerSystem: Array.from({ length: count }, (_, index) => ({
      CreationClassName: 'Msvm_ComputerSystem',
      Name: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      ElementName: `vm${index}`,
    })),
  },
})

describe('an enumeration', () => {
  test('that is not optimized brings a context, and nothing else', async () => {
    const world = makeWorld()

    const reply = await world.post(makeRequest('Enumerate', 'Msvm_ComputerSystem'))

    assert.match(reply.text, /<n:EnumerateResponse><n:EnumerationContext>uuid:[^<]+<\/n:EnumerationContext><\/n:En/)
    assert.match(batchOf(reply).context, CONTEXT)
  })

  test('that is optimized brings exactly one item of several, however many are asked for', async () => {
    const world = makeWorld()

    const batch = await enumerate(world, { isOptimized: true, input: '<w:MaxElements>32000</w:MaxElements>' })

    assert.equal(batch.items.length, 1)
    assert.match(batch.context, CONTEXT)
    assert.equal(batch.isEnd, false)
    assert.equal((await drain(world, batch)).length, 4)
  })

  test('that is optimized brings its only item with the end, and an empty context', async () => {
    const world = makeWorld(manyMachines(1))

    const reply = await world.post(makeRequest('Enumerate', 'Msvm_ComputerSystem', { isOptimized: true }))

    const expected = /<n:EnumerationContext><\/n:EnumerationContext><w:Items><p:Msvm_C.*<\/w:Items><w:EndOfSequence\/>/
    assert.match(reply.text, expected)
  })

  test('that is optimized and empty says so in the same places', async () => {
    const world = makeWorld(manyMachines(0))

    const reply = await world.post(makeRequest('Enumerate', 'Msvm_ComputerSystem', { isOptimized: true }))

    assert.match(reply.text, /<n:EnumerationContext><\/n:EnumerationContext><w:Items\/><w:EndOfSequence\/>/)
  })

  test('that is empty ends with the first Pull, whose items are there and empty', async () => {
    const world = makeWorld(manyMachines(0))
    const { context } = await enumerate(world)

    const reply = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context }))

    assert.match(reply.text, /<n:PullResponse><n:Items\/><n:EndOfSequence\/><\/n:PullResponse>/)
  })

  test('ends with its last item, without a context', async () => {
    const world = makeWorld(manyMachines(2))
    const { context } = await enumerate(world)

    const reply = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context, maxElements: 2 }))

    assert.match(reply.text, /<n:PullResponse><n:Items><p:.*<\/n:Items><n:EndOfSequence\/><\/n:PullResponse>/)
  })

  test('has another context in every answer, and those before are good for nothing', async () => {
    const world = makeWorld()
    const first = await enumerate(world)

    const second = await pull(world, first.context)
    const again = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context: first.context }))

    assert.match(second.context, CONTEXT)
    assert.notEqual(second.context, first.context)
    assert.equal(faultOf(again).subcode, 'n:InvalidEnumerationContext')
  })

  test('cannot be pulled after its end', async () => {
    const world = makeWorld(manyMachines(1))
    const { context } = await enumerate(world)
    await pull(world, context)

    const again = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context }))

    assert.deepEqual(
      { subcode: faultOf(again).subcode, code: faultOf(again).code, action: faultOf(again).action },
      { subcode: 'n:InvalidEnumerationContext', code: 2150858779, action: 'enumeration' },
    )
  })

  test('is forgotten when it is released, and the answer to that has an empty body', async () => {
    const world = makeWorld()
    const { context } = await enumerate(world)

    const released = await world.post(makeRequest('Release', 'Msvm_ComputerSystem', { context }))
    const again = await world.post(makeRequest('Release', 'Msvm_ComputerSystem', { context }))

    assert.equal(released.status, 200)
    assert.match(released.text, /enumeration\/ReleaseResponse<.*<s:Body><\/s:Body><\/s:Envelope>$/)
    assert.equal(faultOf(again).subcode, 'n:InvalidEnumerationContext')
  })

  test('expires when nobody pulls, a Server 2008 R2 being less patient', async () => {
    for (const [build, ms] of [
      [7601, 60_000],
      [20348, 240_000],
    ] as const) {
      const world = makeWorld({ build })
      const parts = { namespace: 'root/cimv2' }
      const first = await enumerate(world, parts, 'Win32_OperatingSystem')
      await world.clock.advance(ms - 1)
      const second = await enumerate(world, parts, 'Win32_OperatingSystem')

      await world.clock.advance(1)
      const late = await world.post(makeRequest('Pull', 'X', { ...parts, context: first.context }))
      const timely = await world.post(makeRequest('Pull', 'X', { ...parts, context: second.context }))

      assert.equal(faultOf(late).subcode, 'n:InvalidEnumerationContext')
      assert.equal(timely.status, 200)
    }
  })

  test('belongs to the user who began it, and to its namespace', async () => {
    const world = makeWorld()
    const { context } = await enumerate(world)

    const other = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context }), `${HOST}\\Guest`)
    const elsewhere = await world.post(makeRequest('Pull', 'X', { context, namespace: 'root/cimv2' }))

    assert.equal(faultOf(other).subcode, 'n:InvalidEnumerationContext')
    assert.equal(faultOf(elsewhere).subcode, 'n:InvalidEnumerationContext')
    assert.equal((await pull(world, context)).items.length, 1)
  })

  for (const operation of ['Renew', 'GetStatus']) {
    test(`is not to be asked for ${operation}`, async () => {
      const world = makeWorld()
      const { context } = await enumerate(world)

      const reply = await world.post(makeRequest(operation, 'Msvm_ComputerSystem', { context }))

      assert.equal(faultOf(reply).subcode, 'a:ActionNotSupported')
    })
  }

  test('counts what it has where a client asks for that', async () => {
    const world = makeWorld()
    const headers = '<w:RequestTotalItemsCountEstimate/>'

    const first = await world.post(makeRequest('Enumerate', 'Msvm_ComputerSystem', { headers }))
    const silent = await world.post(makeRequest('Enumerate', 'Msvm_ComputerSystem'))

    assert.equal(first.root.element('Header')?.element('TotalItemsCountEstimate')?.text(), '4')
    assert.equal(silent.root.element('Header')?.element('TotalItemsCountEstimate'), undefined)
  })
})

describe('a Pull', () => {
  test('brings one item where it does not say how many', async () => {
    const world = makeWorld()
    const { context } = await enumerate(world)

    assert.equal((await pull(world, context)).items.length, 1)
  })

  test('brings as many as it asks for', async () => {
    const world = makeWorld()
    const { context } = await enumerate(world)

    assert.equal((await pull(world, context, { maxElements: 3 })).items.length, 3)
  })

  for (const [build, characters] of [
    [9200, 76_800],
    [20348, 256_000],
  ] as const) {
    test(`of build ${build} is cut at ${characters} characters, whatever the client takes`, async () => {
      const world = makeWorld({ build, ...manyMachines(300) })
      const headers = '<w:MaxEnvelopeSize>512000</w:MaxEnvelopeSize>'
      const first = await enumerate(world, { headers })
      const parts = { context: first.context, maxElements: 32_000, headers }

      const reply = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', parts))
      const items = [...batchOf(reply).items, ...(await drain(world, { ...batchOf(reply), items: [] }))]

      assert.ok(reply.text.length <= characters, `${reply.text.length}`)
      assert.ok(reply.text.length > characters * 0.97, `${reply.text.length}`)
      assert.equal(items.length, 300)
      assert.equal(new Set(named(items, 'ElementName')).size, 300)
    })
  }

  test('is cut earlier for a client that takes less', async () => {
    const world = makeWorld(manyMachines(300))
    const headers = '<w:MaxEnvelopeSize s:mustUnderstand="true">32768</w:MaxEnvelopeSize>'
    const { context } = await enumerate(world)
    const parts = { context, maxElements: 32_000, headers }

    const reply = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', parts))

    assert.ok(reply.text.length * 2 <= 32_768, `${reply.text.length}`)
    assert.ok(batchOf(reply).items.length > 1)
  })

  test('counts a character outside the Basic Multilingual Plane as two', async () => {
    const name = '\u{1F600}'.repeat(500)
    const world = makeWorld({
      build: 9200,
      content: {
        Msvm_ComputerSystem: Array.from({ length: 100 }, (_, index) => ({
          CreationClassName: 'Msvm_ComputerSystem',
          Name: String(index),
          ElementName: name,
        })),
      },
    })
    const { context } = await enumerate(world)

    const reply = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context, maxElements: 100 }))

    assert.ok(reply.text.length <= 76_800 && reply.text.length > 70_000, `${reply.text.length}`)
  })

  test('brings no more than the characters it asks for', async () => {
    const world = makeWorld()
    const { context } = await enumerate(world)
    const input = '<n:MaxCharacters>5000</n:MaxCharacters>'

    const batch = await pull(world, context, { maxElements: 100, input })

    assert.ok(batch.items.length >= 1 && batch.items.length < 4)
  })

  test('that cannot hold a single item is refused, and the enumeration goes on', async () => {
    const big = 'x'.repeat(10_000)
    const world = makeWorld({
      content: {
        Msvm_ComputerSystem: [{ CreationClassName: 'Msvm_ComputerSystem', Name: '1', ElementName: big }],
      },
    })
    const { context } = await enumerate(world)
    const headers = '<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>'

    const reply = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context, headers }))

    const { subcode, detail, code } = faultOf(reply)
    assert.deepEqual(
      { subcode, detail, code },
      {
        subcode: 'w:EncodingLimit',
        detail: 'MaxEnvelopeSizeExceeded',
        code: 2150858824,
      },
    )
    assert.equal((await pull(world, context)).items.length, 1)
  })

  test('of an item that no answer of the host can hold is refused as its own limit', async () => {
    const world = makeWorld({
      content: {
        Msvm_ComputerSystem: [
          { CreationClassName: 'Msvm_ComputerSystem', Name: '1', ElementName: 'x'.repeat(300_000) },
        ],
      },
    })
    const { context } = await enumerate(world)

    const reply = await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context }))

    assert.equal(faultOf(reply).detail, 'ServiceEnvelopeLimit')
  })
})

describe('open enumerations', () => {
  test('of a user are counted, fifteen on a Server 2008 R2, and lock that user out', async () => {
    const world = makeWorld({ build: 7601 })
    const ask = makeRequest('Enumerate', 'Win32_OperatingSystem', { namespace: 'root/cimv2' })
    const contexts: string[] = []
    for (let index = 0; index < 15; index++) contexts.push(batchOf(await world.post(ask)).context)

    const refused = await world.post(ask)
    const other = await world.post(ask, `${HOST}\\Other`)
    const parts = { namespace: 'root/cimv2', context: contexts[0] ?? '' }
    const pulled = await world.post(makeRequest('Pull', 'Win32_OperatingSystem', parts))
    const again = await world.post(ask)

    const { who, subcode, code } = faultOf(refused)
    assert.deepEqual({ who, subcode, code }, { who: 's:Sender', subcode: 'w:QuotaLimit', code: 2150859174 })
    assert.equal(other.status, 200)
    assert.equal(pulled.status, 200)
    assert.equal(again.status, 200)
  })

  test('that have expired lock nobody out', async () => {
    const world = makeWorld({ limits: { maxOperationsPerUser: 1 } })
    const ask = makeRequest('Enumerate', 'Msvm_ComputerSystem')
    await world.post(ask)

    const refused = await world.post(ask)
    await world.clock.advance(240_000)
    const answered = await world.post(ask)

    assert.equal(contentOf(refused).name, 'Fault')
    assert.equal(answered.status, 200)
  })
})
