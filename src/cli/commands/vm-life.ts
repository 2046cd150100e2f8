/** The life of a VM. A command whose end is reached already says so and is content. */

import { ApiError, type Ref, type TaskRef, type XenApiClient } from '../../client/index.ts'
import { command, type Command } from '../command.ts'
import type { Context } from '../context.ts'
import { find } from '../find.ts'
import { finish } from '../progress.ts'

const VM_ARGUMENT = { vm: { doc: 'UUID or name of the VM' } } as const
const LOST = 'what the guest did not write to disk is lost'

/** One step of a VM's life. */
interface Step {
  /** What is said while it is under way. */
  readonly doing: string
  /** The state that it leads to, in which there is nothing left to do; absent where doing it again is meant. */
  readonly goal?: string
  /** What is said when it is done. */
  readonly done: string
  start(client: XenApiClient, vm: Ref<'VM'>): Promise<TaskRef<null>>
}

/** Starts the VM. */
export const start = command({
  doc: 'Start a VM and wait until it runs.',
  args: VM_ARGUMENT,
  options: { paused: { doc: 'leave it paused' } },
  examples: ['vm start web-1', 'vm start web-1 --paused'],
  run: (context, { vm, paused }) =>
    take(context, vm, {
      doing: 'starting',
      goal: paused ? 'Paused' : 'Running',
      done: paused ? 'paused' : 'running',
      start: (client, ref) => client.Async.VM.start({ vm: ref, start_paused: paused }),
    }),
})

/** Stops the VM's processors. */
export const pause = life('pause', 'Stop the processors of a running VM; it stays in memory.', {
  doing: 'pausing',
  goal: 'Paused',
  done: 'paused',
  start: (client, vm) => client.Async.VM.pause({ vm }),
})

/** Lets a paused VM go on. */
export const unpause = life('unpause', 'Let a paused VM go on.', {
  doing: 'unpausing',
  goal: 'Running',
  done: 'running',
  start: (client, vm) => client.Async.VM.unpause({ vm }),
})

/** Puts the VM to disk. */
export const suspend = command({
  doc: 'Put a VM to disk with all that it has in memory; resume goes on from there.',
  args: VM_ARGUMENT,
  options: { live: { doc: 'let the guest go on while its memory is being written, if KVM runs it' } },
  examples: ['vm suspend web-1', 'vm suspend web-1 --live'],
  run: (context, { vm, live }) =>
    take(context, vm, {
      doing: 'suspending',
      goal: 'Suspended',
      done: 'suspended',
      start: (client, ref) => client.Async.VM.suspend({ vm: ref, live }),
    }),
})

/** Brings a VM back from disk. */
export const resume = command({
  doc: 'Bring a suspended VM back from disk and wait until it runs.',
  args: VM_ARGUMENT,
  options: { paused: { doc: 'leave it paused' } },
  examples: ['vm resume web-1', 'vm resume web-1 --paused'],
  run: (context, { vm, paused }) =>
    take(context, vm, {
      doing: 'resuming',
      goal: paused ? 'Paused' : 'Running',
      done: paused ? 'paused' : 'running',
      start: (client, ref) => client.Async.VM.resume({ vm: ref, start_paused: paused }),
    }),
})

/** Asks the guest to shut down. */
export const shutdown = life('shutdown', 'Ask the guest to shut down and wait until it has.', {
  doing: 'shutting down',
  goal: 'Halted',
  done: 'halted',
  start: (client, vm) => client.Async.VM.clean_shutdown({ vm }),
})

/** Asks the guest to shut down and starts it again. */
export const reboot = life('reboot', 'Ask the guest to shut down, then start the VM again.', {
  doing: 'rebooting',
  done: 'running again',
  start: (client, vm) => client.Async.VM.clean_reboot({ vm }),
})

/** Cuts the VM's power. */
export const hardShutdown = life('hard-shutdown', `Cut the power of a VM; ${LOST}.`, {
  doing: 'cutting the power of',
  goal: 'Halted',
  done: 'halted',
  start: (client, vm) => client.Async.VM.hard_shutdown({ vm }),
})

/** Presses the VM's reset button. */
export const hardReboot = life('hard-reboot', `Reset a VM; ${LOST}.`, {
  doing: 'resetting',
  done: 'running again',
  start: (client, vm) => client.Async.VM.hard_reboot({ vm }),
})

/** A command that takes a VM through one step. */
function life(verb: string, doc: string, step: Step): Command {
  return command({
    doc,
    args: VM_ARGUMENT,
    examples: [`vm ${verb} web-1`],
    run: (context, { vm }) => take(context, vm, step),
  })
}

async function take(context: Context, name: string, step: Step): Promise<void> {
  const client = await context.connect()
  const vm = await find(client, 'VM', name)
  try {
    const done = await finish(context, client, await step.start(client, vm), `${step.doing} ${name}`)
    if (done !== undefined) context.tell(`${name} is ${step.done}`, { vm, changed: true })
  } catch (error) {
    if (!isThereAlready(error, step)) throw error
    context.tell(`${name} is ${step.done} already`, { vm, changed: false })
  }
}

/** Source: the parameters of VM_BAD_POWER_STATE are the VM, the expected states and the actual one. */
function isThereAlready(error: unknown, { goal }: Step): boolean {
  return error instanceof ApiError && error.code === 'VM_BAD_POWER_STATE' && error.params[2] === goal
}
