import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ApiClient, type Session } from '../support/client.ts'
import { bootableVm, bootImages, endGuests, until } from '../support/machine.ts'
import { ADMIN, type Server, startServer } from '../support/server.ts'
import { asStruct } from '../support/value.ts'

describe('what a guest uses, through XML-RPC alone', () => {
  let folder: string
  let server: Server
  let client: ApiClient
  let session: Session

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'polyvisor-measured-'))
    server = await startServer({ data: join(folder, 'data'), hosts: ['qemu:///system'] })
    client = new ApiClient(server.http)
    session = await client.login(ADMIN.name, ADMIN.password)
  })

  after(async () => {
    client.close()
    await server.stop()
    await endGuests(folder)
    await rm(folder, { recursive: true, force: true })
  })

  const utilisation = async (vm: string): Promise<number> =>
    Number(asStruct(await session.ok('VM.get_VCPUs_utilisation', vm))['0'] ?? 0)

  it('shows while it is busy, and is nothing when it has halted', async () => {
    const [image = ''] = await bootImages(session, join(folder, 'images'), 1, 'busy')
    const vm = await bootableVm(session, 'busy', image)
    assert.equal(await session.text('VM.get_memory_actual', vm), '0')

    await session.ok('VM.start', vm, false)
    await until('its memory to show', async () => {
      const bytes = Number(await session.text('VM.get_memory_actual', vm))
      return bytes === 16 * 1_048_576 ? true : undefined
    })
    await until('its CPU to be busy', async () => ((await utilisation(vm)) > 0.05 ? true : undefined))
    const [host = ''] = await session.list('host.get_all')
    const cpus = await session.list('host.get_host_CPUs', host)
    const loads = await Promise.all(cpus.map(async cpu => Number(await session.ok('host_cpu.get_utilisation', cpu))))
    assert(loads.some(load => load > 0.02) && loads.every(load => load <= 1), loads.join())

    await session.ok('VM.hard_shutdown', vm)
    await until('its figures to be gone', async () =>
      (await session.text('VM.get_memory_actual', vm)) === '0' && (await utilisation(vm)) === 0 ? true : undefined,
    )
  })
})
