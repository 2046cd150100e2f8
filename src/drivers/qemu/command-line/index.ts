import type { Accelerator } from '../accelerator.ts'
import type { Definition } from '../definition.ts'
import type { DomainFiles } from '../layout.ts'
import { boardArguments } from './board.ts'
import { agentArguments } from './agent.ts'
import { bootArguments } from './boot.ts'
import { consoleArguments, monitorArguments } from './consoles.ts'
import { cpuArguments } from './cpu.ts'
import { diskArguments } from './disks.ts'
import { exitArguments } from './exits.ts'
import { nicArguments } from './nics.ts'
import { platformArguments } from './platform.ts'

/** What, beside the definition, decides how QEMU is called. */
export interface StartConditions {
  readonly files: DomainFiles
  readonly accelerator: Accelerator
  /** Whether the guest must not execute anything yet. */
  readonly isPaused: boolean
  /** Whether it gets its memory from elsewhere before it does. */
  readonly isIncoming?: boolean
  /** What the host can offer of a CPU, by QEMU's names; asked for where the definition speaks of the CPU. */
  readonly cpuFlags: ReadonlySet<string>
  /** Where the real-time clock starts, as QEMU's option `-rtc` takes it. */
  readonly rtcBase: string
}

/**
 * The arguments that make QEMU run a domain, one file for each concern. Throws as `refused` what the machine has no
 * room for. Where QEMU takes JSON, it gets JSON, so that no character of a path means anything; elsewhere commas are
 * doubled.
 * Source: qemu-system(1) of QEMU 7.2.
 */
export function commandLine(definition: Definition, conditions: StartConditions): string[] {
  const { config } = definition
  const { files, accelerator, isPaused, isIncoming = false, cpuFlags, rtcBase } = conditions
  return [
    boardArguments(definition),
    cpuArguments(config, accelerator, cpuFlags),
    exitArguments(config),
    ['-pidfile', files.pid],
    monitorArguments(files),
    consoleArguments(config, files),
    platformArguments(definition, files, rtcBase),
    agentArguments(definition, files),
    bootArguments(config.boot),
    diskArguments(definition),
    nicArguments(definition, files),
    isPaused ? ['-S'] : [],
    isIncoming ? ['-incoming', 'defer'] : [],
  ].flat()
}
