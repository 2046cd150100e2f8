/** What must and what must not compile of the typed client. Nothing here runs. */

import type { Ref, TaskRef, XenApiClient } from '../src/client/index.ts'

/** Compiles where the two types are the same. */
const same = <T>(_value: T, _other: T): void => undefined

/** Calls as programs write them. */
export async function calls(client: XenApiClient, vm: Ref<'VM'>, host: Ref<'host'>): Promise<void> {
  await client.VM.start({ vm, start_paused: false })
  await client.VM.list()
  await client.VM.get_all({}, { signal: AbortSignal.timeout(1) })
  const size: bigint = await client.VM.get_memory_static_max({ self: vm })
  const load: ReadonlyMap<bigint, number> = await client.VM.get_VCPUs_utilisation({ self: vm })
  const disks: readonly Ref<'VBD'>[] = await client.VM.get_VBDs({ self: vm })
  const state: 'Halted' | 'Paused' | 'Running' | 'Suspended' | 'ShuttingDown' | 'Unknown' =
    await client.VM.get_power_state({ self: vm })
  const clone: TaskRef<Ref<'VM'>> = await client.Async.VM.clone({ vm, new_name: 'x' })
  const cloned: Ref<'VM'> = await client.waitForTask(clone)
  const { data, next } = await client.VM.read_serial({ vm, position: 0n })
  const { name_label, VCPUs_number } = await client.record('VM', vm)
  const made: Ref<'VM'> = await client.VM.create({ name_label: 'x', VCPUs_number: 2n, affinity: host })
  await client.VM.add_to_VCPUs_features_force_on({ self: vm, value: 'FPU' })
  same<readonly [string, bigint, string, bigint]>([data, next, name_label, VCPUs_number], ['', size, state, 0n])
  same<readonly unknown[]>([load, disks], [cloned, made])
}

/** Calls that the compiler refuses. */
export async function refusals(client: XenApiClient, vm: Ref<'VM'>, host: Ref<'host'>): Promise<void> {
  // @ts-expect-error an argument is missing
  await client.VM.start({ vm })
  // @ts-expect-error an argument has the wrong name
  await client.VM.start({ vn: vm, start_paused: false })
  // @ts-expect-error an argument has the wrong type
  await client.VM.start({ vm, start_paused: 'yes' })
  // @ts-expect-error an argument that the message does not have
  await client.VM.start({ vm, start_paused: false, force: true })
  // @ts-expect-error a reference to an object of another class
  await client.VM.start({ vm: host, start_paused: false })
  // @ts-expect-error arguments of a message that has none
  await client.VM.list({ all: true })
  // @ts-expect-error an integer is a bigint
  await client.VM.set_user_version({ self: vm, value: 1 })
  // @ts-expect-error a value that the enumeration does not have
  await client.VM.set_actions_after_crash({ self: vm, value: 'ignore' })
  // @ts-expect-error a set's element of the wrong type
  await client.VM.add_to_VCPUs_features_force_on({ self: vm, value: 'SIDEWAYS' })
  // @ts-expect-error a field that is no set has nothing to add to
  await client.VM.add_to_name_label({ self: vm, value: 'x' })
  // @ts-expect-error a message that nobody declared
  await client.VM.teleport({ vm })
  // @ts-expect-error a class that nobody declared
  await client.VBX.get_all()
  // @ts-expect-error a field that the class does not have
  await client.VM.create({ colour: 'red' })
  // @ts-expect-error a field of the wrong type
  await client.VM.create({ name_label: 7 })
  // @ts-expect-error hosts are connected, not constructed
  await client.host.create({ name_label: 'x' })
  // @ts-expect-error a session is not something that there are all of
  await client.session.get_all()
  // @ts-expect-error a login is not a task
  await client.Async.session.logout()
  // @ts-expect-error the result of a task is the method's
  const wrong: bigint = await client.waitForTask(await client.Async.VM.clone({ vm, new_name: 'x' }))
  same<bigint>(wrong, 0n)
  // @ts-expect-error a field that is computed cannot be set
  await client.VM.set_power_state({ self: vm, value: 'Running' })
  // @ts-expect-error a field that is computed cannot be chosen
  await client.VM.create({ power_state: 'Running' })
  // @ts-expect-error a field chosen at construction cannot be set
  await client.VM.set_memory_static_max({ self: vm, value: 1n })
  // @ts-expect-error internal
  await client.VM.get_domain({ self: vm })
}
