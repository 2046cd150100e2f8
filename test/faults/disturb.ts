/** Runs an operation with one fault, and judges what is left. */

import assert from 'node:assert/strict'
import type { Answer } from '../../src/engine/engine.ts'
import { SR } from '../../src/model/index.ts'
import { type Lab, type LabFault, startLab } from './lab.ts'
import type { Disturbed } from './operations.ts'
import { anonymous, assertTrue, type Picture, picture, settle } from './picture.ts'

/** What an operation does when nothing is in its way. */
export interface Course {
  /** The driver calls that it makes, in order. */
  readonly calls: readonly string[]
  /** How often it writes to the store. */
  readonly commits: number
  readonly after: string
}

const hostsOf = ({ hosts = ['one'] }: Disturbed): readonly string[] => hosts

/** Runs it undisturbed. */
export async function courseOf(operation: Disturbed): Promise<Course> {
  return inLab(operation, async (lab, objects) => {
    const begun = lab.log.batches.length
    lab.watch()
    const answer = await operation.act(lab, objects)
    const [calls, commits] = [lab.calls(), lab.log.batches.length - begun]
    assert.equal(answer.ok, true, JSON.stringify(answer))
    await look(lab)
    await assertTrue(lab, hostsOf(operation))
    return { calls, commits, after: anonymous(await picture(lab, hostsOf(operation))) }
  })
}

/** A driver call that fails, or a write to the store that does. */
export type Misfortune = LabFault | { readonly commit: number }

/**
 * Runs it with one fault. Demands that what is left is what was before or what would have been after, that records and
 * hosts tell the same, and that it can be called again.
 */
export async function disturb(operation: Disturbed, course: Course, fault: Misfortune): Promise<void> {
  try {
    await disturbed(operation, course, fault)
  } catch (error) {
    const step = 'commit' in fault ? '' : course.calls[fault.at - 1]
    throw new Error(`${operation.name}, ${JSON.stringify(fault)} ${step}: ${String(error)}`, { cause: error })
  }
}

async function disturbed(operation: Disturbed, { after }: Course, fault: Misfortune): Promise<void> {
  await inLab(operation, async (lab, objects) => {
    const before = await picture(lab, hostsOf(operation))
    const answer = await act(lab, operation, objects, fault)
    await look(lab)
    await assertTrue(lab, hostsOf(operation))
    const left = await picture(lab, hostsOf(operation))
    judge({ answer, before, after, left }, operation.goOn !== undefined)
    if (answer.ok || anonymous(left) === after) return

    const isBegun = operation.goOn !== undefined && anonymous(left) !== anonymous(before)
    const again = await (isBegun ? operation.goOn : operation.act)(lab, objects)

    assert.equal(again.ok, true, JSON.stringify(again))
    await look(lab)
    await assertTrue(lab, hostsOf(operation))
    assert.equal(anonymous(await picture(lab, hostsOf(operation))), after)
  })
}

async function act(lab: Lab, operation: Disturbed, objects: Readonly<Record<string, string>>, fault: Misfortune) {
  if ('commit' in fault) lab.log.failAppend(lab.log.batches.length + fault.commit)
  lab.watch('commit' in fault ? undefined : fault)
  const answer = await operation.act(lab, objects)
  lab.calls()
  // Where what the engine does beside it wrote at another moment, the fault has not come yet, and is not for those who look.
  lab.log.failNone()
  return answer
}

function judge(seen: { answer: Answer; before: Picture; after: string; left: Picture }, mayBeBegun: boolean): void {
  const { answer, before, after, left } = seen
  if (answer.ok) return assert.equal(anonymous(left), after)
  if (anonymous(left) === after || mayBeBegun) return
  assert.deepEqual(left, before, answer.error.join(' '))
}

async function inLab<R>(
  operation: Disturbed,
  body: (lab: Lab, objects: Readonly<Record<string, string>>) => Promise<R>,
): Promise<R> {
  const lab = await startLab({ hosts: hostsOf(operation) })
  try {
    const objects = await operation.prepare(lab)
    await look(lab)
    return await body(lab, objects)
  } finally {
    await lab.close()
  }
}

/** What the next calls of clients would do: look at every VM and every repository. */
async function look(lab: Lab): Promise<void> {
  await settle(lab)
  for (const sr of lab.services.store.all(SR)) await lab.ok('SR.scan', sr)
  await settle(lab)
}
