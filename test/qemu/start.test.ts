import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { BootConfig, DiskConfig, DomainConfig } from '../../src/drivers/driver.ts'
import { connect } from '../../src/drivers/qemu/index.ts'
import { runtimeFiles } from '../../src/drivers/qemu/layout.ts'
import { writeBootImage } from '../guests/boot-sector.ts'
import { CMDLINE, CONSOLE, GREETING, kernel, MEMORY_BYTES, writeInitrd } from '../guests/linux.ts'
import { TEST_MS, World } from './world.ts'

/** A name with everything in it that some option of QEMU, or a shell, could trip over. */
const ODD_NAME = `o,d=d "x" 'y' $z \\ ü;&|(*)`

const disk = (location: string, changes: Partial<DiskConfig> = {}): DiskConfig => ({
  id: location,
  location,
  format: 'raw',
  readOnly: false,
  device: 'hda',
  bus: 'paravirtualised',
  ...changes,
})

const kernelBoot = (path: string, initrd: string | null = null): BootConfig => ({
  kind: 'kernel',
  kernel: path,
  initrd,
  cmdline: '',
})

describe('a start', () => {
  let world: World
  beforeEach(async () => {
    world = await World.open()
  })
  afterEach(() => world.close())

  const failures: ReadonlyArray<readonly [string, (folder: string) => Partial<DomainConfig>, RegExp]> = [
    [
      'a kernel that is not there',
      folder => ({ boot: kernelBoot(`${folder}/no-kernel`) }),
      /kernel, .*no-kernel, does/,
    ],
    [
      'an initrd that is not there',
      folder => ({ boot: kernelBoot(`${folder}/folder/../file`, `${folder}/no-initrd`) }),
      /initrd, .*no-initrd, does not exist/,
    ],
    ['a kernel that is a folder', folder => ({ boot: kernelBoot(`${folder}/folder`) }), /folder, is a folder/],
    ['a kernel that is empty', folder => ({ boot: kernelBoot(`${folder}/empty`) }), /QEMU: .*kernel/],
    ['a disk that is not there', folder => ({ disks: [disk(`${folder}/no-disk`)] }), /disk hda, .*no-disk, does not/],
    [
      'an image of another format than it should be',
      folder => ({ disks: [disk(`${folder}/file`, { format: 'qcow2' })] }),
      /QEMU: .*not in qcow2 format/,
    ],
    [
      'the same image twice',
      folder => ({ disks: [disk(`${folder}/file`), disk(`${folder}/file`, { id: 'other', device: 'hdb' })] }),
      /QEMU: .*lock/,
    ],
    [
      'more emulated disks than there is room for',
      folder => ({
        disks: ['a', 'b', 'c', 'd', 'e'].map(d => disk(`${folder}/file`, { id: d, device: `hd${d}`, bus: 'emulated' })),
      }),
      /5 emulated disks; there is room for 4/,
    ],
    [
      'an emulated disk that is read-only',
      folder => ({ disks: [disk(`${folder}/file`, { bus: 'emulated', readOnly: true })] }),
      /disk hda: an emulated \(IDE\) disk cannot be read-only/,
    ],
    ['more memory than there is', () => ({ memoryBytes: 2 ** 50 }), /QEMU: /],
    ['more CPUs than the machine type takes', () => ({ vcpus: 10_000 }), /QEMU: .*CPU/],
  ]
  for (const [what, changes, reason] of failures) {
    test(`with ${what} is refused with the reason, and leaves nothing behind`, { timeout: TEST_MS }, async () => {
      await writeFile(join(world.dataDir, 'file'), Buffer.alloc(65_536, 'x'))
      await writeFile(join(world.dataDir, 'empty'), '')
      await mkdir(join(world.dataDir, 'folder'))
      const id = await world.define(changes(world.dataDir))

      await assert.rejects(world.driver.domains.start(id), { name: 'DriverError', kind: 'refused', message: reason })

      assert.equal(await world.state(id), 'halted')
      assert.deepEqual(world.processes(), [])
      assert.deepEqual(runtimeFiles(world.files(id)).filter(existsSync), [])
      assert.deepEqual(world.kinds(id), ['defined'])
    })
  }

  test('boots from an emulated disk, and the firmware sees every disk', { timeout: TEST_MS }, async () => {
    const config = await world.config()
    const data = join(world.dataDir, 'data.raw')
    await writeFile(data, Buffer.alloc(1_048_576))
    const disks: DiskConfig[] = [
      disk(data, { device: 'hdb', bus: 'emulated' }),
      ...config.disks.map(boot => ({ ...boot, bus: 'emulated' as const })),
    ]
    await world.driver.domains.define({ ...config, disks })
    await world.driver.domains.start(config.id)

    await world.untilPrinted(config.id, 'BOOT-OK\nDISKS 2\n')
  })

  test('boots from the first disk by name, on either bus', { timeout: TEST_MS }, async () => {
    const config = await world.config()
    const data = join(world.dataDir, 'data.raw')
    await writeFile(data, Buffer.alloc(1_048_576))
    const disks = [disk(data, { device: 'xvdb', readOnly: true }), ...config.disks]
    await world.driver.domains.define({ ...config, disks })
    await world.driver.domains.start(config.id)

    await world.untilPrinted(config.id, 'BOOT-OK\nDISKS 2\n')
  })

  test('goes on to a disk where the device to boot from is missing', { timeout: TEST_MS }, async () => {
    const id = await world.define({ boot: { kind: 'firmware', device: 'cdrom' } })
    await world.driver.domains.start(id)

    await world.untilPrinted(id, 'BOOT-OK')
  })

  test('boots a Linux kernel with a first root file system and a command line', { timeout: TEST_MS }, async () => {
    const initrd = join(world.dataDir, 'initrd, with a comma.cpio')
    await writeInitrd(initrd)
    const cmdline = `${CONSOLE} quiet say="a, b = c"`
    const boot: BootConfig = { kind: 'kernel', kernel: await kernel(), initrd, cmdline }
    const id = await world.define({ boot, disks: [], memoryBytes: MEMORY_BYTES })
    await world.driver.domains.start(id)

    await world.untilPrinted(id, GREETING)
    await world.untilPrinted(id, `${CMDLINE} ${cmdline}`)
  })

  test('of a domain that is aborted in the middle leaves it halted', { timeout: TEST_MS }, async () => {
    const id = await world.define()
    const aborter = new AbortController()
    const start = world.driver.domains.start(id, { signal: aborter.signal })
    await world.until('QEMU is there', () => world.processes().length > 0)
    aborter.abort()

    // Either it was too late, or nothing is left.
    const outcome = await start.then(
      () => 'running',
      () => 'halted',
    )
    assert.equal(await world.state(id), outcome)
    assert.equal(world.processes().length, outcome === 'running' ? 1 : 0)
  })
})

test('paths and names with odd characters do no harm', { timeout: TEST_MS }, async () => {
  const world = await World.open('o,d=d "x"')
  try {
    const location = join(world.dataDir, `${ODD_NAME}.raw`)
    await writeBootImage(location)
    const id = await world.define({ name: ODD_NAME, disks: [disk(location)] })
    await world.driver.domains.start(id)

    await world.untilPrinted(id, 'BOOT-OK')
    assert.equal((await world.driver.domains.get(id)).name, ODD_NAME)
    await world.reconnect()
    assert.equal(await world.state(id), 'running')
    await assert.rejects(world.driver.storage?.deleteVolume(location) ?? assert.fail(), { kind: 'bad-state' })
  } finally {
    await world.close()
  }
})

describe('a connection', () => {
  const uri = new URL('qemu:///system')
  const warn = () => undefined
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp('/tmp/pv-')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('is refused below a path that leaves no room for sockets, with the number of bytes', async () => {
    const dataDir = join(folder, 'x'.repeat(60))

    await assert.rejects(connect({ uri, dataDir, warn }), { kind: 'refused', message: /\d+ bytes too long.* 107/ })
    assert(!existsSync(dataDir))
  })

  test('is refused where a symbolic link leads to a path that is too long', async () => {
    const target = join(folder, 'x'.repeat(60))
    await mkdir(target)
    await symlink(target, join(folder, 'link'))

    await assert.rejects(connect({ uri, dataDir: join(folder, 'link'), warn }), { kind: 'refused' })
  })

  for (const wrong of [
    'qemu://elsewhere/system',
    'qemu:///session',
    'qemu:///system?x=1',
    'qemu:///system?accelerator=x',
  ]) {
    test(`is refused to ${wrong}`, async () => {
      await assert.rejects(connect({ uri: new URL(wrong), dataDir: folder, warn }), { kind: 'refused' })
    })
  }

  test('is quick with 500 domains, which are all listed', { timeout: TEST_MS }, async () => {
    const world = await World.open()
    try {
      const config = await world.config()
      const configs = Array.from({ length: 500 }, () => ({ ...config, id: crypto.randomUUID() }))
      for (const each of configs) await world.driver.domains.define(each)
      await world.reconnect()

      const listed = await world.driver.domains.list()
      assert.deepEqual(listed.map(({ id }) => id).toSorted(), configs.map(({ id }) => id).toSorted())
      assert(listed.every(({ state }) => state === 'halted'))
    } finally {
      await world.close()
    }
  })
})
