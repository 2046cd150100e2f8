import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Handlers, RpcError, type StreamBody, type StreamPiece } from '../../src/protocols/libvirt-rpc/index.ts'
import { pair } from './pair.ts'

const VOL = { pool: 'pool', name: 'disk', key: '/pool/disk' }
const WHOLE = { vol: VOL, offset: 0n, length: 0n, flags: 0 }
const SPARSE = { ...WHOLE, flags: 1 }
const CONSOLE = {
  dom: { name: 'alpha', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', id: 1 },
  dev_name: null,
  flags: 0,
}
const MIB = 1024 * 1024

describe('a download', () => {
  test('brings every byte in order, ends, and is confirmed', async context => {
    const content = pattern(5 * MIB + 3)
    const { client } = pair(
      context,
      download(async stream => await stream.write(content)),
    )

    const { stream } = await client.open('STORAGE_VOL_DOWNLOAD', WHOLE)
    const got = await collect(stream)
    await stream.finish()

    assert.ok(got.equals(content))
  })

  test('that fails halfway tells what went wrong', async context => {
    const { client } = pair(
      context,
      download(async stream => {
        await stream.write(Buffer.from('half'))
        throw new RpcError(38, 'the disk broke')
      }),
    )

    const { stream } = await client.open('STORAGE_VOL_DOWNLOAD', WHOLE)

    await assert.rejects(collect(stream), { name: 'RpcError', code: 38, message: 'the disk broke' })
    await assert.rejects(stream.finish(), { code: 38 })
  })

  test('brings holes where they were agreed on, and none elsewhere', async context => {
    const failures: unknown[] = []
    const body: StreamBody = async stream => {
      await stream.write(Buffer.from('a'))
      await stream.writeHole(2n ** 40n)
      await stream.write(Buffer.from('b'))
    }
    const { client } = pair(context, download(body), { onFault: error => failures.push(error) })

    const sparse = await client.open('STORAGE_VOL_DOWNLOAD', SPARSE)
    const pieces = await everything(sparse.stream)
    const full = await client.open('STORAGE_VOL_DOWNLOAD', WHOLE)

    assert.deepEqual(pieces, [Buffer.from('a'), { holeBytes: 2n ** 40n }, Buffer.from('b')])
    await assert.rejects(collect(full.stream), { name: 'RpcError', message: /not opened for holes/ })
  })

  test('of which enough was read stops what sends it', async context => {
    const stopped = Promise.withResolvers<unknown>()
    const { client } = pair(
      context,
      download(async (stream, signal) => {
        try {
          for (;;) await stream.write(Buffer.alloc(MIB))
        } catch (error) {
          stopped.resolve(signal.aborted && error)
        }
      }),
    )

    const { stream } = await client.open('STORAGE_VOL_DOWNLOAD', WHOLE)
    for await (const piece of stream) {
      assert.ok(piece instanceof Uint8Array)
      break
    }
    await stream.finish()

    assert.match(String(await stopped.promise), /the client finished the stream/)
  })

  test('that is read slowly is sent slowly', async context => {
    let sent = 0
    const { client } = pair(
      context,
      download(async stream => {
        for (; sent < 64; sent++) await stream.write(Buffer.alloc(MIB))
      }),
    )

    const { stream } = await client.open('STORAGE_VOL_DOWNLOAD', WHOLE)
    for (let turns = 0; turns < 100; turns++) await turn()
    const sentUnread = sent
    const got = await collect(stream)
    await stream.finish()

    assert.ok(sentUnread < 4, `${sentUnread} MiB went out before anything was read`)
    assert.equal(got.length, 64 * MIB)
  })

  test('that nobody reads is given up, and calls go on', async context => {
    const stopped = Promise.withResolvers<unknown>()
    const body: StreamBody = stream => stream.write(pattern(8 * MIB)).catch(stopped.resolve)
    const handlers = { ...download(body), CONNECT_GET_TYPE: () => ({ type: 'SMALL' }) }
    const { client } = pair(context, handlers, { client: { streamStallMs: 30 } })

    const { stream } = await client.open('STORAGE_VOL_DOWNLOAD', WHOLE)

    assert.match(String(await stopped.promise), /the client aborted the stream/)
    assert.deepEqual(await client.call('CONNECT_GET_TYPE'), { type: 'SMALL' })
    await assert.rejects(collect(stream), { name: 'RpcError', message: /nobody took/ })
    await assert.rejects(stream.finish(), { message: /nobody took/ })
  })
})

describe('an upload', () => {
  test('is confirmed only once it has been dealt with', async context => {
    const got: Uint8Array[] = []
    let isStored = false
    const { client } = pair(
      context,
      upload(async stream => {
        for await (const piece of stream) if (piece instanceof Uint8Array) got.push(piece)
        await turn()
        isStored = true
      }),
    )
    const content = pattern(3 * MIB + 1)

    const { stream } = await client.open('STORAGE_VOL_UPLOAD', WHOLE)
    await stream.write(content)
    await stream.finish()

    assert.equal(isStored, true)
    assert.ok(Buffer.concat(got).equals(content))
  })

  test('that cannot be stored tells so when it is finished, and before', async context => {
    const full = new RpcError(38, 'no space left')
    const { client } = pair(
      context,
      upload(() => Promise.reject(full)),
    )

    const { stream } = await client.open('STORAGE_VOL_UPLOAD', WHOLE)

    await assert.rejects(
      async () => {
        for (;;) await stream.write(Buffer.alloc(MIB))
      },
      { code: 38, message: 'no space left' },
    )
    await assert.rejects(stream.finish(), { code: 38 })
  })

  test('that its client aborts fails for who stores it', async context => {
    const outcome = Promise.withResolvers<unknown>()
    const { client } = pair(
      context,
      upload(stream => everything(stream).then(() => outcome.resolve('whole'), outcome.resolve)),
    )

    const { stream } = await client.open('STORAGE_VOL_UPLOAD', WHOLE)
    await stream.write(Buffer.from('half'))
    await stream.abort()

    assert.match(String(await outcome.promise), /the client aborted the stream/)
  })

  test('has holes where they were agreed on', async context => {
    const got: StreamPiece[] = []
    const { client } = pair(
      context,
      upload(async stream => {
        for await (const piece of stream) got.push(piece)
      }),
    )

    const { stream } = await client.open('STORAGE_VOL_UPLOAD', SPARSE)
    await stream.writeHole(12n)
    await stream.finish()
    const other = await client.open('STORAGE_VOL_UPLOAD', WHOLE)

    assert.deepEqual(got, [{ holeBytes: 12n }])
    await assert.rejects(other.stream.writeHole(12n), { name: 'RpcError' })
  })
})

describe('a console', () => {
  const echo: StreamBody = async stream => {
    for await (const piece of stream) if (piece instanceof Uint8Array) await stream.write(piece)
  }

  test('goes both ways at once, beside other calls', async context => {
    const { client } = pair(context, {
      DOMAIN_OPEN_CONSOLE: (_, { stream }) => stream(echo),
      CONNECT_GET_TYPE: () => ({ type: 'SMALL' }),
    })

    const { stream } = await client.open('DOMAIN_OPEN_CONSOLE', CONSOLE)
    const reader = stream[Symbol.asyncIterator]()
    for (const word of ['one', 'two', 'three']) {
      await stream.write(Buffer.from(word))
      await client.call('CONNECT_GET_TYPE')
      assert.deepEqual((await reader.next()).value, Buffer.from(word))
    }
    await stream.finish()
  })

  test('fails for both sides when the connection ends', async context => {
    const ended = Promise.withResolvers<unknown>()
    const { client, server } = pair(context, {
      DOMAIN_OPEN_CONSOLE: (_, { stream }) => stream((both, signal) => echo(both, signal).catch(ended.resolve)),
    })

    const { stream } = await client.open('DOMAIN_OPEN_CONSOLE', CONSOLE)
    server.close()

    await assert.rejects(collect(stream), { name: 'RpcConnectionError', kind: 'closed' })
    await assert.rejects(stream.finish(), { kind: 'closed' })
    assert.match(String(await ended.promise), /closed/)
  })

  test('is refused where the handler refuses, and leaves nothing', async context => {
    const { client } = pair(context, {
      DOMAIN_OPEN_CONSOLE: (_, { stream }) => {
        stream(echo)
        throw new RpcError(55, 'the domain does not run')
      },
    })

    for (let count = 0; count < 70; count++) {
      await assert.rejects(client.open('DOMAIN_OPEN_CONSOLE', CONSOLE), { code: 55 })
    }
  })

  test('that opens too late for its client is aborted, and counts no more', async context => {
    const gone = Promise.withResolvers<unknown>()
    const release = Promise.withResolvers<void>()
    const { client } = pair(context, {
      DOMAIN_OPEN_CONSOLE: async (_, { stream }) => {
        await release.promise
        stream((both, signal) => echo(both, signal).catch(gone.resolve))
      },
    })

    const late = client.open('DOMAIN_OPEN_CONSOLE', CONSOLE, { timeoutMs: 10 })
    await assert.rejects(late, { name: 'RpcConnectionError', kind: 'time-out' })
    release.resolve()

    assert.match(String(await gone.promise), /the client aborted the stream/)
  })

  test('is one of so many that a connection may have', async context => {
    const { client } = pair(context, { DOMAIN_OPEN_CONSOLE: (_, { stream }) => stream(echo) })
    const opened = await Promise.all(Array.from({ length: 64 }, () => client.open('DOMAIN_OPEN_CONSOLE', CONSOLE)))

    await assert.rejects(client.open('DOMAIN_OPEN_CONSOLE', CONSOLE), { kind: 'overflow' })

    await Promise.all(opened.map(({ stream }) => stream.finish()))
    const { stream } = await client.open('DOMAIN_OPEN_CONSOLE', CONSOLE)
    await stream.abort()
  })
})

function download(body: StreamBody): Handlers {
  return { STORAGE_VOL_DOWNLOAD: (_, { stream }) => stream(body) }
}

function upload(body: StreamBody): Handlers {
  return { STORAGE_VOL_UPLOAD: (_, { stream }) => stream(body) }
}

async function everything(stream: AsyncIterable<StreamPiece>): Promise<StreamPiece[]> {
  const pieces: StreamPiece[] = []
  for await (const piece of stream) pieces.push(piece)
  return pieces
}

async function collect(stream: AsyncIterable<StreamPiece>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) {
    assert.ok(piece instanceof Uint8Array)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** Bytes that differ from place to place. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE(Math.imul(at, 0x9e3779b1) >>> 0, at)
  return bytes
}
