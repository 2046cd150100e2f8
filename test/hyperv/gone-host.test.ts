import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { atEnd } from '../support/at-end.ts'
import { ApiClient } from '../support/client.ts'
import { ADMIN, startServer } from '../support/server.ts'
import { startHost } from './setting.ts'

test('a host that stops answering shows it, and is forgotten with its VMs, whatever ran there', async context => {
  const data = mkdtempSync(join(tmpdir(), 'polyvisor-gone-host-'))
  atEnd(context, () => rmSync(data, { recursive: true }))
  const host = await startHost('--pace', '0', '--vms', '1')
  const first = await startServer({ hosts: [host.uri.href], data })
  atEnd(context, () => first.stop())
  atEnd(context, () => host.sim.close())
  const before = new ApiClient(first.http)
  atEnd(context, () => before.close())
  const session = await before.login(ADMIN.name, ADMIN.password)
  const [vm = ''] = await session.list('VM.get_by_name_label', 'vm-0001')
  if ((await session.text('VM.get_power_state', vm)) !== 'Running') await session.ok('VM.start', vm, false)
  const place = await session.text('VM.get_resident_on', vm)
  await host.sim.close()
  await session.fails('VM.pause', vm)
  await until(async () => (await session.ok('host.get_live', place)) === false)
  await first.stop()

  const second = await startServer({ data })
  atEnd(context, () => second.stop())
  const client = new ApiClient(second.http)
  atEnd(context, () => client.close())
  const again = await client.login(ADMIN.name, ADMIN.password)
  assert.equal(await again.ok('host.get_live', place), false)
  assert.equal(await again.text('VM.get_power_state', vm), 'Unknown')
  await again.ok('host.remove', place)
  assert.deepEqual(await again.list('VM.get_by_name_label', 'vm-0001'), [])
})

test('a host that is managed by others too is let go with all that runs there, and taken up again as it is', async context => {
  const host = await startHost('--pace', '0', '--vms', '1')
  atEnd(context, () => host.sim.close())
  const server = await startServer({ hosts: [host.uri.href] })
  atEnd(context, () => server.stop())
  const client = new ApiClient(server.http)
  atEnd(context, () => client.close())
  const session = await client.login(ADMIN.name, ADMIN.password)
  const [vm = ''] = await session.list('VM.get_by_name_label', 'vm-0001')
  if ((await session.text('VM.get_power_state', vm)) !== 'Running') await session.ok('VM.start', vm, false)

  await session.ok('host.remove', await session.text('VM.get_resident_on', vm))
  assert.deepEqual(await session.list('VM.get_by_name_label', 'vm-0001'), [])
  await session.ok('host.add', host.uri.href)
  const [again = ''] = await session.list('VM.get_by_name_label', 'vm-0001')
  assert.equal(await session.text('VM.get_power_state', again), 'Running')
})

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await isSo())) {
    assert(performance.now() < deadline, 'not within 20 s')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
