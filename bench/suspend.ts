/** Suspending a Linux guest of 128 MiB and resuming it, against booting it; both through the API. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kernel, GREETING, MEMORY_BYTES, CONSOLE, writeInitrd } from '../test/guests/linux.ts'
import { ApiClient } from '../test/support/client.ts'
import { endGuests, printed, serialOutput } from '../test/support/machine.ts'
import { ADMIN, startServer } from '../test/support/server.ts'
import { median, print } from './measure.ts'

const RUNS = 3

const folder = await mkdtemp(join(tmpdir(), 'polyvisor-bench-'))
const server = await startServer({ data: join(folder, 'data'), hosts: ['qemu:///system'] })
const client = new ApiClient(server.http)
try {
  const session = await client.login(ADMIN.name, ADMIN.password)
  const initrd = join(folder, 'initrd')
  await writeInitrd(initrd)
  const vm = await session.text('VM.create', {
    name_label: 'linux',
    memory_static_max: String(MEMORY_BYTES),
    boot_method: 'kernel_external',
    kernel_kernel: await kernel(),
    kernel_initrd: initrd,
    kernel_args: `${CONSOLE} quiet`,
  })
  const [boots, suspensions, resumptions]: [number[], number[], number[]] = [[], [], []]
  for (let run = 0; run < RUNS; run++) {
    const from = (await serialOutput(session, vm)).length
    boots.push(await timed(() => session.ok('VM.start', vm, false).then(() => printed(session, vm, GREETING, from))))
    suspensions.push(await timed(() => session.ok('VM.suspend', vm, false)))
    resumptions.push(await timed(() => session.ok('VM.resume', vm, false)))
    await session.ok('VM.hard_shutdown', vm)
  }
  const [suspend_ms, resume_ms, reference_ms] = [median(suspensions), median(resumptions), median(boots)]
  const ratio = (suspend_ms + resume_ms) / reference_ms
  print({ bench: 'suspend-resume', suspend_ms, resume_ms, reference_ms, ratio })
} finally {
  client.close()
  await server.stop()
  await endGuests(folder)
  await rm(folder, { recursive: true, force: true })
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return performance.now() - begin
}
