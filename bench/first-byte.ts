/**
 * From VM.start to the guest's first serial byte, against the very command line that the driver used, run by hand.
 * The two take turns, so that what else the machine does weighs on both.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiClient } from '../test/support/client.ts'
import { bootableVm, bootImages, endGuests } from '../test/support/machine.ts'
import { ADMIN, startServer } from '../test/support/server.ts'
import { commandOf, startByHand, startThroughApi } from './by-hand.ts'
import { median, print } from './measure.ts'

const RUNS = 15
const AIM = 1.15

const folder = await mkdtemp(join(tmpdir(), 'polyvisor-bench-'))
const server = await startServer({ data: join(folder, 'data'), hosts: ['qemu:///system'] })
const client = new ApiClient(server.http)
try {
  const session = await client.login(ADMIN.name, ADMIN.password)
  const [vdi = ''] = await bootImages(session, join(folder, 'images'), 1)
  const vm = await bootableVm(session, 'bench', vdi)
  const command = await commandOf(server, session, vm)
  const [ours, byHand]: [number[], number[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    ours.push(await startThroughApi(server, session, vm))
    await session.ok('VM.hard_shutdown', vm)
    byHand.push(await startByHand(server, vm, command))
  }
  const [ours_ms, reference_ms] = [median(ours), median(byHand)]
  print({ bench: 'start-to-first-byte', ours_ms, reference_ms, ratio: ours_ms / reference_ms, aim: AIM })
} finally {
  client.close()
  await server.stop()
  await endGuests(folder)
  await rm(folder, { recursive: true, force: true })
}
