import assert from 'node:assert/strict'
import type { Buffer } from 'node:buffer'
import { getEventListeners } from 'node:events'
import { type Duplex, duplexPair } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Driver, DriverError } from '../../src/drivers/driver.ts'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import type { Company } from '../../src/libvirt/company.ts'
import { RememberedPools } from '../../src/libvirt/kept-pools.ts'
import { ALONE, LibvirtFace, OPERATOR } from '../../src/libvirt/rpc/index.ts'
import { FrameReader } from '../../src/protocols/libvirt-rpc/frames.ts'
import { RpcClient } from '../../src/protocols/libvirt-rpc/index.ts'
import { decodePacket, PacketType } from '../../src/protocols/libvirt-rpc/packet.ts'
import { events, procedures } from '../../src/protocols/libvirt-rpc/table/index.ts'
import { VIR_ERR_INTERNAL_ERROR, VIR_ERR_NO_STORAGE_VOL, VIR_ERR_OPERATION_FAILED } from '../../src/libvirt/index.ts'
import { poolXml, until, volumeXml } from './world.ts'

const PACKET_BYTES_MAX = 1_048_576
const NEVER = new AbortController().signal
const URI = 'memory:///lab'

/** A client of a face to this host, and what has come to it. */
function client(face: LibvirtFace) {
  const [near, far] = duplexPair()
  face.accept(far, { who: { user: OPERATOR } })
  return { rpc: new RpcClient(near), arrived: packetsOf(near), near }
}

/** The packets that come, as what they are and of which procedure. */
function packetsOf(duplex: Duplex): string[] {
  const frames = new FrameReader()
  const arrived: string[] = []
  duplex.on('data', (chunk: Buffer) => {
    frames.push(chunk)
    for (let frame = frames.next(PACKET_BYTES_MAX); frame !== undefined; frame = frames.next(PACKET_BYTES_MAX)) {
      const { type, procedure } = decodePacket(frame)
      arrived.push(`${type === PacketType.reply ? 'answer' : 'event'} ${procedure}`)
    }
  })
  return arrived
}

type Warn = ConstructorParameters<typeof LibvirtFace>[0]['warn']
const nothing: Warn = message => assert.fail(message)

const faceTo = (driver: Driver, { company = ALONE, signal = NEVER, warn = nothing } = {}): LibvirtFace =>
  new LibvirtFace({ hosts: () => [{ scheme: 'memory', names: ['lab'], driver, signal, company }], warn })

/** A host that does not say what domains there are before `go` is called, and who has it watched. */
function slowToList(driver: Driver) {
  const { events: own, domains } = driver
  assert(own !== undefined)
  const { promise, resolve: go } = Promise.withResolvers<void>()
  const listed = { isWaited: false, listeners: 0, go }
  const slow: Driver = {
    ...driver,
    domains: {
      ...domains,
      async list() {
        listed.isWaited = true
        await promise
        return domains.list()
      },
    },
    events: {
      subscribe(listener, options = {}) {
        const stop = own.subscribe(listener, options)
        if (options.isPassive === true) return stop
        listed.listeners++
        return () => {
          listed.listeners--
          stop()
        }
      },
    },
  }
  return { slow, listed }
}

const ANSWER = `answer ${procedures.CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY.number}`
const EVENT = `event ${events.DOMAIN_EVENT_CALLBACK_LIFECYCLE.number}`

test('a client is told of nothing before it knows what it is told for, however much happens', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID(), vms: 1 })
  const { slow, listed } = slowToList(driver)
  const [{ id } = assert.fail('there is one')] = await driver.domains.list()
  const { rpc, arrived } = client(faceTo(slow))
  await rpc.call('CONNECT_OPEN', { name: URI, flags: 0 })
  const registered = rpc.call('CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY', { eventID: 0, dom: null })
  await until(() => listed.isWaited)

  listed.go()
  for (let round = 0; round < 100; round++) {
    await driver.domains.start(id)
    await driver.domains.powerOff(id)
  }
  await registered

  await until(() => arrived.includes(EVENT))
  assert(arrived.indexOf(ANSWER) < arrived.indexOf(EVENT), arrived.slice(0, 5).join(', '))
  const count = arrived.filter(packet => packet === EVENT).length
  assert(count > 1, 'what happened while it was being answered is told, too')
  rpc.close()
  await driver.close()
})

test('a client that reads nothing keeps nobody else from hearing all of it', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID(), vms: 100 })
  const face = faceTo(driver)
  const [deaf, attentive] = [client(face), client(face)]
  let heard = 0
  attentive.rpc.on('DOMAIN_EVENT_CALLBACK_LIFECYCLE', () => heard++)
  for (const { rpc } of [deaf, attentive]) {
    await rpc.call('CONNECT_OPEN', { name: URI, flags: 0 })
    await rpc.call('CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY', { eventID: 0, dom: null })
  }
  deaf.near.pause()

  const domains = await driver.domains.list()
  for (let round = 0; round < 4; round++) {
    for (const { id } of domains) await driver.domains.start(id)
    for (const { id } of domains) await driver.domains.powerOff(id)
  }

  await until(() => heard === 800)
  deaf.rpc.close()
  attentive.rpc.close()
  await driver.close()
})

test('a client that leaves while it registers leaves nothing behind', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID(), vms: 1 })
  const { slow, listed } = slowToList(driver)
  const { rpc, near } = client(faceTo(slow))
  await rpc.call('CONNECT_OPEN', { name: URI, flags: 0 })
  const registering = rpc.call('CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY', { eventID: 0, dom: null })
  await until(() => listed.isWaited && listed.listeners === 1)

  near.destroy()
  await assert.rejects(registering)
  listed.go()

  await until(() => listed.listeners === 0)
  await driver.close()
})

test('a client is told why its host does not take what it uploads', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID() })
  const storage = driver.storage ?? assert.fail('there is storage')
  const write = () => Promise.reject(new DriverError('refused', 'no space left on device'))
  const openVolume = async () => ({ bytes: 512, read: async () => new Uint8Array(), write, close: async () => {} })
  const { rpc } = client(faceTo({ ...driver, storage: { ...storage, openVolume } }))
  await rpc.call('CONNECT_OPEN', { name: URI, flags: 0 })
  const { pool } = await rpc.call('STORAGE_POOL_CREATE_XML', { xml: poolXml('small', '/srv/small'), flags: 0 })
  const xml = volumeXml('small.raw', 512, 'raw')
  const { vol } = await rpc.call('STORAGE_VOL_CREATE_XML', { pool, xml, flags: 0 })

  const { stream } = await rpc.open('STORAGE_VOL_UPLOAD', { vol, offset: 0n, length: 0n, flags: 0 })
  await stream.write(new Uint8Array(512))

  const refusal = { name: 'RpcError', code: VIR_ERR_OPERATION_FAILED, message: /no space left on device/ }
  await assert.rejects(stream.finish(), refusal)
  rpc.close()
  await driver.close()
})

test('a client that leaves while its host is opened, or while it waits for others, leaves nothing behind', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID() })
  const { signal } = new AbortController()
  const told = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const pools = new RememberedPools()
  let listeners = 0
  const company: Company = {
    ...ALONE,
    arrived() {
      asked.resolve()
      return told.promise
    },
    pools: Object.assign(pools, { listen: () => (listeners++, () => listeners--) }),
  }
  const isAsked = Promise.withResolvers<void>()
  const host = {
    ...driver.host,
    async info() {
      isAsked.resolve()
      return told.promise.then(() => driver.host.info())
    },
  }

  const opening = client(faceTo({ ...driver, host }, { company, signal }))
  const opened = assert.rejects(opening.rpc.call('CONNECT_OPEN', { name: URI, flags: 0 }))
  await isAsked.promise
  const listening = client(faceTo(driver, { company, signal }))
  await listening.rpc.call('CONNECT_OPEN', { name: URI, flags: 0 })
  const event = { eventID: 0, pool: null }
  const registered = assert.rejects(listening.rpc.call('CONNECT_STORAGE_POOL_EVENT_REGISTER_ANY', event))
  await asked.promise
  for (const { near } of [opening, listening]) near.destroy()
  await Promise.all([opened, registered])
  told.resolve()
  for (let round = 0; round < 20; round++) await turn()

  assert.deepEqual([listeners, getEventListeners(signal, 'abort').length], [0, 0])
  await driver.close()
})

test('a client has a bounded number of callbacks for networks and pools', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID() })
  const { rpc } = client(faceTo(driver))
  await rpc.call('CONNECT_OPEN', { name: URI, flags: 0 })

  const register = () => rpc.call('CONNECT_NETWORK_EVENT_REGISTER_ANY', { eventID: 0, net: null })
  await Promise.all(Array.from({ length: 1_000 }, register))

  await assert.rejects(register(), { name: 'RpcError', code: VIR_ERR_OPERATION_FAILED, message: /1000 callbacks/ })
  rpc.close()
  await driver.close()
})

test('a client is told of no image that is in no pool, whatever it names', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID() })
  const { rpc } = client(faceTo(driver, { company: { ...ALONE, pools: new RememberedPools() } }))
  await rpc.call('CONNECT_OPEN', { name: URI, flags: 0 })
  const { pool } = await rpc.call('STORAGE_POOL_CREATE_XML', { xml: poolXml('small', '/srv/small'), flags: 0 })
  const { vol } = await rpc.call('STORAGE_VOL_CREATE_XML', { pool, xml: volumeXml('own.raw', 512, 'raw'), flags: 0 })
  const { storage } = driver
  const repository = { type: storage.types[0] ?? '', location: '/elsewhere' }
  const secret = { name: 'secret', format: 'raw', virtualBytes: 512 } as const
  await storage.openRepository(repository)
  const { location: key } = await storage.createVolume(repository, secret)

  assert.equal((await rpc.call('STORAGE_VOL_GET_INFO', { vol })).capacity, 512n)
  const hidden = { vol: { ...vol, key } }
  for (const asked of [
    rpc.call('STORAGE_VOL_GET_INFO', hidden),
    rpc.call('STORAGE_VOL_GET_INFO_FLAGS', { ...hidden, flags: 0 }),
    rpc.call('STORAGE_VOL_GET_XML_DESC', { ...hidden, flags: 0 }),
  ]) {
    await assert.rejects(asked, { name: 'RpcError', code: VIR_ERR_NO_STORAGE_VOL })
  }
  rpc.close()
  await driver.close()
})

test('a fault of the server is told its operator with where it is, and the client that there is one', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID() })
  const list = () => Promise.reject(new RangeError('a fault'))
  const complaints: unknown[] = []
  const warn: Warn = (_, details) => void complaints.push(details)
  const { rpc } = client(faceTo({ ...driver, domains: { ...driver.domains, list } }, { warn }))
  await rpc.call('CONNECT_OPEN', { name: URI, flags: 0 })

  const failed = {
    name: 'RpcError',
    code: VIR_ERR_INTERNAL_ERROR,
    message: /virConnectNumOfDomains failed unexpectedly/,
  }
  await assert.rejects(rpc.call('CONNECT_NUM_OF_DOMAINS'), failed)

  const [details] = complaints
  assert.match(JSON.stringify(details), /"CONNECT_NUM_OF_DOMAINS".*RangeError: a fault\\n +at .*told-clients/)
  rpc.close()
  await driver.close()
})
