import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import {
  VIR_DOMAIN_CONSOLE_FORCE,
  VIR_DOMAIN_CONSOLE_SAFE,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
} from '../../src/libvirt/index.ts'
import { defined, rejectsWith, until, world } from './world.ts'

/** What a line brings until it ends. */
async function everything(line: Duplex): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of line) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

// Proves: virDomainOpenConsole
test('a console takes what is typed and gives what the guest prints, until the domain stops', async () => {
  const { connection } = await world()
  const domain = await defined(connection)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.openConsole())
  await domain.create()

  const line = await domain.openConsole('serial0', VIR_DOMAIN_CONSOLE_SAFE)
  const said = everything(line)
  line.write('p')

  assert.match(await said, /BYE\r\n$/)
  await until(async () => !(await domain.isActive()))
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.openConsole('parallel0'), /cannot find character device parallel0/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.openConsole(undefined, 4), /0x4/)
})

test('one at a time has a console, whichever connection it came by, and loses it to whoever takes it by force', async () => {
  const { connection, again } = await world()
  const domain = await defined(connection)
  const other = await (await again()).domainLookupByUUID(domain.getUUIDString())
  await domain.create()

  const first = await domain.openConsole()
  await rejectsWith(VIR_ERR_OPERATION_FAILED, other.openConsole(), /Active console session exists for this domain$/)
  const second = await other.openConsole(undefined, VIR_DOMAIN_CONSOLE_FORCE)

  await assert.rejects(everything(first), { code: VIR_ERR_OPERATION_FAILED, message: /somebody else/ })
  await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.openConsole())
  second.destroy()
  await once(second, 'close')
  const third = await domain.openConsole()
  third.destroy()
})

test('of those who take a console by force at once, the last one has it', async () => {
  const { connection } = await world()
  const domain = await defined(connection)
  await domain.create()

  const force = () => domain.openConsole(undefined, VIR_DOMAIN_CONSOLE_FORCE)
  const lines = await Promise.all([force(), force(), force()])

  await until(() => lines.filter(line => !line.destroyed).length === 1)
  assert.equal(lines.at(-1)?.destroyed, false)
  lines.at(-1)?.destroy()
})
