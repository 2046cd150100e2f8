import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { DiskConfig, DiskLimits, DomainConfig } from '../../../src/drivers/driver.ts'
import { booted, configOf, disk, drive, medium, network, nic, run, volume, withDevices } from '../parts.ts'
import type { Guest } from '../setting.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'
import { describeInterfaces } from './interfaces.ts'

const MIB = 1_048_576
const NOWHERE = '/nowhere/gone.raw'

export function describeDevices(stage: Stage): void {
  describe('devices', () => {
    describeDisks(stage)
    if (stage.traits.guests.includes('yielding')) describeYielding(stage)
    if (stage.traits.guests.includes('clinging')) describeClinging(stage)
    describeMedia(stage)
    describeInterfaces(stage)
    describeLimits(stage)
    if (stage.traits.groups.includes('networks')) describeWaiting(stage)
    describeMemory(stage)
    describeStates(stage)
  })
}

function describeDisks(stage: Stage): void {
  for (const state of ['running', 'paused'] as const) {
    for (const format of stage.traits.formats) {
      stage.it(`plugs a ${format} disk into a ${state} domain, which has it from then on`, async () => {
        const config = stage.config()
        await stage.driver.domains.define(config)
        await stage.driver.domains.start(config.id, { paused: state === 'paused' })
        const more = disk(await volume(stage, 'disk-1', format))
        await stage.devices.attachDisk(config.id, more)

        await stage.assertState(config.id, state)
        assert.deepEqual(await configOf(stage, config.id), { ...config, disks: [...config.disks, more] })
        await rejectsWith('bad-state', stage.storage.deleteVolume(more.location))
        await stage.driver.domains.powerOff(config.id)
        await stage.driver.domains.start(config.id)
        await stage.assertState(config.id, 'running')
      })
    }
  }

  stage.it('refuses a disk without a volume, and one that the domain has, and changes nothing', async () => {
    const config = withDevices(stage, { disks: [disk(await volume(stage, 'disk-1'))] })
    const id = await booted(stage, config)
    const [twin] = config.disks.slice(-1)
    assert(twin !== undefined)

    await rejectsWith('refused', stage.devices.attachDisk(id, disk({ location: NOWHERE, format: 'raw' })))
    await rejectsWith('refused', stage.devices.attachDisk(id, { ...twin, device: 'hde' }))
    assert.deepEqual(await configOf(stage, id), config)
    await stage.assertState(id, 'running')
  })

  stage.it('plugs in one of two disks of one id that come at once', async () => {
    const config = stage.config()
    const id = await booted(stage, config)
    const [one, other] = [disk(await volume(stage, 'disk-1')), disk(await volume(stage, 'disk-2'))]
    const rivals = [one, { ...other, id: one.id }]

    const settled = await Promise.allSettled(rivals.map(rival => stage.devices.attachDisk(id, rival)))
    assert.equal(settled.filter(result => result.status === 'fulfilled').length, 1)
    const winner = rivals.find((_, index) => settled[index]?.status === 'fulfilled')
    assert.deepEqual((await configOf(stage, id)).disks.slice(config.disks.length), [winner])
  })

  stage.it('refuses a disk that another running domain writes to', async () => {
    const image = await volume(stage, 'disk-1')
    await run(stage, withDevices(stage, { disks: [disk(image)] }))
    const config = stage.config()
    const id = await booted(stage, config)

    await rejectsWith('refused', stage.devices.attachDisk(id, disk(image)))
    assert.deepEqual(await configOf(stage, id), config)
  })
}

function describeYielding(stage: Stage): void {
  for (const when of ['from its start', 'plugged in while it ran'] as const) {
    stage.it(`pulls a disk that the domain had ${when}, and frees its volume`, async () => {
      const image = await volume(stage, 'disk-1')
      const pulled = disk(image)
      const plain = stage.config('yielding')
      const isPlugged = when !== 'from its start'
      const id = await booted(stage, isPlugged ? plain : { ...plain, disks: [...plain.disks, pulled] })
      if (isPlugged) await stage.devices.attachDisk(id, pulled)
      await stage.devices.detachDisk(id, pulled.id)

      assert.deepEqual(await configOf(stage, id), plain)
      await stage.storage.deleteVolume(image.location)
      await stage.assertState(id, 'running')
    })

    if (stage.traits.plugsNoNics === true) continue

    stage.it(`pulls an interface that the domain had ${when}`, async () => {
      const pulled = nic()
      const plain = stage.config('yielding')
      const isPlugged = when !== 'from its start'
      const id = await booted(stage, isPlugged ? plain : { ...plain, nics: [pulled] })
      if (isPlugged) await stage.devices.attachNic(id, pulled)
      await stage.devices.detachNic(id, pulled.id)

      assert.deepEqual((await configOf(stage, id)).nics ?? [], [])
      await stage.assertState(id, 'running')
    })
  }

  stage.it('plugs a disk in again that was pulled', async () => {
    const again = disk(await volume(stage, 'disk-1'))
    const id = await booted(stage, stage.config('yielding'))
    for (let round = 0; round < 2; round++) {
      await stage.devices.attachDisk(id, again)
      await stage.devices.detachDisk(id, again.id)
    }
    await stage.devices.attachDisk(id, again)

    assert.deepEqual((await configOf(stage, id)).disks.at(-1), again)
  })
}

function describeClinging(stage: Stage): void {
  stage.it('is refused a disk that the guest does not let go of, and keeps it', async () => {
    const image = await volume(stage, 'disk-1')
    const config = withDevices(stage, { disks: [disk(image)] }, 'clinging')
    const id = await booted(stage, config)

    await rejectsWith('refused', stage.devices.detachDisk(id, config.disks.at(-1)?.id ?? ''))
    assert.deepEqual(await configOf(stage, id), config)
    await rejectsWith('bad-state', stage.storage.deleteVolume(image.location))
    await stage.assertState(id, 'running')
  })

  stage.it('is refused an interface that the guest does not let go of, and keeps it', async () => {
    const config = withDevices(stage, { nics: [nic()] }, 'clinging')
    const id = await booted(stage, config)

    await rejectsWith('refused', stage.devices.detachNic(id, config.nics?.at(-1)?.id ?? ''))
    assert.deepEqual(await configOf(stage, id), config)
    await stage.assertState(id, 'running')
  })
}

function describeMedia(stage: Stage): void {
  for (const kind of ['cdrom', 'floppy'] as const) {
    stage.it(`puts a medium into a ${kind} drive, another, and takes it out`, async () => {
      const config = withDevices(stage, { disks: [drive(kind)] })
      const id = await booted(stage, config)
      const drawer = config.disks.at(-1)?.id ?? ''
      const lies = async () => (await configOf(stage, id)).disks.at(-1)?.location

      for (const name of ['medium-1', 'medium-2']) {
        const { location, format } = await medium(stage, kind, name)
        await stage.devices.changeMedium(id, drawer, { location, format })
        assert.equal(await lies(), location)
        await rejectsWith('bad-state', stage.storage.deleteVolume(location))
      }
      await stage.devices.changeMedium(id, drawer, null)
      assert.equal(await lies(), '')
      for (const { location } of await stage.storage.listVolumes(stage.repository)) {
        await stage.storage.deleteVolume(location)
      }
      await stage.assertState(id, 'running')
    })
  }

  stage.it('refuses a medium that is not there, and one for a disk that is no drive', async () => {
    const image = await volume(stage, 'disk-1')
    const config = withDevices(stage, { disks: [disk(image), drive('cdrom')] })
    const id = await booted(stage, config)
    const [hard, cd] = config.disks.slice(-2)
    assert(hard !== undefined && cd !== undefined)

    await rejectsWith('refused', stage.devices.changeMedium(id, cd.id, { location: NOWHERE, format: 'raw' }))
    await rejectsWith('refused', stage.devices.changeMedium(id, hard.id, null))
    assert.deepEqual(await configOf(stage, id), config)
  })
}

/** What a domain runs with, as it is told by one way or the other. */
async function livingOf({ driver: { domains } }: Stage, id: string): Promise<DomainConfig> {
  return (await domains.living?.(id)) ?? (await domains.described?.(id))?.living ?? domains.config(id)
}

function describeWaiting(stage: Stage): void {
  stage.it('changes what a domain runs with, whatever its definition says by now', async () => {
    const [one, other] = [network({ name: 'one' }), network({ name: 'two' })]
    for (const each of [one, other]) await stage.networks.define(each)
    const config = withDevices(stage, { disks: [drive('cdrom')], nics: [nic(one.id)] })
    const id = await booted(stage, config)
    const [port] = config.nics ?? []
    const drawer = config.disks.at(-1)
    assert(port !== undefined && drawer !== undefined)
    const { location, format } = await medium(stage, 'cdrom')
    const nics = [{ ...port, network: other.id, model: 'emulated' } as const]
    const disks = config.disks.map(each => (each === drawer ? { ...each, location, format } : each))
    await stage.driver.domains.define({ ...config, nics, disks })

    await stage.devices.setLink(id, port.id, false)
    assert.deepEqual((await configOf(stage, id)).nics, [{ ...nics[0], linkDown: true }])
    await stage.devices.setLink(id, port.id, true)
    await stage.devices.connectNic(id, port.id, other.id)
    await stage.devices.changeMedium(id, drawer.id, { location, format })
    const living = await livingOf(stage, id)
    assert.deepEqual(living.nics, [{ ...port, network: other.id }])
    assert.equal(living.disks.at(-1)?.location, location)
    await stage.devices.changeMedium(id, drawer.id, null)
    assert.equal((await livingOf(stage, id)).disks.at(-1)?.location, '')
    assert.equal((await configOf(stage, id)).disks.at(-1)?.location, '')
    assert.deepEqual((await configOf(stage, id)).nics, nics)
  })

  if (!stage.traits.guests.includes('yielding')) return

  stage.it('pulls a disk and limits one that a domain runs with, and that its definition has lost', async () => {
    const [lost, kept] = [disk(await volume(stage, 'disk-1')), disk(await volume(stage, 'disk-2'), { device: 'hde' })]
    const plain = stage.config('yielding')
    const id = await booted(stage, { ...plain, disks: [...plain.disks, lost, kept] })
    const config = { ...plain, disks: [...plain.disks, kept] }
    await stage.driver.domains.define(config)
    const at = async ({ location }: DiskConfig) =>
      (await livingOf(stage, id)).disks.find(each => each.location.toLowerCase() === location.toLowerCase())

    const { devices } = stage
    const found = await at(lost)
    assert(found !== undefined)
    await devices.limitDisk?.(id, found.id, LIMITED)
    assert.deepEqual((await at(lost))?.limits, devices.limitDisk === undefined ? undefined : LIMITED)
    await devices.detachDisk(id, found.id)
    assert.equal(await at(lost), undefined)
    assert.deepEqual(await configOf(stage, id), config)
    await stage.assertState(id, 'running')
  })
}

const LIMITED: DiskLimits = { requests: { perSecond: 200 } }
const BURSTING: DiskLimits = {
  readBytes: { perSecond: 1_048_576, burst: 4_194_304, burstSeconds: 2 },
  writeBytes: { perSecond: 2_097_152 },
  requests: { perSecond: 100, burst: 100 },
  requestBytes: 8_192,
  group: 'slow',
}
const WRONG: readonly DiskLimits[] = [
  { requests: { perSecond: 0 } },
  { bytes: { perSecond: 1 }, readBytes: { perSecond: 1 } },
  { requests: { perSecond: 10, burst: 9 } },
]

/** Every host that limits disks limits how many requests there are; what else one limits it says. */
function describeLimits(stage: Stage): void {
  stage.it('limits a disk of a domain that runs, or has no such operation, and then starts none so', async () => {
    const limited = disk(await volume(stage, 'disk-1'))
    const config = withDevices(stage, { disks: [limited] })
    const { devices } = stage
    if (devices.limitDisk === undefined) {
      const wanted = { ...config, disks: config.disks.map(each => ({ ...each, limits: LIMITED })) }
      return rejectsWith('refused', run(stage, wanted))
    }
    const id = await booted(stage, config)
    const last = async () => (await configOf(stage, id)).disks.at(-1)

    for (const limits of [LIMITED, { requests: { perSecond: 50 } }]) {
      await devices.limitDisk(id, limited.id, limits)
      assert.deepEqual(await last(), { ...limited, limits })
    }
    for (const limits of WRONG) await rejectsWith('refused', devices.limitDisk(id, limited.id, limits))
    await stage.driver.domains.powerOff(id)
    await stage.driver.domains.start(id)
    assert.deepEqual(await last(), { ...limited, limits: { requests: { perSecond: 50 } } })
    await devices.limitDisk(id, limited.id, null)
    assert.deepEqual(await last(), limited)
    if (stage.traits.limitsRequestsAlone === true)
      await rejectsWith('refused', devices.limitDisk(id, limited.id, BURSTING))
  })

  if (stage.traits.limitsRequestsAlone === true) return

  stage.it('limits all disks of a group together, with bursts, and those that are plugged in', async () => {
    const [one, other] = [disk(await volume(stage, 'disk-1')), disk(await volume(stage, 'disk-2'), { device: 'hde' })]
    const config = withDevices(stage, { disks: [{ ...one, limits: { ...LIMITED, group: 'slow' } }] })
    const id = await booted(stage, config)
    await stage.devices.attachDisk(id, { ...other, limits: { ...LIMITED, group: 'slow' } })

    await stage.devices.limitDisk?.(id, other.id, BURSTING)
    const limits = (await configOf(stage, id)).disks.slice(-2).map(each => each.limits)
    assert.deepEqual(limits, [BURSTING, BURSTING])
    await stage.assertState(id, 'running')
  })
}

function describeMemory(stage: Stage): void {
  if (stage.traits.changesNoMemory === true) return describeFixedMemory(stage)

  stage.it('takes a target for the memory of a guest into its definition', async () => {
    const config = stage.config()
    const id = await booted(stage, config)
    const bytes = config.memoryBytes - 4 * MIB
    await stage.devices.setMemoryTarget(id, bytes)

    assert.deepEqual(await configOf(stage, id), { ...config, memoryTargetBytes: bytes })
  })

  stage.it('refuses a target of more memory than the domain has, and of none', async () => {
    const config = stage.config()
    const id = await booted(stage, config)

    for (const bytes of [config.memoryBytes + MIB, 0]) {
      await rejectsWith('refused', stage.devices.setMemoryTarget(id, bytes))
    }
    assert.deepEqual(await configOf(stage, id), config)
  })

  stage.it('has a guest tell of its memory as often as it is to, and takes that into its definition', async () => {
    const setMemoryStatsPeriod = async (domain: string, seconds: number | null) =>
      stage.devices.setMemoryStatsPeriod?.(domain, seconds)
    if (!('setMemoryStatsPeriod' in stage.devices)) return
    const config = stage.config()
    const id = await booted(stage, config)
    for (const seconds of [1, 3_600]) {
      await setMemoryStatsPeriod(id, seconds)
      assert.equal((await configOf(stage, id)).platform?.memoryStatsSeconds, seconds)
      assert.equal((await stage.driver.domains.living?.(id))?.platform?.memoryStatsSeconds, seconds)
    }
    for (const seconds of [0, -1, 1.5, 2 ** 33]) await rejectsWith('refused', setMemoryStatsPeriod(id, seconds))
    await stage.driver.domains.powerOff(id)
    await rejectsWith('bad-state', setMemoryStatsPeriod(id, 1))
    await stage.driver.domains.start(id)
    assert.equal((await stage.driver.domains.living?.(id))?.platform?.memoryStatsSeconds, 3_600)
    await setMemoryStatsPeriod(id, null)

    assert.equal((await configOf(stage, id)).platform?.memoryStatsSeconds, undefined)
  })

  if (!stage.traits.groups.includes('metrics') || !stage.traits.guests.includes('yielding')) return

  stage.it('takes memory from a guest and gives it back, as the metrics tell', async () => {
    const config = stage.config('yielding')
    const id = await booted(stage, config)
    const has = async (bytes: number) => (await stage.metrics.domain(id)).memoryBytes === bytes

    for (const bytes of [config.memoryBytes - 4 * MIB, config.memoryBytes]) {
      await stage.devices.setMemoryTarget(id, bytes)
      await stage.until(`the guest has ${bytes} bytes`, () => has(bytes))
    }
  })

  stage.it('starts a guest with less memory than it can ever have', async () => {
    const config = stage.config('yielding')
    const bytes = config.memoryBytes - 4 * MIB
    const id = await booted(stage, { ...config, memoryTargetBytes: bytes })

    await stage.until(`the guest has ${bytes} bytes`, async () => {
      return (await stage.metrics.domain(id)).memoryBytes === bytes
    })
  })
}

/** A host that leaves guests the memory that they have. */
function describeFixedMemory(stage: Stage): void {
  stage.it('refuses another target for the memory of a guest, and changes nothing', async () => {
    const config = stage.config()
    const id = await booted(stage, config)

    for (const bytes of [config.memoryBytes - 4 * MIB, config.memoryBytes + MIB, 0]) {
      await rejectsWith('refused', stage.devices.setMemoryTarget(id, bytes))
    }
    assert.deepEqual(await configOf(stage, id), config)
  })
}

/** Every operation, tried on a domain that cannot have it. */
function attempts(stage: Stage, id: string, held: { disk: string; nic: string }): (() => Promise<void>)[] {
  const { devices } = stage
  return [
    () => devices.attachDisk(id, disk({ location: NOWHERE, format: 'raw' }, { device: 'hde' })),
    () => devices.detachDisk(id, held.disk),
    () => devices.changeMedium(id, held.disk, null),
    () => devices.attachNic(id, nic(null, { device: 'eth1' })),
    () => devices.detachNic(id, held.nic),
    () => devices.connectNic(id, held.nic, null),
    () => devices.setLink(id, held.nic, false),
    async () => devices.limitDisk?.(id, held.disk, null) ?? devices.setLink(id, held.nic, true),
    () => devices.setMemoryTarget(id, 8 * MIB),
  ]
}

function describeStates(stage: Stage): void {
  const GUEST: Guest = 'obedient'
  const prepare = () => {
    const config = withDevices(stage, { disks: [drive('cdrom')], nics: [nic()] }, GUEST)
    return { config, held: { disk: config.disks.at(-1)?.id ?? '', nic: config.nics?.at(-1)?.id ?? '' } }
  }

  stage.it('refuses every change of a halted domain, and leaves its definition alone', async () => {
    const { config, held } = prepare()
    await stage.driver.domains.define(config)

    for (const attempt of attempts(stage, config.id, held)) await rejectsWith('bad-state', attempt())
    assert.deepEqual(await configOf(stage, config.id), config)
  })

  if (stage.traits.groups.includes('suspension')) {
    stage.it('refuses every change of a suspended domain, and leaves its definition alone', async () => {
      const { config, held } = prepare()
      await booted(stage, config)
      await stage.suspension.suspend(config.id)

      for (const attempt of attempts(stage, config.id, held)) await rejectsWith('bad-state', attempt())
      assert.deepEqual(await configOf(stage, config.id), config)
      await stage.suspension.resume(config.id)
      await stage.assertState(config.id, 'running')
    })
  }

  stage.it('says not-found to a device that the domain does not have', async () => {
    const id = await stage.booted()

    await rejectsWith('not-found', stage.devices.detachDisk(id, NOBODY))
    await rejectsWith('not-found', stage.devices.changeMedium(id, NOBODY, null))
    await rejectsWith('not-found', stage.devices.detachNic(id, NOBODY))
    await rejectsWith('not-found', stage.devices.connectNic(id, NOBODY, null))
    await rejectsWith('not-found', stage.devices.setLink(id, NOBODY, false))
    const { devices } = stage
    if (devices.limitDisk !== undefined) await rejectsWith('not-found', devices.limitDisk(id, NOBODY, null))
  })

  stage.it('says not-found to every change of a domain that the host does not have', async () => {
    for (const attempt of attempts(stage, NOBODY, { disk: NOBODY, nic: NOBODY })) {
      await rejectsWith('not-found', attempt())
    }
  })
}
