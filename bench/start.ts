/** From the start of the process to the first successful login, with 1,000 VMs stored and with none. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiClient, type Session } from '../test/support/client.ts'
import { ADMIN, startServer } from '../test/support/server.ts'
import { median, print } from './measure.ts'

const VMS = 1_000
const CALLERS = 16
const RUNS = 7
const AIM_MS = 500

const folder = await mkdtemp(join(tmpdir(), 'polyvisor-bench-'))
try {
  const empty = await startUp(join(folder, 'empty'), 0)
  const full = await startUp(join(folder, 'full'), VMS)
  const row = { bench: `start-${VMS}-vms`, ours_ms: full, reference_ms: empty, ratio: full / empty, aim_ms: AIM_MS }
  print(row)
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Milliseconds, the median of several starts. */
async function startUp(data: string, vms: number): Promise<number> {
  const first = await startServer({ data, hosts: ['memory:///bench'] })
  await withSession(first.http, async session => {
    let left = vms
    const caller = async () => {
      while (left-- > 0) await session.ok('VM.create', { name_label: `vm-${left}` })
    }
    await Promise.all(Array.from({ length: CALLERS }, caller))
  })
  await first.stop()
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now()
    const server = await startServer({ data, hosts: [] })
    await withSession(server.http, async () => times.push(performance.now() - begin))
    await server.stop()
  }
  return median(times)
}

async function withSession(
  endpoint: Awaited<ReturnType<typeof startServer>>['http'],
  use: (session: Session) => Promise<unknown>,
) {
  const client = new ApiClient(endpoint, CALLERS)
  try {
    await use(await client.login(ADMIN.name, ADMIN.password))
  } finally {
    client.close()
  }
}
