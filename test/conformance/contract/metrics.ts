import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DomainMetrics } from '../../../src/drivers/driver.ts'
import { drive, nic, run, withDevices } from '../parts.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

const MOMENT_MS = 300

export function describeMetrics(stage: Stage): void {
  describe('metrics', () => {
    describeDomains(stage)
    describeStates(stage)
    describeTroubles(stage)
    describeCpus(stage)
  })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** The numbers among the properties of something, by names that begin with what it is. */
function numbersIn(what: string, of: object): [string, number][] {
  return Object.entries(of).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'number' ? [[`${what} ${name}`, value] satisfies [string, number]] : [],
  )
}

/** Every counter of a reading, by a name of its own. */
function counters({ vcpuMs, vcpus = [], cpu, disks, nics }: DomainMetrics): Record<string, number> {
  return Object.fromEntries([
    ...vcpuMs.map((ms, number) => [`cpu ${number}`, ms] as const),
    ...vcpus.flatMap(({ waitMs, delayMs }, number) => numbersIn(`cpu ${number}`, { waitMs, delayMs })),
    ...(cpu === undefined ? [] : [...numbersIn('cpu', cpu), ...numbersIn('cpu on', cpu.onCpus ?? [])]),
    ...disks.flatMap(({ id, ...counted }) => numbersIn(id, counted)),
    ...nics.flatMap(({ id, ...counted }) => numbersIn(id, counted)),
  ])
}

function describeDomains(stage: Stage): void {
  stage.it('has a counter for each virtual CPU, disk and interface', async () => {
    const config = { ...withDevices(stage, { disks: [drive('cdrom')], nics: [nic()] }), vcpus: 2 }
    await run(stage, config)
    const metrics = await stage.metrics.domain(config.id)
    const ids = (devices: readonly { readonly id: string }[]) => devices.map(({ id }) => id).toSorted()

    assert.equal(metrics.vcpuMs.length, 2)
    assert.deepEqual(ids(metrics.disks), ids(config.disks))
    assert.deepEqual(ids(metrics.nics), ids(config.nics ?? []))
    assert(metrics.memoryBytes > 0 && metrics.memoryBytes <= config.memoryBytes)
    for (const [name, value] of Object.entries(counters(metrics))) {
      assert(Number.isFinite(value) && value >= 0, `${name}: ${value}`)
    }
    for (const [tool, version] of Object.entries(metrics.tools)) assert(tool !== '' && version !== '')
    assert(metrics.vcpus === undefined || metrics.vcpus.length === 2)
    const { cpus } = await stage.driver.host.info()
    for (const { cpu } of metrics.vcpus ?? []) assert(cpu === undefined || cpus.some(({ number }) => number === cpu))
    const { totalMs = 0, userMs = 0, systemMs = 0 } = metrics.cpu ?? {}
    assert(userMs + systemMs <= totalMs + 1e-6)
    assert(metrics.residentBytes === undefined || metrics.residentBytes > 0)
  })

  stage.it('counts requests wherever it counts their octets, and no more octets than requests carry', async () => {
    const id = await stage.booted()
    const { disks } = await stage.metrics.domain(id)
    for (const { readBytes, reads, writtenBytes, writes } of disks) {
      for (const [bytes, count] of [
        [readBytes, reads],
        [writtenBytes, writes],
      ] as const) {
        assert(count === undefined || count > 0 || bytes === 0, `${bytes} bytes in ${count} requests`)
      }
    }
  })

  stage.it('counts on and never back, by a clock that does not go back either', async () => {
    const id = await stage.booted()
    let before = await stage.metrics.domain(id)
    const first = before
    for (let reading = 0; reading < 5; reading++) {
      await sleep(20)
      const next = await stage.metrics.domain(id)
      assert(next.atMs >= before.atMs)
      const [was, is] = [counters(before), counters(next)]
      for (const name of Object.keys(was)) assert((is[name] ?? -1) >= (was[name] ?? 0), name)
      before = next
    }
    assert(before.atMs > first.atMs)
  })

  stage.it('lets CPU time pass while a guest runs', async () => {
    const id = await stage.booted()
    const before = sum((await stage.metrics.domain(id)).vcpuMs)

    await stage.until('CPU time passes', async () => sum((await stage.metrics.domain(id)).vcpuMs) > before)
  })

  stage.it('lets no CPU time pass while a guest is paused', async () => {
    const id = await stage.booted()
    await stage.driver.domains.pause(id)
    const before = sum((await stage.metrics.domain(id)).vcpuMs)
    await sleep(MOMENT_MS)

    // The hypervisor itself may need a moment on the thread of a virtual CPU.
    assert(sum((await stage.metrics.domain(id)).vcpuMs) - before < MOMENT_MS / 3)
  })
}

function describeStates(stage: Stage): void {
  stage.it('measures no halted domain, and one that was started again', async () => {
    const id = await stage.halted()
    await rejectsWith('bad-state', stage.metrics.domain(id))
    await stage.driver.domains.start(id)
    await stage.metrics.domain(id)
    await stage.driver.domains.powerOff(id)
    await rejectsWith('bad-state', stage.metrics.domain(id))
    await stage.driver.domains.start(id, { paused: true })

    assert((await stage.metrics.domain(id)).memoryBytes > 0)
  })

  if (stage.traits.groups.includes('suspension')) {
    stage.it('measures no suspended domain, and one that was resumed', async () => {
      const id = await stage.booted()
      await stage.suspension.suspend(id)
      await rejectsWith('bad-state', stage.metrics.domain(id))
      await stage.suspension.resume(id)

      assert.equal((await stage.metrics.domain(id)).vcpuMs.length, 1)
    })
  }

  stage.it('tells the CPU time of each virtual CPU alone, as it does with the rest', async () => {
    const config = { ...stage.config(), vcpus: 2 }
    await rejectsWith('not-found', stage.metrics.vcpus(config.id))
    await stage.driver.domains.define(config)
    await rejectsWith('bad-state', stage.metrics.vcpus(config.id))
    await stage.driver.domains.start(config.id)
    const alone = await stage.metrics.vcpus(config.id)
    const { vcpuMs } = await stage.metrics.domain(config.id)

    assert.equal(alone.length, 2)
    vcpuMs.forEach((ms, number) => assert(ms >= (alone[number]?.usedMs ?? Number.POSITIVE_INFINITY), `CPU ${number}`))
  })

  stage.it('measures many, where it can, and leaves out those that do not run or are not there', async () => {
    const { metrics } = stage
    if (metrics.domains === undefined) return
    const ids = [await stage.running(), await stage.paused()]
    const others = [await stage.halted(), NOBODY]
    // Few are looked at one by one, and many together.
    for (const more of [[], ['1', '2', '3', '4'].map(digit => NOBODY.replace(/0$/, digit))]) {
      const read = await metrics.domains([...ids, ...others, ...more])

      assert.deepEqual(read.map(({ id }) => id).toSorted(), ids.toSorted())
      for (const { vcpuMs, memoryBytes } of read) assert(vcpuMs.length === 1 && memoryBytes > 0)
    }
  })

  stage.it('says not-found to the metrics of a domain that the host does not have', async () => {
    await rejectsWith('not-found', stage.metrics.domain(NOBODY))
  })
}

function describeTroubles(stage: Stage): void {
  stage.it('has no errors of disks that are well, and none to tell of domains that are off', async () => {
    const diskErrors = (id: string) => stage.metrics.diskErrors?.(id) ?? Promise.resolve([])
    if (!('diskErrors' in stage.metrics)) return
    const id = await stage.running()

    assert.deepEqual(await diskErrors(id), [])
    await rejectsWith('bad-state', diskErrors(await stage.halted()))
    await rejectsWith('not-found', diskErrors(NOBODY))
  })

  stage.it('tells that nobody has looked how fast a guest writes to its memory, where nobody has', async () => {
    if (!('dirtyRate' in stage.metrics)) return
    const dirtyRate = async (id: string) => stage.metrics.dirtyRate?.(id)
    const { mode, ...rate } = (await dirtyRate(await stage.running())) ?? assert.fail()

    assert.deepEqual(rate, { status: 'unstarted', startS: 0, periodS: 0 })
    assert.notEqual(mode, '')
    await rejectsWith('bad-state', dirtyRate(await stage.halted()))
  })
}

function describeCpus(stage: Stage): void {
  stage.it('tells what the CPUs of the host do, each by its number', async () => {
    const { cpus } = await stage.driver.host.info()
    const before = await stage.metrics.cpus()
    assert.deepEqual(
      before.map(cpu => cpu.number).toSorted((a, b) => a - b),
      cpus.map(cpu => cpu.number).toSorted((a, b) => a - b),
    )

    await stage.until('time passes on each', async () => {
      const after = new Map((await stage.metrics.cpus()).map(cpu => [cpu.number, cpu]))
      return before.every(({ number, busyMs, idleMs }) => {
        const cpu = after.get(number)
        assert(cpu !== undefined && cpu.busyMs >= busyMs && cpu.idleMs >= idleMs, `CPU ${number} goes back`)
        return cpu.busyMs + cpu.idleMs > busyMs + idleMs
      })
    })
  })
}
