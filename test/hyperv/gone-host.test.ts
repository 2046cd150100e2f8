import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ApiClient } from '../support/client.ts'
import { ADMIN, startServer } from '../support/server.ts'
import { startHost } from './setting.ts'

test('a host that is gone for good is forgotten with its VMs, whatever ran there', async () => {
  const data = mkdtempSync(join(tmpdir(), 'polyvisor-gone-host-'))
  after(() => rmSync(data, { recursive: true }))
  const host = await startHost('--pace', '0', '--vms', '1')
  const first = await startServer({ hosts: [host.uri.href], data })
  after(() => first.stop())
  after(() => host.sim.close())
  const before = new ApiClient(first.http)
  after(() => before.close())
  const session = await before.login(ADMIN.name, ADMIN.password)
  const [vm = ''] = await session.list('VM.get_by_name_label', 'vm-0001')
  if ((await session.text('VM.get_power_state', vm)) !== 'Running') await session.ok('VM.start', vm, false)
  const place = await session.text('VM.get_resident_on', vm)
  assert.deepEqual(await session.fails('host.remove', place), ['HOST_HAS_RESIDENT_VMS', place])
  await first.stop()
  await host.sim.close()

  const second = await startServer({ data })
  after(() => second.stop())
  const client = new ApiClient(second.http)
  after(() => client.close())
  const again = await client.login(ADMIN.name, ADMIN.password)
  assert.equal(await again.ok('host.get_live', place), false)
  assert.equal(await again.text('VM.get_power_state', vm), 'Unknown')
  await again.ok('host.remove', place)
  assert.deepEqual(await again.list('VM.get_by_name_label', 'vm-0001'), [])
})
