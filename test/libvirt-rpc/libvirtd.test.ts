import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { RpcClient, type StreamPiece } from '../../src/protocols/libvirt-rpc/index.ts'
import { type Libvirtd, startLibvirtd } from './libvirtd.ts'
import { atEnd } from '../support/at-end.ts'

/** Source: libvirt, include/libvirt/libvirt-storage.h (VIR_STORAGE_POOL_CREATE_WITH_BUILD). */
const WITH_BUILD = 1
const MIB = 1024 * 1024

describe("a client at Debian's libvirtd", () => {
  let daemon: Libvirtd
  before(async () => (daemon = await startLibvirtd()))
  after(() => daemon.stop())

  async function open(context: TestContext, uri: string): Promise<RpcClient> {
    const client = new RpcClient(await daemon.connect())
    atEnd(context, () => client.close())
    assert.deepEqual(await client.call('AUTH_LIST'), { types: [0] })
    await client.call('CONNECT_OPEN', { name: uri, flags: 0 })
    return client
  }

  test('learns what it is', async context => {
    const client = await open(context, 'test:///default')
    const [type, uri, version, node, secure, feature] = await Promise.all([
      client.call('CONNECT_GET_TYPE'),
      client.call('CONNECT_GET_URI'),
      client.call('CONNECT_GET_LIB_VERSION'),
      client.call('NODE_GET_INFO'),
      client.call('CONNECT_IS_SECURE'),
      client.call('CONNECT_SUPPORTS_FEATURE', { feature: 14 }),
    ])

    assert.deepEqual(
      [type, uri, secure, feature],
      [{ type: 'TEST' }, { uri: 'test:///default' }, { secure: 1 }, { supported: 1 }],
    )
    assert.ok(version.lib_ver >= 9_000_000n)
    assert.deepEqual([node.model, node.memory, node.cpus, node.threads], ['i686', 3_145_728n, 16, 2])
  })

  test('lists, finds and describes domains, and tells of their life', async context => {
    const client = await open(context, 'test:///default')
    const seen: string[] = []
    client.on('DOMAIN_EVENT_CALLBACK_LIFECYCLE', ({ msg }) => seen.push(`${msg.dom.name} ${msg.event}`))
    const { callbackID } = await client.call('CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY', { eventID: 0, dom: null })
    const xml = `<domain type='test'><name>ours</name><memory>65536</memory><os><type>hvm</type></os></domain>`

    const { dom } = await client.call('DOMAIN_DEFINE_XML_FLAGS', { xml, flags: 0 })
    await client.call('DOMAIN_CREATE', { dom })
    const { domains } = await client.call('CONNECT_LIST_ALL_DOMAINS', { need_results: 1, flags: 0 })
    const found = await client.call('DOMAIN_LOOKUP_BY_UUID', { uuid: dom.uuid })
    const described = await client.call('DOMAIN_GET_XML_DESC', { dom, flags: 0 })
    const { retStats } = await client.call('CONNECT_GET_ALL_DOMAIN_STATS', { doms: [dom], stats: 0, flags: 0 })
    for (const name of ['DOMAIN_SUSPEND', 'DOMAIN_RESUME', 'DOMAIN_DESTROY', 'DOMAIN_UNDEFINE'] as const) {
      await client.call(name, { dom })
    }
    await client.call('CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY', { callbackID })

    assert.ok(domains.some(({ name, uuid, id }) => name === 'ours' && uuid === dom.uuid && id > 0))
    assert.equal(found.dom.name, 'ours')
    assert.match(described.xml, /<memory unit='KiB'>65536</)
    assert.deepEqual(retStats[0]?.params[0], { field: 'state.state', value: { type: 'int', value: 1 } })
    // Defined, started, suspended, resumed, stopped, undefined. Source: virDomainEventType.
    assert.deepEqual(seen, ['ours 0', 'ours 2', 'ours 3', 'ours 4', 'ours 5', 'ours 1'])
  })

  test('is told what cannot be, each by its code', async context => {
    const client = await open(context, 'test:///default')
    const storage = await open(context, 'storage:///session')

    await assert.rejects(client.call('DOMAIN_LOOKUP_BY_NAME', { name: 'none' }), { name: 'RpcError', code: 42 })
    await assert.rejects(client.call('DOMAIN_DEFINE_XML_FLAGS', { xml: '<bad/>', flags: 0 }), {
      code: 27,
      domain: 5,
      message: "XML error: expecting root element of 'domain', not 'bad'",
    })
    await assert.rejects(storage.call('CONNECT_LIST_ALL_DOMAINS', { need_results: 1, flags: 0 }), {
      code: 3,
      domain: 20,
      str1: 'this function is not supported by the connection driver: %s',
      str2: 'virConnectListAllDomains',
      message: 'this function is not supported by the connection driver: virConnectListAllDomains',
    })
  })

  test('gets a screenshot through a stream', async context => {
    const client = await open(context, 'test:///default')
    const { dom } = await client.call('DOMAIN_LOOKUP_BY_NAME', { name: 'test' })

    const { result, stream } = await client.open('DOMAIN_SCREENSHOT', { dom, screen: 0, flags: 0 })
    const picture = await collect(stream)
    await stream.finish()

    assert.deepEqual(result, { mime: 'image/png' })
    assert.equal(picture.toString('latin1', 1, 4), 'PNG')
  })

  test('uploads and downloads a volume, whole, in part, and with holes', async context => {
    const client = await open(context, 'storage:///session')
    const vol = await volume(client, join(daemon.folder, 'pool'))
    const whole = { vol, offset: 0n, length: 0n }
    const content = Buffer.concat([pattern(2 * MIB + 7), Buffer.alloc(4 * MIB - 14), pattern(2 * MIB + 7)])

    const up = await client.open('STORAGE_VOL_UPLOAD', { ...whole, flags: 1 })
    await up.stream.write(content.subarray(0, 2 * MIB + 7))
    await up.stream.writeHole(BigInt(4 * MIB - 14))
    await up.stream.write(content.subarray(6 * MIB - 7))
    await up.stream.finish()
    const down = await client.open('STORAGE_VOL_DOWNLOAD', { ...whole, flags: 0 })
    const all = await collect(down.stream)
    await down.stream.finish()
    const sparse = await client.open('STORAGE_VOL_DOWNLOAD', { ...whole, flags: 1 })
    const holed = await collect(sparse.stream)
    await sparse.stream.finish()
    const part = await client.open('STORAGE_VOL_DOWNLOAD', { vol, offset: 5n, length: 300_000n, flags: 0 })
    const middle = await collect(part.stream)
    await part.stream.finish()

    assert.ok(all.equals(content))
    assert.ok(holed.equals(content))
    assert.ok(middle.equals(content.subarray(5, 300_005)))
  })

  test('aborts a stream, and hears of one that the host does not open', async context => {
    const client = await open(context, 'storage:///session')
    const vol = await volume(client, join(daemon.folder, 'other'))

    const { stream } = await client.open('STORAGE_VOL_UPLOAD', { vol, offset: 0n, length: 0n, flags: 0 })
    await stream.write(pattern(MIB))
    await stream.abort()
    const absent = { ...vol, name: 'absent', key: 'absent' }
    const refused = client.open('STORAGE_VOL_DOWNLOAD', { vol: absent, offset: 0n, length: 0n, flags: 0 })

    await assert.rejects(refused, { name: 'RpcError', code: 50 })
    await client.call('STORAGE_VOL_DELETE', { vol, flags: 0 })
  })

  test('is answered when it asks whether the daemon lives', async context => {
    const socket = await daemon.connect()
    const client = new RpcClient(socket)
    atEnd(context, () => client.close())
    assert.deepEqual(await client.call('CONNECT_SUPPORTS_FEATURE', { feature: 10 }), { supported: 1 })

    client.startKeepAlive({ intervalMs: 20, count: 1000 })
    const [pong]: Buffer[] = await once(socket, 'data')

    assert.deepEqual([pong?.readUInt32BE(4), pong?.readInt32BE(12)], [0x6b656570, 2])
  })
})

/** A volume of 8 MiB in a pool of its own. */
async function volume(client: RpcClient, path: string) {
  const name = path.replace(/.*\//, '')
  const xml = `<pool type='dir'><name>${name}</name><target><path>${path}</path></target></pool>`
  const { pool } = await client.call('STORAGE_POOL_CREATE_XML', { xml, flags: WITH_BUILD })
  const disk = `<volume><name>disk</name><capacity unit='MiB'>8</capacity><allocation>0</allocation></volume>`
  return (await client.call('STORAGE_VOL_CREATE_XML', { pool, xml: disk, flags: 0 })).vol
}

/** What a stream brings, holes as the zeros that they are. */
async function collect(stream: AsyncIterable<StreamPiece>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) {
    pieces.push(piece instanceof Uint8Array ? piece : new Uint8Array(Number(piece.holeBytes)))
  }
  return Buffer.concat(pieces)
}

/** Bytes that differ from place to place. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length, 1)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeInt32BE(Math.imul(at, 0x9e3779b1) | 1, at)
  return bytes
}
