import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import {
  connectQmp,
  IN_FLIGHT_MAX,
  LINE_BYTES_MAX,
  type QmpClient,
  type QmpOptions,
  WAITING_MAX,
} from '../../src/protocols/qmp/client.ts'
import type { QmpEvent } from '../../src/protocols/qmp/commands.ts'
import { type QmpConnectionError, QmpError, type QmpFailure } from '../../src/protocols/qmp/error.ts'
import { type FakeServer, GREETING, listen, obedient, returned } from './fake-server.ts'

const open: Array<FakeServer | QmpClient> = []
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close()
})

async function serve(...talk: Parameters<typeof listen>): Promise<FakeServer> {
  const server = await listen(...talk)
  open.push(server)
  return server
}

async function connect({ path }: { readonly path: string }, options: Partial<QmpOptions> = {}): Promise<QmpClient> {
  const client = await connectQmp(path, { onEvent: () => undefined, onClose: () => undefined, ...options })
  open.push(client)
  return client
}

const failsBy = (failure: QmpFailure) => ({ name: 'QmpConnectionError', failure })
const STATUS = { status: 'running', singlestep: false, running: true }

describe('connecting', () => {
  test('greets, negotiates, and is ready for commands', async () => {
    const server = await serve(obedient(request => returned(request, STATUS)))

    const client = await connect(server)

    assert.deepEqual(await client.execute('query-status'), { status: 'running', running: true })
  })

  test('says absent where nobody listens', async () => {
    await assert.rejects(connect({ path: '/tmp/pv-nobody.sock' }), failsBy('absent'))
  })

  test('says time-out where something accepts and does not greet', async () => {
    const server = await serve(() => undefined)

    await assert.rejects(connect(server, { timeoutMs: 50 }), failsBy('time-out'))
  })

  test('says time-out where something greets and does not negotiate', async () => {
    const server = await serve(socket => void socket.write(`${GREETING}\r\n`))

    await assert.rejects(connect(server, { timeoutMs: 50 }), failsBy('time-out'))
  })

  test('says closed where the other end hangs up before it greets', async () => {
    const server = await serve(socket => void socket.end())

    await assert.rejects(connect(server), failsBy('closed'))
  })

  test('stops when its caller does', async () => {
    const server = await serve(() => undefined)

    await assert.rejects(connect(server, { signal: AbortSignal.timeout(20) }), failsBy('aborted'))
  })

  for (const [what, line] of [
    ['a line that is no JSON', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['JSON that is no object', '[1, 2]\r\n'],
    ['an object that is no greeting', '{"hello": "world"}\r\n'],
    ['bytes that are no text', Buffer.from([0xff, 0x00, 0xfe, 0x0a])],
    ['a line without an end', Buffer.alloc(LINE_BYTES_MAX + 1, 'x')],
  ] as const) {
    test(`says garbage to ${what}`, async () => {
      const server = await serve(socket => void socket.write(line))

      await assert.rejects(connect(server), failsBy('garbage'))
    })
  }
})

describe('commands', () => {
  test('are answered each by its own answer, though many are given at once', async () => {
    let uuids = 0
    const server = await serve(obedient(request => returned(request, { UUID: `N${uuids++}` })))
    const client = await connect(server)
    const numbers = Array.from({ length: IN_FLIGHT_MAX * 3 }, (_, index) => `n${index}`)

    const answers = await Promise.all(numbers.map(() => client.execute('query-uuid')))

    assert.deepEqual(answers, numbers)
  })

  test('that QEMU refuses reject with its class and its sentence', async () => {
    const server = await serve(
      obedient(({ id }) => `${JSON.stringify({ error: { class: 'GenericError', desc: 'it will not' }, id })}\r\n`),
    )
    const client = await connect(server)

    await assert.rejects(client.execute('cont'), error => {
      assert(error instanceof QmpError)
      assert.deepEqual([error.class, error.desc, error.message], ['GenericError', 'it will not', 'cont: it will not'])
      return true
    })
  })

  test('are sent no faster than QEMU takes them, and refused when too many wait', async () => {
    let seen = 0
    const server = await serve(obedient(() => void seen++))
    const client = await connect(server)
    const given = Array.from({ length: IN_FLIGHT_MAX + WAITING_MAX }, () =>
      client.execute('stop').catch(() => undefined),
    )

    await assert.rejects(client.execute('stop'), failsBy('overflow'))
    await assert.rejects(client.execute('cont', {}, { timeoutMs: 50 }), failsBy('overflow'))
    client.close()
    await Promise.all(given)

    assert(seen <= IN_FLIGHT_MAX)
  })

  test('that are not answered in time are given up, and their late answers do no harm', async () => {
    const late: string[] = []
    const server = await serve(
      obedient((request, socket) => {
        if (request.execute === 'stop') return void late.push(returned(request, {}))
        socket.write(late.splice(0).join(''))
        return returned(request, STATUS)
      }),
    )
    const client = await connect(server)

    await assert.rejects(client.execute('stop', {}, { timeoutMs: 20 }), failsBy('time-out'))
    assert.equal((await client.execute('query-status')).status, 'running')
    assert(client.isOpen)
  })

  test('are not given for a caller that has stopped, and given up when it stops', async () => {
    const asked: string[] = []
    const server = await serve(obedient(({ execute }) => void asked.push(execute)))
    const client = await connect(server)

    await assert.rejects(client.execute('cont', {}, { signal: AbortSignal.abort() }), failsBy('aborted'))
    await assert.rejects(client.execute('stop', {}, { signal: AbortSignal.timeout(50) }), failsBy('aborted'))
    assert.deepEqual(asked, ['stop'])
  })

  test('reject when their answer has another shape than QEMU gives it', async () => {
    const server = await serve(obedient(request => returned(request, { status: 7 })))
    const client = await connect(server)

    await assert.rejects(client.execute('query-status'), failsBy('garbage'))
  })

  test('that wait reject as closed when the connection ends, and so do those that come later', async () => {
    const server = await serve(obedient((_, socket) => void socket.end()))
    const client = await connect(server)

    await assert.rejects(client.execute('query-status'), failsBy('closed'))
    await assert.rejects(client.execute('query-status'), failsBy('closed'))
    assert(!client.isOpen)
  })

  test('reject when the client is closed, which may be done twice', async () => {
    const server = await serve(obedient(() => undefined))
    const client = await connect(server)
    const pending = assert.rejects(client.execute('stop'), failsBy('closed'))
    client.close()
    client.close()

    await pending
  })
})

describe('what comes unasked', () => {
  test('is handed on in order, whole though it comes in pieces', async () => {
    const event = (name: string) =>
      `${JSON.stringify({ timestamp: { seconds: 2, microseconds: 500_000 }, event: name, data: { reason: 'ü' } })}\r\n`
    const bytes = Buffer.from(event('STOP') + event('RESUME'))
    const server = await serve(
      obedient((request, socket) => {
        for (const byte of bytes) socket.write(Buffer.from([byte]))
        return returned(request, STATUS)
      }),
    )
    const events: QmpEvent[] = []
    const client = await connect(server, { onEvent: happened => events.push(happened) })

    await client.execute('query-status')

    assert.deepEqual(events, [
      { event: 'STOP', data: { reason: 'ü' }, timestampMs: 2500 },
      { event: 'RESUME', data: { reason: 'ü' }, timestampMs: 2500 },
    ])
  })

  test('is heard to the end, though a command was given to a server that has closed already', async () => {
    const { promise: isClosed, resolve } = Promise.withResolvers<void>()
    const last = (name: string) =>
      `${JSON.stringify({ timestamp: { seconds: 1, microseconds: 0 }, event: name, data: {} })}\r\n`
    const server = await serve(
      obedient((_, socket) => {
        socket.once('close', () => resolve())
        // In the kernel before the socket goes; nobody has read it by then.
        socket.write(last('GUEST_PANICKED') + last('SHUTDOWN'), () => socket.destroy())
      }),
    )
    const heard: string[] = []
    const ends: QmpConnectionError[] = []
    const client = await connect(server, {
      onEvent: ({ event }) => heard.push(event),
      onClose: error => ends.push(error),
    })
    const first = assert.rejects(client.execute('stop'), failsBy('closed'))
    const late = isClosed.then(() => assert.rejects(client.execute('cont'), failsBy('closed')))

    await Promise.all([first, late])
    assert.deepEqual(heard, ['GUEST_PANICKED', 'SHUTDOWN'])
    assert.equal(ends.length, 1)
  })

  for (const [what, line] of [
    ['an answer to nothing', '{"return": {}, "id": 999}\r\n'],
    ['an error that names no command', '{"error": {"class": "GenericError", "desc": "JSON parse error"}}\r\n'],
    ['half an event', '{"event": "STOP"}\r\n'],
    ['noise', '\u0007\u0007\r\n'],
  ] as const) {
    test(`ends the connection as garbage when it is ${what}, and tells so once`, async () => {
      const server = await serve(obedient(() => line))
      const ends: QmpConnectionError[] = []
      const client = await connect(server, { onClose: error => ends.push(error) })

      await assert.rejects(client.execute('query-status'), failsBy('garbage'))
      client.close()

      assert.deepEqual(
        ends.map(({ failure }) => failure),
        ['garbage'],
      )
    })
  }

  test('of the end is not told to who closed the connection', async () => {
    const server = await serve(obedient(request => returned(request, STATUS)))
    const ends: QmpConnectionError[] = []
    const client = await connect(server, { onClose: error => ends.push(error) })
    await client.execute('query-status')
    client.close()
    await server.close()

    assert.deepEqual(ends, [])
  })
})
