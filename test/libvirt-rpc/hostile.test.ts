import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { type Handlers, RpcClient, RpcConnectionError, RpcError, serve } from '../../src/protocols/libvirt-rpc/index.ts'
import { FrameReader } from '../../src/protocols/libvirt-rpc/frames.ts'
import {
  decodePacket,
  encodePacket,
  type Packet,
  type PacketHeader,
  readError,
} from '../../src/protocols/libvirt-rpc/packet.ts'
import { duplexPair } from 'node:stream'
import { listen } from './listening.ts'
import { served } from './pair.ts'
import { atEnd } from '../support/at-end.ts'

const REMOTE = 0x20008086
const CALL: PacketHeader = { program: REMOTE, version: 1, procedure: 3, type: 0, serial: 7, status: 0 }
const FRAME_MAX = 33_554_432 + 4
const typed: Handlers = { CONNECT_GET_TYPE: () => ({ type: 'SMALL' }) }

describe('a server', () => {
  const refused: readonly (readonly [string, Partial<PacketHeader>, Partial<RpcError>])[] = [
    ['an unknown program', { program: 0x20008088 }, { code: 39, message: 'Cannot find program 536903816 version 1' }],
    ['a function of the QEMU driver alone', { program: 0x20008087 }, { code: 3, str2: 'virDomainQemuAgentCommand' }],
    [
      'a function of the LXC driver alone',
      { program: 0x68000, procedure: 1 },
      { code: 3, str2: 'virDomainLxcOpenNamespace' },
    ],
    [
      'a number that the QEMU driver has not',
      { program: 0x20008087, procedure: 6 },
      { code: 39, message: 'Cannot find program 536903815 version 1' },
    ],
    ['an unknown version', { version: 2 }, { code: 39, message: 'Cannot find program 536903814 version 2' }],
    ['a number that no procedure has', { procedure: 4444 }, { code: 3, message: 'unknown procedure: 4444' }],
    ['a number below those of procedures', { procedure: -1 }, { code: 3, message: 'unknown procedure: -1' }],
    ['the number of an event', { procedure: 318 }, { code: 3, message: 'unknown procedure: 318' }],
    ['a procedure that is known and not spoken', { procedure: 61 }, { code: 3, str2: 'virDomainMigratePrepare' }],
    ['file descriptors', { type: 4 }, { code: 39, message: 'Unexpected message type 4' }],
    ['a status that no call has', { status: 2 }, { code: 39, message: 'Unexpected message status 2' }],
  ]
  for (const [what, change, error] of refused) {
    test(`refuses ${what} in libvirtd's words, and goes on`, async context => {
      const end = served(context, typed)

      end.write(Buffer.concat([encodePacket({ ...CALL, ...change }), encodePacket({ ...CALL, serial: 8 })]))
      const [refusal, answer] = await packets(end, 2)

      assert.deepEqual([refusal?.serial, refusal?.type, refusal?.status], [7, 1, 1])
      const told = refusal && readError(refusal.body)
      for (const [member, value] of Object.entries(error)) assert.equal(Reflect.get(told ?? {}, member), value)
      assert.deepEqual([answer?.serial, answer?.status], [8, 0])
    })
  }

  test('leaves what comes with descriptors, in whatever pieces, says which function takes none, and goes on', async context => {
    const end = served(context, typed)
    const call = encodePacket({ ...CALL, procedure: 443, type: 4 }, writer => writer.uint(2))

    end.write(Buffer.concat([call, Buffer.alloc(1)]))
    const [refusal] = await packets(end, 1)
    const told = refusal && readError(refusal.body)
    assert.deepEqual([told?.code, told?.str2], [3, 'virDomainFDAssociate'])
    end.write(Buffer.alloc(1))
    end.write(encodePacket({ ...CALL, serial: 8 }))

    const [answer] = await packets(end, 1)
    assert.deepEqual([answer?.serial, answer?.status], [8, 0])
  })

  test('ends the connection of who sends more descriptors than libvirt does', async context => {
    const call = encodePacket({ ...CALL, procedure: 443, type: 4 }, writer => writer.uint(33))

    const { kind } = await ending(context, {}, end => end.write(call))

    assert.equal(kind, 'limit')
  })

  test('refuses arguments that are none, and goes on', async context => {
    const end = served(context, { ...typed, DOMAIN_LOOKUP_BY_NAME: () => assert.fail('it was called') })
    const lookUp = { ...CALL, procedure: 23 }

    end.write(encodePacket(lookUp, writer => writer.uint(4_194_305)))
    end.write(encodePacket(lookUp, writer => writer.raw(Buffer.from('00000001610000000000', 'hex'))))
    const refusals = await packets(end, 2)

    for (const { body } of refusals) assert.match(readError(body).message, /^Unable to decode message payload: /)
  })

  test('says nothing to what asks for nothing', async context => {
    const end = served(context, typed)
    const silent = [{ type: 1 }, { type: 2 }, { type: 3 }, { type: 6 }, { type: 99 }, { program: 9, type: 2 }]

    for (const change of silent) end.write(encodePacket({ ...CALL, ...change }))
    end.write(encodePacket({ ...CALL, serial: 8 }))
    const [answer] = await packets(end, 1)

    assert.equal(answer?.serial, 8)
  })

  test('answers who asks whether it lives, and nothing else of that program', async context => {
    const end = served(context, typed)
    const ping = { program: 0x6b656570, version: 1, procedure: 1, type: 2, serial: 0, status: 0 }

    for (const procedure of [3, 2, 1]) end.write(encodePacket({ ...ping, procedure }))
    const [pong] = await packets(end, 1)

    assert.deepEqual({ ...pong, body: pong?.body.length }, { ...ping, procedure: 2, body: 0 })
  })

  test('ends a connection that sends a length which no packet has', async context => {
    for (const [length, kind] of [
      [27, 'garbage'],
      [0, 'garbage'],
      [FRAME_MAX + 1, 'limit'],
      [0xffff_ffff, 'limit'],
    ] as const) {
      const ended = Promise.withResolvers<RpcConnectionError>()
      const end = served(context, typed, { onClose: ended.resolve })

      end.write(uint32(length))

      assert.equal((await ended.promise).kind, kind)
    }
  })

  test('takes little from those who have not logged in', async context => {
    const ended = Promise.withResolvers<RpcConnectionError>()
    const end = served(context, typed, { needsLogin: true, onClose: ended.resolve })

    end.write(uint32(262_149))

    assert.equal((await ended.promise).kind, 'limit')
  })

  test('ends a connection that does not begin, does not log in, or stands still within a packet', async context => {
    const ends = [
      ending(context, { openingMs: 20 }, () => undefined),
      ending(context, { openingMs: 20, needsLogin: true }, end => end.write(encodePacket({ ...CALL, procedure: 66 }))),
      ending(context, { packetStallMs: 20 }, end => end.write(encodePacket(CALL).subarray(0, 20))),
    ]

    for (const error of await Promise.all(ends)) assert.equal(error.kind, 'time-out')
  })

  test('ends a connection that reads nothing of what it asks for', async context => {
    const big = 'x'.repeat(4_000_000)
    const handlers: Handlers = { CONNECT_GET_URI: () => ({ uri: big }) }
    const call = encodePacket({ ...CALL, procedure: 110 })

    const error = await ending(
      context,
      { sendStallMs: 30 },
      end => {
        for (let count = 0; count < 1000; count++) end.write(call)
      },
      handlers,
    )

    assert.equal(error.kind, 'overflow')
  })

  test('ends a connection that reads nothing of the events it gets', async context => {
    const [, far] = duplexPair()
    const ended = Promise.withResolvers<RpcConnectionError>()
    const server = serve(far, {}, { context: undefined, onClose: ended.resolve })
    atEnd(context, () => server.close())
    const dom = { name: 'n'.repeat(1_000_000), uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', id: 1 }

    while (server.isOpen) server.emit('DOMAIN_EVENT_CALLBACK_REBOOT', { callbackID: 0, msg: { dom } })

    assert.equal((await ended.promise).kind, 'overflow')
  })

  test('reads no more calls than it can keep', async context => {
    let begun = 0
    const end = served(context, {
      CONNECT_GET_TYPE: () => {
        begun++
        return new Promise(() => undefined)
      },
    })
    const call = encodePacket(CALL)

    let taken = 0
    while (taken < 100_000 && (end.write(call) || (await drainsSoon(end)))) taken++

    assert.equal(begun, 32)
    assert.ok(taken < 5_000, `${taken} calls were taken`)
  })

  test('breaks off a stream that breaks the rules, and goes on', async context => {
    const end = served(context, {
      ...typed,
      STORAGE_VOL_UPLOAD: (_, { stream }) =>
        stream(async from => {
          for await (const piece of from) assert.ok(piece)
        }),
    })
    const open = { ...CALL, procedure: 208 }
    const texts = ['pool', 'disk', 'key!'].flatMap(text => [uint32(4), Buffer.from(text)])
    const volume = Buffer.concat([...texts, Buffer.alloc(16)])
    const breaches: readonly (readonly [flags: number, Partial<PacketHeader>, string])[] = [
      [0, { type: 6, status: 2 }, 'Unexpected stream hole'],
      [1, { type: 6, status: 2 }, 'Malformed stream hole packet'],
      [0, { type: 3, status: 9 }, 'stream aborted with unexpected status 9'],
    ]

    for (const [flags, breach, told] of breaches) {
      end.write(encodePacket(open, writer => writer.raw(Buffer.concat([volume, uint32(flags)]))))
      const [opened] = await packets(end, 1)
      end.write(encodePacket({ ...open, ...breach }, writer => writer.raw(Buffer.alloc(12))))
      const [broken] = await packets(end, 1)

      assert.equal(opened?.status, 0)
      assert.equal(broken && readError(broken.body).message, told)
    }
    end.write(encodePacket(CALL))
    assert.equal((await packets(end, 1))[0]?.status, 0)
  })

  test('bears a thousand clients that say nothing more, and serves the next', async context => {
    const open = new Set<RpcClient>()
    const host = await listen(socket => serve(socket, typed, { context: undefined }))
    atEnd(context, host.close)
    atEnd(context, () => open.forEach(client => client.close()))
    const before = process.memoryUsage().rss

    for (let count = 0; count < 1000; count++) {
      const client = new RpcClient(connect(host.path))
      open.add(client)
      await client.call('CONNECT_GET_TYPE')
    }
    const next = new RpcClient(connect(host.path))
    open.add(next)

    assert.deepEqual(await next.call('CONNECT_GET_TYPE'), { type: 'SMALL' })
    // Both ends are in this process.
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024)
  })
})

describe('a client', () => {
  const wrong: readonly (readonly [string, (call: Packet) => Buffer])[] = [
    ['an answer to nothing', call => encodePacket({ ...call, type: 1, serial: call.serial + 1 })],
    ['an answer of another procedure', call => encodePacket({ ...call, type: 1, procedure: 4 })],
    ['a call', call => encodePacket(call)],
    ['file descriptors', call => encodePacket({ ...call, type: 5 })],
    ['an error that is none', call => encodePacket({ ...call, type: 1, status: 1 })],
    ['a result that is none', call => encodePacket({ ...call, type: 1 }, writer => writer.uint(9))],
    ['a length that no packet has', () => uint32(3)],
  ]
  for (const [what, answer] of wrong) {
    test(`rejects with «garbage» where a server answers with ${what}`, async context => {
      const [near, far] = duplexPair()
      const client = new RpcClient(near)
      atEnd(context, () => client.close())
      far.once('data', (chunk: Buffer) => far.write(answer(decodePacket(chunk))))

      await assert.rejects(client.call('CONNECT_GET_TYPE'), { name: 'RpcConnectionError', kind: 'garbage' })
    })
  }

  test('gives up a server that was said to answer, and does not', async context => {
    const [near, far] = duplexPair()
    const client = new RpcClient(near)
    atEnd(context, () => client.close())
    far.resume()

    client.startKeepAlive({ intervalMs: 10, count: 2 })

    await assert.rejects(client.call('CONNECT_GET_TYPE'), { name: 'RpcConnectionError', kind: 'time-out' })
  })
})

describe('with whatever there may be', () => {
  test('packets come out as they went in, however they are cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (all, cuts) => {
        const whole = Buffer.concat(all.map((body, serial) => encodePacket({ ...CALL, serial }, to => to.raw(body))))
        const reader = new FrameReader()
        const got: Packet[] = []
        for (let [at, turn] = [0, 0]; at < whole.length; turn++) {
          const length = cuts[turn % cuts.length] ?? 1
          reader.push(whole.subarray(at, at + length))
          for (let frame = reader.next(FRAME_MAX); frame !== undefined; frame = reader.next(FRAME_MAX)) {
            got.push(decodePacket(frame))
          }
          at += length
        }

        assert.equal(reader.isPartial, false)
        assert.deepEqual(
          got.map(({ serial }) => serial),
          all.map((_, serial) => serial),
        )
        assert.ok(got.every(({ body }, serial) => body.equals(all[serial] ?? uint32(0))))
      }),
    )
  })

  test('a server answers or ends the connection, and nothing is thrown', async context => {
    const faults: unknown[] = []
    const numbers = fc.oneof(fc.integer({ min: 0, max: 450 }), fc.integer())
    const header = fc.record({
      program: fc.oneof(fc.constant(REMOTE), fc.nat()),
      version: fc.oneof(fc.constant(1), fc.nat()),
      procedure: numbers,
      type: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer()),
      serial: fc.nat({ max: 3 }),
      status: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer()),
    })
    const packet = fc
      .tuple(header, fc.uint8Array({ maxLength: 80 }))
      .map(([head, body]) => encodePacket(head, to => to.raw(body)))
    const traffic = fc.array(
      fc.oneof(
        { weight: 9, arbitrary: packet },
        { weight: 1, arbitrary: fc.uint8Array().map(raw => Buffer.from(raw)) },
      ),
    )
    const everything: Handlers = {
      ...typed,
      DOMAIN_OPEN_CONSOLE: (_, { stream }) =>
        stream(async both => {
          for await (const piece of both) if (piece instanceof Uint8Array) await both.write(piece)
        }),
      STORAGE_VOL_UPLOAD: (_, { stream }) =>
        stream(async from => {
          for await (const piece of from) assert.ok(piece)
        }),
    }

    await fc.assert(
      fc.asyncProperty(traffic, async all => {
        const closed = Promise.withResolvers<RpcConnectionError>()
        const onFault = (error: unknown) => faults.push(error)
        const end = served(context, everything, { onFault, onClose: closed.resolve })
        end.resume()
        for (const bytes of all) end.write(bytes)
        end.end()
        await closed.promise
      }),
      { numRuns: 300 },
    )

    assert.deepEqual(faults, [])
  })

  test('a client rejects with the declared errors, whatever a server sends', async context => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 120 })), fc.boolean(), async (all, framed) => {
        const [near, far] = duplexPair()
        const client = new RpcClient(near)
        atEnd(context, () => client.close())
        client.on('DOMAIN_EVENT_CALLBACK_LIFECYCLE', () => undefined)
        const calls = [client.call('CONNECT_GET_TYPE'), client.call('AUTH_LIST')]
        for (const [serial, raw] of all.entries()) {
          const head = {
            ...CALL,
            type: 1 + (serial % 3),
            serial: 1 + (serial % 2),
            procedure: serial % 2 === 0 ? 3 : 66,
          }
          far.write(framed ? encodePacket(head, to => to.raw(raw)) : Buffer.from(raw))
        }
        far.end()

        for (const outcome of await Promise.allSettled(calls)) {
          if (outcome.status === 'fulfilled') continue
          const { reason } = outcome
          assert.ok(reason instanceof RpcConnectionError || reason instanceof RpcError, String(reason))
        }
      }),
      { numRuns: 300 },
    )
  })
})

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Whether the other end reads on, within so many turns as it needs for that. */
async function drainsSoon(end: Duplex): Promise<boolean> {
  for (let turns = 0; turns < 20 && end.writableNeedDrain; turns++) await turn()
  return !end.writableNeedDrain
}

/** The next packets that a server sends. */
async function packets(end: Duplex, count: number): Promise<Packet[]> {
  const reader = new FrameReader()
  const got: Packet[] = []
  while (got.length < count) {
    const [chunk]: Buffer[] = await once(end, 'data')
    if (chunk !== undefined) reader.push(chunk)
    for (let frame = reader.next(FRAME_MAX); frame !== undefined; frame = reader.next(FRAME_MAX)) {
      got.push(decodePacket(frame))
    }
  }
  return got
}

/** How a connection ends of which `talk` gets the client's end. */
async function ending(
  context: TestContext,
  options: Parameters<typeof served>[2],
  talk: (end: Duplex) => void,
  handlers: Handlers = typed,
): Promise<RpcConnectionError> {
  const ended = Promise.withResolvers<RpcConnectionError>()
  const end = served(context, handlers, { ...options, onClose: ended.resolve })
  talk(end)
  // The deadlines of connections keep no process alive, and in a test there is nothing else.
  const beat = setInterval(() => undefined, 1000)
  return await ended.promise.finally(() => clearInterval(beat))
}
