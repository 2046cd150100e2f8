import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type CpuGroups, findCpuGroups, type VcpuThreads } from '../../src/drivers/qemu/cgroup.ts'
import { allowedCpus, onlineCpus, parseCpuList } from '../../src/drivers/qemu/cpu-affinity.ts'
import { niceness, setNiceness } from '../../src/drivers/qemu/niceness.ts'
import { createScheduler, PLAIN } from '../../src/drivers/qemu/scheduling.ts'

const ID = '11111111-1111-4111-8111-111111111111'

let folder: string
let child: ChildProcess
let qemu: VcpuThreads

/** A process that takes QEMU's part. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'polyvisor-share-'))
  child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true })
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  qemu = { pid, threads: [pid] }
})

afterEach(async () => {
  child.kill('SIGKILL')
  await once(child, 'exit')
  rmSync(folder, { recursive: true, force: true })
})

function put(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), text)
}

const get = (path: string): string => readFileSync(join(folder, path), 'utf8')

/** Files of the kernel do not keep it from removing their folder; those of this test would. */
function empty(path: string): void {
  for (const name of readdirSync(join(folder, path))) rmSync(join(folder, path, name))
}

const mountLine = (type: string, options: string) => `31 23 0:28 / ${folder} rw - ${type} ${type} rw,${options}\n`

describe('version 1 of control groups', () => {
  let groups: CpuGroups
  beforeEach(() => {
    mkdirSync(join(folder, 'machine'))
    const found = findCpuGroups(mountLine('cgroup', 'cpu,cpuacct'), '3:cpuset:/\n1:cpu,cpuacct:/machine\n')
    assert(found !== undefined)
    groups = found
  })

  test('has a group for each virtual CPU, with the share of a thread', () => {
    groups.set(ID, { pid: qemu.pid, threads: [qemu.pid, 7] }, { weight: 512, capPercent: 30 })

    for (const [number, thread] of [qemu.pid, 7].entries()) {
      const group = `machine/polyvisor-${ID}.${number}`
      const files = ['cpu.shares', 'cpu.cfs_period_us', 'cpu.cfs_quota_us', 'tasks'].map(name =>
        get(`${group}/${name}`),
      )
      assert.deepEqual(files, ['2048', '100000', '30000', `${thread}`])
    }
    assert(groups.has(ID))
  })

  test('puts back what was when the second group cannot be made', () => {
    groups.set(ID, qemu, { weight: 512, capPercent: null })
    // A folder where a file is to be written.
    mkdirSync(join(folder, `machine/polyvisor-${ID}.1/cpu.shares`), { recursive: true })

    const both = { pid: qemu.pid, threads: [qemu.pid, 7] }
    assert.throws(() => groups.set(ID, both, { weight: 1024, capPercent: 10 }))
    assert.equal(get(`machine/polyvisor-${ID}.0/cpu.shares`), '2048')
    assert.equal(get(`machine/polyvisor-${ID}.0/cpu.cfs_quota_us`), '-1')
  })
})

describe('version 2 of control groups', () => {
  const OWN = '0::/slice/service\n'
  beforeEach(() => {
    put('slice/cgroup.controllers', 'cpu memory')
    put('slice/cgroup.subtree_control', '')
    put('slice/cgroup.procs', '')
    put('slice/service/cgroup.controllers', '')
    put('slice/service/cgroup.procs', '1\n')
  })

  test('has one group for all of QEMU, beside ours, with the share of all its virtual CPUs', () => {
    const groups = findCpuGroups(mountLine('cgroup2', 'nsdelegate'), OWN)
    assert(groups !== undefined)
    groups.set(ID, { pid: qemu.pid, threads: [qemu.pid, 7] }, { weight: 512, capPercent: 30 })

    const group = `slice/polyvisor-${ID}`
    const files = ['cpu.weight', 'cpu.max', 'cgroup.procs'].map(name => get(`${group}/${name}`))
    assert.deepEqual(files, ['400', '60000 100000', `${qemu.pid}`])
    assert.equal(get('slice/cgroup.subtree_control'), '+cpu')

    groups.set(ID, qemu, { weight: 65_535, capPercent: null })
    assert.deepEqual([get(`${group}/cpu.weight`), get(`${group}/cpu.max`)], ['10000', 'max 100000'])
    empty(group)
    groups.release(ID, qemu)
    assert(!existsSync(join(folder, group)))
    assert.equal(get('slice/service/cgroup.procs'), `${qemu.pid}`)
  })

  test('is of no use where processes are in every group that could be ours', () => {
    put('slice/cgroup.procs', '1\n')

    assert.equal(findCpuGroups(mountLine('cgroup2', 'rw'), OWN), undefined)
  })

  test('is of no use where nothing is mounted', () => {
    assert.equal(findCpuGroups('', OWN), undefined)
  })
})

describe('without control groups', () => {
  const scheduler = createScheduler(undefined)

  test('a cap is refused, and the affinity is as before', async () => {
    const before = allowedCpus(qemu.pid, qemu.pid)
    const wanted = { ...PLAIN, capPercent: 50, affinity: [onlineCpus().at(-1) ?? 0] }

    await assert.rejects(scheduler.apply(ID, qemu, wanted), { name: 'DriverError', kind: 'refused' })
    assert.deepEqual(allowedCpus(qemu.pid, qemu.pid), before)
  })

  test('a weight is the nearest niceness', async () => {
    await scheduler.apply(ID, qemu, { ...PLAIN, weight: 64 })
    assert.equal(getPriority(qemu.pid), 6)

    assert.deepEqual([1, 205, 256, 320, 65_535].map(niceness), [19, 1, 0, -1, -20])
  })

  test('nothing is done to a process that is gone', async () => {
    const gone = { pid: qemu.pid, threads: [qemu.pid, 2 ** 30] }
    const before = getPriority(qemu.pid)

    await assert.rejects(scheduler.apply(ID, gone, { ...PLAIN, affinity: [0] }), { kind: 'bad-state' })
    assert.throws(() => setNiceness(gone, 5))
    assert.equal(getPriority(qemu.pid), before)
  })
})

test('what the groups refuse leaves the affinity as it was', async () => {
  const before = allowedCpus(qemu.pid, qemu.pid)
  const refusing: CpuGroups = {
    has: () => false,
    release: () => undefined,
    set: () => {
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    },
  }
  const wanted = { weight: 512, capPercent: null, affinity: [onlineCpus()[0] ?? 0] }

  await assert.rejects(createScheduler(refusing).apply(ID, qemu, wanted), { kind: 'refused', message: /denied/ })
  assert.deepEqual(allowedCpus(qemu.pid, qemu.pid), before)
})

test('lists of CPUs are read as the kernel writes them', () => {
  assert.deepEqual(parseCpuList('0-2,5,7-7\n'), [0, 1, 2, 5, 7])
  assert.deepEqual(parseCpuList('\n'), [])
  for (const text of ['x', '2-1', '0-99999999', '1,,2']) assert.throws(() => parseCpuList(text), RangeError)
})
