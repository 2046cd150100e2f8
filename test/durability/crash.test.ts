import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GREETING } from '../guests/boot-sector.ts'
import { ApiClient, type Session } from '../support/client.ts'
import { bootableVm, bootImages, endGuests, printed, qemuProcesses } from '../support/machine.ts'
import { ADMIN, type Server, startServer } from '../support/server.ts'

const KILLS = 25
const WRITERS = 8
const WRITING_MS = { least: 40, most: 300 }

/** What a writer knows of a value: the last one acknowledged, and the one that was under way. */
interface Written {
  acknowledged: string
  underWay: string
}

/** The objects that the writers change. */
interface World {
  readonly vms: readonly string[]
  readonly networks: readonly string[]
  readonly vifs: readonly string[]
  readonly labels: ReadonlyMap<string, Written>
  readonly owners: ReadonlyMap<string, Written>
  readonly places: ReadonlyMap<string, Written>
}

test(`${KILLS} times killed in the middle of concurrent writes, the server loses nothing that it acknowledged`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-crash-'))
  const data = join(folder, 'data')
  let server = await startServer({ data, hosts: ['qemu:///system'] })
  try {
    const world = await withSession(server, session => makeWorld(session))
    const guests = await withSession(server, session => startGuests(session, join(folder, 'images')))
    const processes = await qemuProcesses(data)
    assert.equal(processes.length, guests.size)

    for (let kill = 0; kill < KILLS; kill++) {
      const writing = writeConcurrently(server, world)
      await sleep(WRITING_MS.least + Math.random() * (WRITING_MS.most - WRITING_MS.least))
      await server.kill()
      await writing
      server = await startServer({ data, hosts: [] })
      await withSession(server, session => compare(session, world))
      await withSession(server, session => compareGuests(session, guests))
      assert.deepEqual(await qemuProcesses(data), processes, 'the guests run on as they were')
    }

    await withSession(server, async session => {
      for (const [vm, state] of guests) if (state !== 'Halted') await session.ok('VM.hard_shutdown', vm)
    })
    assert.deepEqual(await qemuProcesses(data), [])
    assert.equal(await server.stop(), 0)
  } finally {
    await server.kill()
    await endGuests(folder)
    await rm(folder, { recursive: true, force: true })
  }
})

async function withSession<R>(server: Server, use: (session: Session) => Promise<R>): Promise<R> {
  const client = new ApiClient(server.http, WRITERS)
  try {
    return await use(await client.login(ADMIN.name, ADMIN.password))
  } finally {
    client.close()
  }
}

async function makeWorld(session: Session): Promise<World> {
  const each = (make: (index: number) => Promise<string>) =>
    Promise.all(Array.from({ length: WRITERS }, (_, index) => make(index)))
  const vms = await each(index => session.text('VM.create', { name_label: `vm-${index}-0` }))
  const networks = await each(index => session.text('network.create', { name_label: `network ${index}` }))
  const vifs = await each(index => session.text('VIF.create', { VM: vms[index] ?? '', network: networks[index] ?? '' }))
  const written = (refs: readonly string[], first: (index: number) => string) =>
    new Map(refs.map((ref, index) => [ref, { acknowledged: first(index), underWay: first(index) }]))
  return {
    vms,
    networks,
    vifs,
    labels: written(vms, index => `vm-${index}-0`),
    owners: written(vifs, index => vms[index] ?? ''),
    places: written(vifs, index => networks[index] ?? ''),
  }
}

/** One guest running, one paused, one never started. */
async function startGuests(session: Session, folder: string): Promise<ReadonlyMap<string, string>> {
  const images = await bootImages(session, folder, 2)
  const [running = '', paused = ''] = await Promise.all(
    images.map((vdi, index) => bootableVm(session, `guest ${index}`, vdi)),
  )
  await session.ok('VM.start', running, false)
  await session.ok('VM.start', paused, true)
  await printed(session, running, GREETING)
  return new Map([
    [running, 'Running'],
    [paused, 'Paused'],
  ])
}

/** Every writer changes its own name, and hangs its own interface from VM to VM and from network to network. */
async function writeConcurrently(server: Server, world: World): Promise<void> {
  const client = new ApiClient(server.http, WRITERS)
  const writer = async (session: Session, index: number) => {
    const [vm = '', vif = ''] = [world.vms[index], world.vifs[index]]
    for (let round = 1; ; round++) {
      const pick = (refs: readonly string[]) => refs[(index + round) % refs.length] ?? ''
      await write(world.labels, vm, `vm-${index}-${round}-${Math.random()}`, value =>
        session.ok('VM.set_name_label', vm, value),
      )
      // Both ends of a bound pair are written in turn.
      const owner = pick(world.vms)
      await write(world.owners, vif, owner, value =>
        round % 2 === 0 ? session.ok('VIF.set_VM', vif, value) : session.ok('VM.add_to_VIFs', value, vif),
      )
      await write(world.places, vif, pick(world.networks), value => session.ok('VIF.set_network', vif, value))
    }
  }
  try {
    const session = await client.login(ADMIN.name, ADMIN.password)
    await Promise.allSettled(world.vms.map((_, index) => writer(session, index))) // Each ends with its connection.
  } catch {
    // The server was killed before the login was answered.
  } finally {
    client.close()
  }
}

async function write(
  of: ReadonlyMap<string, Written>,
  ref: string,
  value: string,
  send: (value: string) => Promise<unknown>,
) {
  const written = of.get(ref)
  if (written === undefined) throw new TypeError(`nothing is known of ${ref}`)
  written.underWay = value
  await send(value)
  written.acknowledged = value
}

/** What is there now is what was acknowledged, or what was under way; from here on it is what counts. */
async function compare(session: Session, world: World): Promise<void> {
  for (const [of, getter] of [
    [world.labels, 'VM.get_name_label'],
    [world.owners, 'VIF.get_VM'],
    [world.places, 'VIF.get_network'],
  ] as const) {
    for (const [ref, written] of of) {
      const found = await session.text(getter, ref)
      assert.ok(
        [written.acknowledged, written.underWay].includes(found),
        `${getter}(${ref}) is ${found}: ${JSON.stringify(written)}`,
      )
      written.acknowledged = written.underWay = found
    }
  }
  for (const [holders, getter, owners] of [
    [world.vms, 'VM.get_VIFs', world.owners],
    [world.networks, 'network.get_VIFs', world.places],
  ] as const) {
    for (const holder of holders) {
      const expected = world.vifs.filter(vif => owners.get(vif)?.acknowledged === holder)
      assert.deepEqual([...(await session.list(getter, holder))].sort(), expected.sort(), `both ends of ${getter}`)
    }
  }
}

async function compareGuests(session: Session, guests: ReadonlyMap<string, string>): Promise<void> {
  for (const [vm, state] of guests) assert.equal(await session.text('VM.get_power_state', vm), state)
}
