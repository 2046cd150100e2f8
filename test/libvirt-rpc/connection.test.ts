import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type RpcConnectionError, RpcError } from '../../src/protocols/libvirt-rpc/index.ts'
import { pair } from './pair.ts'

const DOMAIN = { name: 'alpha', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', id: 1 }

describe('a call', () => {
  test('carries its arguments there and its result back', async context => {
    const { client } = pair(context, { DOMAIN_LOOKUP_BY_NAME: ({ name }) => ({ dom: { ...DOMAIN, name } }) })

    assert.deepEqual(await client.call('DOMAIN_LOOKUP_BY_NAME', { name: 'größer' }), {
      dom: { ...DOMAIN, name: 'größer' },
    })
  })

  test('carries typed parameters of every type', async context => {
    const params = [
      { field: 'i', value: { type: 'int', value: -1 } },
      { field: 'ui', value: { type: 'uint', value: 2 ** 32 - 1 } },
      { field: 'l', value: { type: 'llong', value: -(2n ** 63n) } },
      { field: 'ul', value: { type: 'ullong', value: 2n ** 64n - 1n } },
      { field: 'd', value: { type: 'double', value: 0.1 } },
      { field: 'b', value: { type: 'boolean', value: true } },
      { field: 's', value: { type: 'string', value: 'ß' } },
    ] as const
    const { client } = pair(context, { DOMAIN_GET_JOB_STATS: () => ({ type: 5, params }) })

    assert.deepEqual(await client.call('DOMAIN_GET_JOB_STATS', { dom: DOMAIN, flags: 0 }), { type: 5, params })
  })

  test('carries arrays of characters, each in four bytes, and texts in a fixed number of them', async context => {
    const data = Uint8Array.of(0, 1, 0x7f, 0x80, 0xff)
    const node = { memory: 1n, cpus: 1, mhz: 1, nodes: 1, sockets: 1, cores: 1, threads: 1 }
    const { client } = pair(context, {
      AUTH_SASL_STEP: ({ data: given }) => ({ complete: 1, nil: 0, data: given }),
      NODE_GET_INFO: () => ({ ...node, model: 'x86_64' }),
    })

    assert.deepEqual((await client.call('AUTH_SASL_STEP', { nil: 0, data })).data, data)
    assert.deepEqual(await client.call('NODE_GET_INFO'), { ...node, model: 'x86_64' })
  })

  test('rejects with every part of the error that the handler throws', async context => {
    const error = new RpcError(42, 'Domain not found: a', { domain: 20, level: 1, str1: 'a', str3: 'c', int1: 7 })
    const { client } = pair(context, { DOMAIN_SUSPEND: () => Promise.reject(error) })

    await assert.rejects(client.call('DOMAIN_SUSPEND', { dom: DOMAIN }), {
      name: 'RpcError',
      message: 'Domain not found: a',
      code: 42,
      domain: 20,
      level: 1,
      str1: 'a',
      str2: null,
      str3: 'c',
      int1: 7,
      int2: -1,
    })
  })

  test('tells a client nothing of a fault but that there is one', async context => {
    const faults: unknown[] = []
    const { client } = pair(
      context,
      {
        CONNECT_GET_URI: () => {
          throw new TypeError('the password is 1234')
        },
        CONNECT_GET_HOSTNAME: () => ({ hostname: 'a\0b' }),
      },
      { onFault: error => faults.push(error) },
    )

    await assert.rejects(client.call('CONNECT_GET_URI'), {
      code: 1,
      message: 'internal error: virConnectGetURI failed unexpectedly',
    })
    await assert.rejects(client.call('CONNECT_GET_HOSTNAME'), {
      code: 39,
      message: /^Unable to encode message payload/,
    })
    assert.equal(faults.length, 2)
  })

  test('rejects with what the server says of errors of its own', async context => {
    const describeError = (error: unknown) => (error instanceof RangeError ? new RpcError(8, error.message) : undefined)
    const { client } = pair(
      context,
      {
        CONNECT_GET_URI: () => {
          throw new RangeError('too far')
        },
      },
      { describe: describeError },
    )

    await assert.rejects(client.call('CONNECT_GET_URI'), { name: 'RpcError', code: 8, message: 'too far' })
  })

  test('without a handler is not supported, and is told by its function', async context => {
    const { client } = pair(context, {})

    await assert.rejects(client.call('DOMAIN_SNAPSHOT_NUM', { dom: DOMAIN, flags: 0 }), {
      code: 3,
      domain: 35,
      str2: 'virDomainSnapshotNum',
      message: 'this function is not supported by the connection driver: virDomainSnapshotNum',
    })
  })

  test('that may take long holds up none that come after it', async context => {
    const release = Promise.withResolvers<void>()
    const { client } = pair(context, {
      DOMAIN_SHUTDOWN: () => release.promise,
      CONNECT_GET_TYPE: () => ({ type: 'SMALL' }),
    })
    const order: string[] = []

    const slow = client.call('DOMAIN_SHUTDOWN', { dom: DOMAIN }).then(() => order.push('slow'))
    await client.call('CONNECT_GET_TYPE').then(() => order.push('quick'))
    release.resolve()
    await slow

    assert.deepEqual(order, ['quick', 'slow'])
  })

  test('is one of thousands at once, of which few are worked on at a time', async context => {
    let [running, most] = [0, 0]
    const { client } = pair(context, {
      DOMAIN_LOOKUP_BY_ID: async ({ id }) => {
        most = Math.max(most, ++running)
        await turn()
        running--
        return { dom: { ...DOMAIN, id } }
      },
    })

    const answers = await Promise.all(
      Array.from({ length: 3000 }, (_, id) => client.call('DOMAIN_LOOKUP_BY_ID', { id })),
    )

    assert.deepEqual(
      answers.map(({ dom }) => dom.id),
      Array.from({ length: 3000 }, (_, id) => id),
    )
    assert.equal(most, 32)
  })

  test('is refused where too many wait for an answer', async context => {
    const { client } = pair(context, { CONNECT_GET_TYPE: () => new Promise(() => undefined) })
    const waiting = Array.from({ length: 4096 }, () => client.call('CONNECT_GET_TYPE'))

    await assert.rejects(client.call('CONNECT_GET_TYPE'), { name: 'RpcConnectionError', kind: 'overflow' })

    client.close()
    const outcomes = await Promise.allSettled(waiting)
    assert.ok(outcomes.every(({ status }) => status === 'rejected'))
  })

  test('is given up when its time is over or its caller stops waiting, and the connection goes on', async context => {
    const release = Promise.withResolvers<{ readonly type: string }>()
    const { client } = pair(context, { CONNECT_GET_TYPE: () => release.promise, CONNECT_CLOSE: () => undefined })
    const stop = new AbortController()

    const late = client.call('CONNECT_GET_TYPE', undefined, { timeoutMs: 20 })
    const stopped = client.call('CONNECT_GET_TYPE', undefined, { signal: stop.signal })
    stop.abort()

    await assert.rejects(stopped, { name: 'RpcConnectionError', kind: 'aborted' })
    await assert.rejects(late, { name: 'RpcConnectionError', kind: 'time-out' })
    release.resolve({ type: 'SMALL' })
    await client.call('CONNECT_CLOSE')
  })

  test('with arguments that are none is refused before it is sent', async context => {
    const { client } = pair(context, {})

    await assert.rejects(client.call('DOMAIN_LOOKUP_BY_NAME', { name: 'a\0b' }), { name: 'XdrError', path: 'name' })
    await assert.rejects(client.call('DOMAIN_SUSPEND', { dom: { ...DOMAIN, uuid: '1234' } }), { path: 'dom.uuid' })
  })
})

describe('a connection', () => {
  test('that is closed rejects whatever waits, once, and is told of on the other side', async context => {
    const closed = Promise.withResolvers<RpcConnectionError>()
    const { client } = pair(
      context,
      { CONNECT_GET_TYPE: () => new Promise(() => undefined) },
      { onClose: closed.resolve },
    )
    const { client: cut, server } = pair(context, { CONNECT_GET_TYPE: () => new Promise(() => undefined) })

    const waits = [client.call('CONNECT_GET_TYPE'), cut.call('CONNECT_GET_TYPE')]
    client.close()
    client.close()
    server.close()

    for (const wait of waits) await assert.rejects(wait, { name: 'RpcConnectionError', kind: 'closed' })
    await assert.rejects(client.call('CONNECT_GET_TYPE'), { kind: 'closed' })
    assert.equal((await closed.promise).kind, 'closed')
    assert.equal(client.isOpen || cut.isOpen, false)
  })

  test('tells of its end once, and its signal aborts what is under way for it', async context => {
    const ends: string[] = []
    const { client, server } = pair(context, {}, { client: { onClose: ({ kind }) => ends.push(kind) } })

    server.close()
    assert.equal(server.signal.aborted, true)
    await turn()
    await assert.rejects(client.call('CONNECT_GET_TYPE'))

    assert.deepEqual(ends, ['closed'])
  })

  test('on which nobody has logged in answers what serves to log in, and nothing else', async context => {
    const { client } = pair(
      context,
      {
        AUTH_LIST: () => ({ types: [1] }),
        AUTH_SASL_INIT: (_, { connection }) => {
          connection.login()
          return { mechlist: 'SCRAM-SHA-256' }
        },
        CONNECT_GET_TYPE: () => ({ type: 'SMALL' }),
      },
      { needsLogin: true },
    )

    assert.deepEqual(await client.call('AUTH_LIST'), { types: [1] })
    await assert.rejects(client.call('CONNECT_GET_TYPE'), { code: 39, domain: 7, message: 'authentication required' })
    await assert.rejects(client.call('CONNECT_GET_URI'), { message: 'authentication required' })
    await client.call('AUTH_SASL_INIT')
    assert.deepEqual(await client.call('CONNECT_GET_TYPE'), { type: 'SMALL' })
  })

  test('that may only read refuses what changes something, and what tells secrets', async context => {
    const { client, server } = pair(context, {
      DOMAIN_DESTROY: () => undefined,
      DOMAIN_GET_XML_DESC: () => ({ xml: '<domain/>' }),
    })
    const secure = { dom: DOMAIN, flags: 1 }
    await client.call('DOMAIN_DESTROY', { dom: DOMAIN })
    await client.call('DOMAIN_GET_XML_DESC', secure)

    server.restrict()

    assert.equal(server.isReadOnly, true)
    await assert.rejects(client.call('DOMAIN_DESTROY', { dom: DOMAIN }), {
      code: 29,
      message: 'operation forbidden: read only access prevents virDomainDestroy',
    })
    await assert.rejects(client.call('DOMAIN_GET_XML_DESC', secure), { code: 29 })
    assert.deepEqual(await client.call('DOMAIN_GET_XML_DESC', { dom: DOMAIN, flags: 2 }), { xml: '<domain/>' })
  })

  test('hands its context to every handler', async context => {
    const hosts = { here: 'smallhost' }
    const { client } = pair(
      context,
      { CONNECT_GET_HOSTNAME: (_, call) => ({ hostname: call.context === hosts ? 'same' : 'other' }) },
      { context: hosts },
    )

    assert.deepEqual(await client.call('CONNECT_GET_HOSTNAME'), { hostname: 'same' })
  })
})

describe('events', () => {
  test('come to those who listen, in order, until they listen no more', async context => {
    const { client, server } = pair(context, { CONNECT_GET_TYPE: () => ({ type: 'SMALL' }) })
    const [seen, other]: [number[], number[]] = [[], []]
    const stop = client.on('DOMAIN_EVENT_CALLBACK_LIFECYCLE', ({ msg }) => seen.push(msg.event))
    client.on('NETWORK_EVENT_LIFECYCLE', ({ detail }) => other.push(detail))
    const tell = (event: number) =>
      server.emit('DOMAIN_EVENT_CALLBACK_LIFECYCLE', { callbackID: 0, msg: { dom: DOMAIN, event, detail: 0 } })

    for (const event of [1, 2, 3]) tell(event)
    await client.call('CONNECT_GET_TYPE')
    stop()
    tell(4)
    await client.call('CONNECT_GET_TYPE')

    assert.deepEqual([seen, other], [[1, 2, 3], []])
  })
})

describe('keepalive', () => {
  test('leaves a connection alone on which both sides answer', async context => {
    const { client, server } = pair(context, { CONNECT_GET_TYPE: () => ({ type: 'SMALL' }) })
    const patience = { intervalMs: 15, count: 2 }
    client.startKeepAlive(patience)
    server.startKeepAlive(patience)

    // Longer than either would wait for one that is silent.
    await new Promise(resolve => setTimeout(resolve, 100))

    assert.deepEqual(await client.call('CONNECT_GET_TYPE'), { type: 'SMALL' })
  })
})
