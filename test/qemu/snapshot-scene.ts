import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'node:test'
import { promisify } from 'node:util'
import type { DiskConfig, DomainId, RepositoryConfig, Snapshot, SnapshotOps, Volume } from '../../src/drivers/driver.ts'
import { World } from './world.ts'

export const MIB = 1_048_576
export const execute = promisify(execFile)

export const diskOf = ({ name, location, format }: Volume, device = 'hdb'): DiskConfig => ({
  id: name,
  location,
  format,
  readOnly: false,
  device,
  bus: 'paravirtualised',
})

/** The names of the snapshots within images. */
export async function held(volumes: readonly Volume[]): Promise<string[][]> {
  const lists = volumes.map(({ location }) => execute('qemu-img', ['info', '-U', '--output=json', location]))
  const infos: { readonly snapshots?: readonly { readonly name: string }[] }[] = []
  for (const { stdout } of await Promise.all(lists)) infos.push(JSON.parse(stdout))
  return infos.map(({ snapshots: each = [] }) => each.map(({ name }) => name))
}

/** Lets what an image keeps of its first snapshot lead nowhere. Source: QEMU docs/interop/qcow2, header 64, "Snapshots" 0. */
export async function breakSnapshot({ location }: Volume): Promise<void> {
  const file = await open(location, 'r+')
  try {
    const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 64)
    await file.write(Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), 0, 8, Number(buffer.readBigUInt64BE(0)))
  } finally {
    await file.close()
  }
}

export const lastTick = (text: string): number => Number(/TICK (\d+)\n(?!.*TICK \d+\n)/s.exec(text)?.[1])

/** What tests of snapshots have, each of a world of its own: volumes, and domains that boot from none of them. */
export class SnapshotScene {
  #world: World | undefined

  constructor() {
    beforeEach(async () => {
      this.#world = await World.open()
      await this.storage().openRepository(this.repository)
    })
    afterEach(() => this.world.close())
  }

  get world(): World {
    assert(this.#world !== undefined)
    return this.#world
  }

  get repository(): RepositoryConfig {
    return { type: 'dir', location: join(this.world.dataDir, 'sr') }
  }

  readonly storage = () => {
    assert(this.world.driver.storage !== undefined)
    return this.world.driver.storage
  }

  readonly snapshots = (): SnapshotOps => {
    assert(this.world.driver.snapshots !== undefined)
    return this.world.driver.snapshots
  }

  readonly suspension = () => {
    assert(this.world.driver.suspension !== undefined)
    return this.world.driver.suspension
  }

  readonly take = (id: DomainId, name = 'a'): Promise<Snapshot> =>
    this.snapshots().create(id, { name, description: '' })

  readonly volumeOf = (name: string): Promise<Volume> =>
    this.storage().createVolume(this.repository, { name, format: 'qcow2', virtualBytes: MIB })

  /** The disk that the guest of `boot-sector.asm` boots from, which it does not write to. */
  readonly bootDisk = async (): Promise<DiskConfig> => {
    const [disk] = (await this.world.config()).disks
    assert(disk !== undefined)
    return { ...disk, readOnly: true }
  }

  /** A domain that boots, with two disks that hold a word each. */
  readonly withDisks = async (): Promise<{ id: DomainId; volumes: readonly [Volume, Volume] }> => {
    const volumes = [await this.volumeOf('one'), await this.volumeOf('two')] as const
    for (const volume of volumes) await this.write(volume, 'before')
    const id = await this.world.define({
      disks: [await this.bootDisk(), ...volumes.map((each, at) => diskOf(each, `hd${'bc'[at]}`))],
    })
    return { id, volumes }
  }

  readonly booted = async (id: DomainId): Promise<void> => {
    await this.world.driver.domains.start(id)
    await this.world.untilPrinted(id, 'TICK 0001')
  }

  readonly write = async ({ location }: Volume, text: string): Promise<void> => {
    const source = join(this.world.dataDir, 'text')
    await writeFile(source, text.padEnd(512, '.'))
    await execute('qemu-io', ['-f', 'qcow2', '-c', `write -s ${source} 0 512`, location])
  }

  /** What a disk begins with, as its guest would see it. */
  readonly read = async ({ location }: Volume): Promise<string> => {
    const raw = join(this.world.dataDir, crypto.randomUUID())
    await execute('qemu-img', ['convert', '-U', '-f', 'qcow2', '-O', 'raw', location, raw])
    return (await readFile(raw)).toString('latin1', 0, 512).replace(/[.\0]+$/, '')
  }

  readonly filesKept = async (id: DomainId): Promise<string[]> => {
    const { snapshotFolder } = this.world.files(id)
    return existsSync(snapshotFolder) ? readdir(snapshotFolder) : []
  }

  /** Demands that what is printed from here on is the count that goes on after `tick`. */
  readonly assertCountsOn = async (id: DomainId, from: number, tick: number): Promise<void> => {
    const printed = async () => (await this.world.serial(id)).slice(from)
    await this.world.until('it counts on', async () => /TICK \d+\n/.test(await printed()))
    assert.equal(Number(/TICK (\d+)\n/.exec(await printed())?.[1]), tick + 1)
  }
}
