import { rm, symlink } from 'node:fs/promises'
import { type DomainConfig, DriverError } from '../driver.ts'
import { hasLink } from '../link.ts'
import type { Accelerator } from './accelerator.ts'
import { speaksOfCpu } from './command-line/cpu.ts'
import type { StartConditions } from './command-line/index.ts'
import type { CpuOffer } from './cpu-offer.ts'
import type { Definition } from './definition.ts'
import { isGone, isOrdinary } from './exit-keeper.ts'
import { GuestClock } from './guest-clock.ts'
import { limitDrive } from './disk-limits.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import { assertPassable } from './passthrough.ts'
import { findByPidFile } from './process.ts'
import { type Scheduler, threadsOf } from './scheduling.ts'
import { nicName } from './slots.ts'
import { startTpm, stopTpm } from './tpm.ts'

/** What a start finds on the host. */
export interface Place {
  readonly files: DomainFiles
  readonly accelerator: Accelerator
  readonly cpuOffer: CpuOffer
  readonly scheduler: Scheduler
}

/** What `commandLine` needs to know beside the definition. Rejects as `refused` what the host cannot give. */
export async function conditionsFor(
  { config }: Definition,
  { files, accelerator, cpuOffer }: Omit<Place, 'scheduler'>,
  more: Pick<StartConditions, 'isPaused' | 'isIncoming'>,
): Promise<StartConditions> {
  assertPassable(config.platform?.pciDevices ?? [])
  const cpuFlags = speaksOfCpu(config) ? await cpuOffer.flags() : new Set<string>()
  const rtcBase = await new GuestClock(files.clock).base(config)
  return { files, accelerator, cpuFlags, rtcBase, ...more }
}

/** Starts what QEMU connects to; the last thing before QEMU itself. */
export async function startCompanions({ config }: Definition, files: DomainFiles): Promise<void> {
  if (config.platform?.tpm !== true) return
  // Another manager's; QEMU would find that out itself, but too late for what it is connected to.
  if (findByPidFile().has(files.pid)) throw new DriverError('refused', `domain ${config.id} runs already`)
  await startTpm(files)
}

/** Ends what QEMU would have connected to; for one that did not come. Where QEMU ends, they end with it. */
export async function stopCompanions({ config }: Definition, files: DomainFiles): Promise<void> {
  if (config.platform?.tpm === true && !findByPidFile().has(files.pid)) await stopTpm(files)
}

/** Whether the guest must not execute anything before `setUp` has been done. */
export const isHeldForSetUp = ({ config: { scheduling, disks, nics = [] } }: Definition): boolean =>
  scheduling !== undefined || disks.some(({ limits }) => limits !== undefined) || nics.some(({ linkDown }) => linkDown)

/**
 * What is left to be done when QEMU has been started with a definition. Rejects where that cannot be; what the machine
 * is to become of then is the caller's to decide. A guest that has ended by then has no need of it.
 */
export async function setUp(machine: Machine, { config }: Definition, { files, scheduler }: Place): Promise<void> {
  try {
    if (config.scheduling !== undefined) {
      await scheduler.apply(config.id, await threadsOf(machine), config.scheduling)
    }
    const { memoryBytes, memoryTargetBytes = memoryBytes, platform = {} } = config
    if (memoryTargetBytes < memoryBytes) await machine.execute('balloon', { value: memoryTargetBytes })
    for (const nic of config.nics ?? []) {
      if (!hasLink(nic)) await machine.execute('set_link', { name: nicName(nic.id), up: false })
    }
    for (const disk of config.disks) if (disk.limits !== undefined) await limitDrive(machine, disk)
    if (platform.serial === 'pty') await linkTerminal(machine, files.serialPty)
  } catch (error) {
    if (!(error instanceof DriverError && error.kind === 'bad-state')) throw error
  }
}

/** Gives a machine that was found running its share of the CPUs again; without one it runs all the same. */
export async function takeUpShare(
  machine: Machine,
  { id, scheduling }: DomainConfig,
  scheduler: Scheduler,
  warn: (message: string) => void,
): Promise<void> {
  if (scheduling === undefined) return
  try {
    await scheduler.apply(id, await threadsOf(machine), scheduling)
  } catch (error) {
    if (!isOrdinary(error) || isGone(error)) throw error
    warn(`domain ${id} runs without its scheduling: ${error.message}`)
  }
}

/** Gives the pseudo terminal, which has another name each time, a name that lasts. */
async function linkTerminal(machine: Machine, path: string): Promise<void> {
  const devices = await machine.execute('query-chardev')
  const terminal = devices.find(({ label }) => label === 'serial0')?.filename.replace(/^pty:/, '')
  if (terminal === undefined) throw new DriverError('refused', 'QEMU has made no pseudo terminal')
  await rm(path, { force: true })
  await symlink(terminal, path)
}

/** Keeps what the guest sets its clock to, as long as the machine lives and `isWanted`. */
export function watchClock(
  machine: Machine,
  files: DomainFiles,
  isWanted: () => boolean,
  warn: (message: string) => void,
): void {
  const clock = new GuestClock(files.clock)
  machine.listen(({ event, data: { offset } }) => {
    if (event !== 'RTC_CHANGE' || typeof offset !== 'number' || !isWanted()) return
    clock.changed(offset).catch((error: unknown) => warn(`${files.clock} cannot be written: ${String(error)}`))
  })
}
