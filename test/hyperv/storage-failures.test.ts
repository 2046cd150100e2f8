import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createImage } from '../../sim/hyperv/storage/image-creation.ts'
import { connect } from '../../src/drivers/hyperv/index.ts'
import type { ImageFormat, StorageOps } from '../../src/drivers/driver.ts'
import { rejectsWith } from '../conformance/stage.ts'
import { Relay } from '../wsman/transport-relay.ts'
import { type HypervHost, passwordFile, startHost } from './setting.ts'

const BYTES = 4_194_304
const FOLDER = { type: 'dir', location: 'C:\\Images' }
const FAR = { type: 'dir', location: 'D:\\Images' }

/** JobType of jobs that work on images. */
const EXPANSION = 4
const CONVERSION = 6

let plans = 0

interface World {
  readonly storage: StorageOps
  readonly host: HypervHost
  /** What really is in the folder of this drive. */
  readonly files: (drive?: 'C' | 'D') => string[]
}

interface Kind {
  readonly namespace?: 'v1' | 'v2'
  readonly pace?: string
}

/** A host on which this goes wrong, with a folder on each of two drives. */
async function failing(plan: unknown, run: (world: World) => Promise<void>, kind: Kind = {}): Promise<void> {
  const { namespace = 'v2', pace = '0' } = kind
  const file = `${passwordFile}-storage-plan-${(plans += 1)}`
  writeFileSync(file, JSON.stringify(plan))
  const host = await startHost('--pace', pace, '--build', namespace === 'v1' ? '7601' : '20348', '--faults', file)
  const at = (drive: string) => join(host.sim.host?.folder ?? '', drive, 'Images')
  for (const drive of ['C', 'D']) mkdirSync(at(drive), { recursive: true })
  const driver = await host.connect()
  try {
    assert(driver.storage !== undefined)
    await run({ storage: driver.storage, host, files: (drive = 'C') => readdirSync(at(drive)).toSorted() })
  } finally {
    await driver.close()
    await host.sim.close()
  }
}

const make = (storage: StorageOps, name: string, format: ImageFormat | undefined = storage.formats[0]) =>
  storage.createVolume(FOLDER, { name, format: format ?? 'vhd', virtualBytes: BYTES })

const lost = (method: string, fault: 'lost-before' | 'lost-after') => ({ method, fault, nth: 1 })
const denied = (method: string, more = {}) => ({ method, fault: 'access-denied', ...more })

/** Each method that changes something, in both namespaces. */
const METHODS = {
  v1: ['CreateDynamicVirtualHardDisk', 'ExpandVirtualHardDisk', 'ConvertVirtualHardDisk', 'Rename', 'Delete', 'CopyEx'],
  v2: ['CreateVirtualHardDisk', 'ResizeVirtualHardDisk', 'ConvertVirtualHardDisk', 'Rename', 'Delete', 'CopyEx'],
} as const

for (const namespace of ['v1', 'v2'] as const) {
  test(`what was done when its answer was lost counts as done, through ${namespace}`, async () => {
    const plan = { requests: METHODS[namespace].map(method => lost(method, 'lost-after')) }
    await failing(
      plan,
      async ({ storage, files }) => {
        const second = { type: 'dir', location: 'C:\\Second' }
        await storage.openRepository(second)
        const { location } = await make(storage, 'disk')
        assert.equal((await storage.resizeVolume(location, 2 * BYTES)).virtualBytes, 2 * BYTES)
        const copy = await storage.copyVolume(location, FOLDER, { name: 'copy', virtualBytes: 3 * BYTES })
        assert.equal(copy.virtualBytes, 3 * BYTES)
        const moved = await storage.moveVolume(location, second)
        await storage.deleteVolume(copy.location)
        assert.deepEqual([files(), await storage.listVolumes(second)], [[], [moved]])
      },
      { namespace },
    )
  })

  test(`an image whose creation or copy fails is not there, through ${namespace}`, async () => {
    const full = { code: 32_768, message: 'There is not enough space on the disk. (0x80070070)' }
    const plan = { jobs: [{ class: 'Msvm_StorageJob', type: EXPANSION, failure: full }] }
    await failing(
      plan,
      async ({ storage, files }) => {
        await rejectsWith('refused', make(storage, 'disk-that-fails-to-be-created'))
        const { location, format } = await make(storage, 'disk')
        const larger = storage.copyVolume(location, FOLDER, { name: 'copy', virtualBytes: 2 * BYTES })
        await assert.rejects(larger, { kind: 'refused', message: /not enough space.*\(32768\)/ })
        assert.deepEqual(files(), [`disk.${format}`])
      },
      { namespace },
    )
  })

  test(`an image that somebody else makes meanwhile is theirs, through ${namespace}`, async () => {
    await failing(
      {},
      async ({ storage, host, files }) => {
        const { host: sim } = host.sim
        const format = namespace === 'v1' ? 'vhd' : 'vhdx'
        assert(sim !== undefined)
        const image = { path: `C:\\Images\\disk.${format}`, format, type: 'dynamic', bytes: 2 * BYTES } as const
        let theirs: Promise<void> | undefined
        const onProgress = () => void (theirs ??= createImage(sim, image))
        const wanted = { name: 'disk', format, virtualBytes: BYTES } as const

        await rejectsWith('refused', storage.createVolume(FOLDER, wanted, { onProgress }))
        await theirs
        assert.deepEqual(files(), [`disk.${format}`])
        assert.equal((await storage.getVolume(image.path)).virtualBytes, 2 * BYTES)
      },
      { namespace, pace: '0.3' },
    )
  })

  test(`a copy that is aborted ends at once and leaves no file, through ${namespace}`, async () => {
    const plan = { jobs: [{ class: 'Msvm_StorageJob', type: CONVERSION, slowness: 50 }] }
    await failing(
      plan,
      async ({ storage, host, files }) => {
        const format = storage.formats.at(-1) ?? 'vhd'
        assert(host.sim.host !== undefined)
        const path = `C:\\Images\\disk.${format}`
        await createImage(host.sim.host, { path, format: 'vhd', type: 'dynamic', bytes: BYTES })
        const abort = new AbortController()
        const copy = storage.copyVolume(
          path,
          FOLDER,
          { name: 'copy' },
          { signal: abort.signal, onProgress: () => abort.abort() },
        )
        await assert.rejects(copy, { kind: 'refused', message: /abort/ })
        assert.deepEqual(files(), [`disk.${format}`])
      },
      { namespace, pace: '1' },
    )
  })
}

test('a move to another drive that cannot give up the first file leaves no second', async () => {
  await failing({ requests: [denied('Delete', { nth: 1 })] }, async ({ storage, files }) => {
    const { location } = await make(storage, 'disk')
    await rejectsWith('refused', storage.moveVolume(location, FAR))
    assert.deepEqual([files('C'), files('D')], [['disk.vhdx'], []])
  })
})

test('a move to another drive that can give up neither file names what remains', async () => {
  await failing({ requests: [denied('Delete')] }, async ({ storage, files }) => {
    const { location } = await make(storage, 'disk')
    const move = storage.moveVolume(location, FAR)
    await assert.rejects(move, { name: 'DriverError', message: /D:\\Images\\disk\.vhdx remains/ })
    assert.deepEqual([files('C'), files('D')], [['disk.vhdx'], ['disk.vhdx']])
  })
})

test('what may be left of an image is named where nobody can tell what became of it', async () => {
  const requests = [
    lost('CreateVirtualHardDisk', 'lost-after'),
    { operation: 'Enumerate', class: 'Msvm_StorageJob', fault: 'access-denied' },
  ]
  await failing({ requests }, async ({ storage }) => {
    const message = /C:\\Images\\disk\.vhdx may be there, half-made/
    await assert.rejects(make(storage, 'disk'), { name: 'DriverError', message })
  })
})

test('a list of images takes a question for each image that was written since the last, and a few for all', async () => {
  const IMAGES = 20
  const host = await startHost('--pace', '0', '--build', '26100')
  const { host: sim } = host.sim
  assert(sim?.folder !== undefined)
  mkdirSync(join(sim.folder, 'C/Images'))
  for (let nth = 0; nth < IMAGES; nth++) {
    const path = `C:\\Images\\disk-${nth}.vhdx`
    await createImage(sim, { path, format: 'vhdx', type: 'dynamic', bytes: BYTES })
  }
  const relay = await new Relay(Number(host.uri.port)).listen()
  const uri = new URL(host.uri)
  uri.host = new URL(relay.url).host
  const driver = await connect({ uri, warn: message => host.complaints.push(message) })
  const { storage } = driver
  try {
    assert(storage !== undefined)
    // Every connection logs on once.
    await Promise.all(Array.from({ length: 4 }, () => driver.domains.list()))
    const requests = () => Buffer.concat(relay.seen).toString('latin1').split('POST /wsman').length
    const before = requests()
    assert.equal((await storage.listVolumes(FOLDER)).length, IMAGES)
    const trips = requests() - before
    assert(trips <= IMAGES + 8, `${trips} round trips`)
    const larger = (await storage.resizeVolume('C:\\Images\\disk-1.vhdx', 2 * BYTES)).location
    const again = requests()
    const second = await storage.listVolumes(FOLDER)
    assert.equal(second.find(({ location }) => location === larger)?.virtualBytes, 2 * BYTES)
    assert(requests() - again <= 8, `${requests() - again} round trips`)
    const beforeOne = requests()
    await storage.getVolume('C:\\Images\\disk-1.vhdx')
    assert.equal(requests() - beforeOne, 4)
    const beforeMany = requests()
    await Promise.all(second.slice(0, 8).map(({ location }) => storage.getVolume(location)))
    assert.equal(requests() - beforeMany, 8 * 2 + 2)
  } finally {
    await driver.close()
    await relay[Symbol.asyncDispose]()
    await host.sim.close()
  }
})

for (const namespace of ['v1', 'v2'] as const) {
  test(`an image that was made and cannot be looked at is not left behind, through ${namespace}`, async () => {
    const read = namespace === 'v1' ? 'GetVirtualHardDiskInfo' : 'GetVirtualHardDiskSettingData'
    // Each looks at what it made: the creation; the copy, which has looked at its source before.
    const plan = { requests: [denied(read, { nth: 1 }), denied(read, { nth: 4 })] }
    await failing(
      plan,
      async ({ storage, files }) => {
        await rejectsWith('refused', make(storage, 'disk'))
        assert.deepEqual(files(), [])
        const { location, format } = await make(storage, 'disk')
        await rejectsWith('refused', storage.copyVolume(location, FOLDER, { name: 'copy' }))
        assert.deepEqual(files(), [`disk.${format}`])
      },
      { namespace },
    )
  })
}

for (const namespace of ['v1', 'v2'] as const) {
  test(`a volume that was moved and cannot be looked at is told at its new place, through ${namespace}`, async () => {
    const read = namespace === 'v1' ? 'GetVirtualHardDiskInfo' : 'GetVirtualHardDiskSettingData'
    await failing(
      { requests: [denied(read, { nth: 3 })] },
      async ({ storage, files }) => {
        const made = await make(storage, 'disk')
        const moved = await storage.moveVolume(made.location, FAR)
        assert.deepEqual([files('C'), files('D')], [[], [`disk.${made.format}`]])
        assert.deepEqual(moved, await storage.getVolume(moved.location))
      },
      { namespace },
    )
  })
}
