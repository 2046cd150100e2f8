/** Sharing a host's memory: VMs with a dynamic range give way to each other by ballooning. */

import { DriverError } from '../drivers/driver.ts'
import type { Context } from '../engine/context.ts'
import type { Log } from '../engine/log.ts'
import { Turns } from '../engine/turns.ts'
import { fail } from '../model/errors.ts'
import { host_, VM } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { memoryTarget } from './domain-config.ts'
import { vmRecord, type VmRecord } from './vm-record.ts'

type Parts = Pick<Context, 'store' | 'hosts'>

/** Between what it must have and what it is to have. */
interface Range {
  readonly vm: VmRecord
  readonly min: bigint
  readonly max: bigint
}

/** A VM for which nobody named a minimum keeps what it has. */
function rangeOf(vm: VmRecord): Range {
  const max = memoryTarget(vm)
  const named = vm.memory_dynamic_min === 0n ? vm.memory_static_min : vm.memory_dynamic_min
  return { vm, min: named === 0n || named > max ? max : named, max }
}

function isOn(host: string, { resident_on, power_state }: VmRecord): boolean {
  return resident_on === host && power_state !== 'Halted' && power_state !== 'Suspended'
}

/** The VMs that are on a host now, and those on their way there that have been granted room; one is left out. */
function residents({ store, hosts }: Parts, host: string, but: string): Range[] {
  const isComing = (vm: VmRecord) => vm.affinity === host && hosts.hasRoom(vm.uuid)
  const vms = store.findBy(VM, 'affinity', host).flatMap(ref => store.get(VM, ref) ?? [])
  return vms.filter(vm => vm.uuid !== but && (isOn(host, vm) || isComing(vm))).map(rangeOf)
}

const sum = (numbers: readonly bigint[]): bigint => numbers.reduce((total, number) => total + number, 0n)

/**
 * Makes the VMs of a host give way to one that is about to start there. Throws HOST_NOT_ENOUGH_FREE_MEMORY where even
 * at their minimum there is no room for its own. Answers what it is to have from its start, in bytes.
 */
export async function makeRoom(context: Context, vm: string): Promise<bigint> {
  const current = vmRecord(context, vm)
  const host = context.hosts.hostFor(current)
  const others = residents(context, host, vm)
  const mine = rangeOf(current)
  const memory = memoryOf(context, host)
  const available = memory - sum(others.map(({ min }) => min))
  if (memory > 0n && mine.min > available) {
    const left = available > 0n ? available : 0n
    throw fail('HOST_NOT_ENOUGH_FREE_MEMORY', { needed: String(mine.min), available: String(left) })
  }
  context.hosts.grantRoom(vm)
  const all = [...others, mine]
  await balance(context, memory, all, vm)
  return shareOf(mine, memory, all)
}

/** Gives a VM that runs what its range, which has just changed, entitles it to. */
export async function rebalance(context: Context, vm: string): Promise<void> {
  await share(context, vmRecord(context, vm).affinity)
}

const share = (parts: Parts, host: string): Promise<void> =>
  balance(parts, memoryOf(parts, host), residents(parts, host, ''), '')

/** Hosts whose memory is shared out at once. */
const HOSTS_AT_ONCE_MAX = 16

/**
 * Gives back what VMs gave way for one that has ended by itself, until the function that it answers is called; where one
 * ends on demand that is done before the answer.
 */
export function watchMemory(parts: Parts, log: Log): () => void {
  const turns = new Turns(HOSTS_AT_ONCE_MAX, host =>
    share(parts, host).catch((error: unknown) => log.error({ host, error: String(error) }, 'memory is not shared out')),
  )
  const end = parts.store.onChange(changes => {
    for (const { class: of, ref, fields } of changes) {
      if (of !== VM.name || !fields.includes('resident_on')) continue
      const { affinity = NULL_REF, resident_on } = parts.store.get(VM, ref) ?? {}
      if (affinity !== NULL_REF && resident_on === NULL_REF) turns.ask(affinity)
    }
  })
  return () => {
    end()
    turns.clear()
  }
}

/** Gives back what VMs gave way for, once one has ended, or has not come. */
export async function giveWay(context: Context, vm: string): Promise<void> {
  const { affinity } = vmRecord(context, vm)
  await balance(context, memoryOf(context, affinity), residents(context, affinity, vm), vm)
}

const memoryOf = ({ store }: Parts, host: string): bigint => store.get(host_, host)?.memory ?? 0n

/** Each gets its minimum and the same share of what it would like beyond. */
function shareOf({ min, max }: Range, memory: bigint, all: readonly Range[]): bigint {
  const needed = sum(all.map(range => range.min))
  const wanted = sum(all.map(range => range.max)) - needed
  // Where minimums were raised since, there may be less than all of them.
  const spare = memory > needed ? memory - needed : 0n
  return memory === 0n || wanted <= spare || wanted === 0n ? max : min + ((max - min) * spare) / wanted
}

async function balance(context: Parts, memory: bigint, all: readonly Range[], but: string): Promise<void> {
  for (const range of all) {
    if (range.vm.uuid === but || range.min === range.max) continue
    await setTarget(context, range.vm.uuid, shareOf(range, memory, all))
  }
}

/** A guest that does not give way now is no reason to refuse another: the host then swaps. */
async function setTarget({ store, hosts }: Parts, vm: string, bytes: bigint): Promise<void> {
  const { resident_on = NULL_REF } = store.get(VM, vm) ?? {}
  const devices = hosts.connected().find(({ host }) => host === resident_on)?.driver.devices
  // One that is still coming is told its share when it is there.
  if (devices === undefined) return
  try {
    await hosts.setMemoryTarget(vm, devices, Number(bytes))
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
  }
}
