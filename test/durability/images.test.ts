import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiClient, readAnswer, Session } from '../support/client.ts'
import { ADMIN, type Server, startServer } from '../support/server.ts'
import { asString, asStruct } from '../support/value.ts'

const KILLS = 12
const KILL_MS_MAX = 250
const DISKS = 3

/** What the server was killed in the middle of. */
interface Begun {
  readonly method: string
  readonly task: string
}

async function withSession<R>(server: Server, secret: string, use: (session: Session) => Promise<R>): Promise<R> {
  const client = new ApiClient(server.http, 4)
  try {
    return await use(new Session(client, secret))
  } finally {
    client.close()
  }
}

/** A session that outlives the server. */
async function login(server: Server): Promise<string> {
  const client = new ApiClient(server.http)
  try {
    return (await client.login(ADMIN.name, ADMIN.password)).ref
  } finally {
    client.close()
  }
}

/** A VM with several disks, in a repository of its own. */
async function makeVm(session: Session, location: string): Promise<{ vm: string; sr: string; vdis: string[] }> {
  const sr = await session.text('SR.create', { type: 'dir', location, name_label: 'shelf' })
  const vm = await session.text('VM.create', { name_label: 'original' })
  const vdis: string[] = []
  for (let disk = 0; disk < DISKS; disk++) {
    const VDI = await session.text('VDI.create', { SR: sr, virtual_size: '2048' })
    await session.text('VBD.create', { VM: vm, VDI })
    vdis.push(VDI)
  }
  return { vm, sr, vdis }
}

/** The images that a task which succeeded has made. */
async function madeBy(session: Session, { method, task }: Begun): Promise<readonly string[]> {
  const { Result } = asStruct(await session.ok('task.GetStatus', task))
  const answer = readAnswer(Result ?? '')
  if (answer.status === 'Failure') {
    assert.deepEqual(answer.error.slice(0, 3), ['TASK_INTERRUPTED', task, method], answer.error.join(' '))
    return []
  }
  const made = asString(answer.value)
  if (method === 'SR.clone') return session.list('SR.get_VDIs', made)
  if (method !== 'VM.clone') return [made]
  const vbds = await session.list('VM.get_VBDs', made)
  return Promise.all(vbds.map(vbd => session.text('VBD.get_VDI', vbd)))
}

// Proves: task.get_status, VM.clone, SR.clone, VDI.snapshot
test(`${KILLS} times killed while images are made, the server leaves none that nobody asked for`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-images-'))
  const [data, shelf] = [join(folder, 'data'), join(folder, 'shelf')]
  let server = await startServer({ data, hosts: ['qemu:///system'] })
  try {
    const secret = await login(server)
    const { vm, sr, vdis } = await withSession(server, secret, session => makeVm(session, shelf))
    const expected = new Set(vdis)

    for (let kill = 0; kill < KILLS; kill++) {
      const copy = join(folder, `copy-${kill}`)
      const begun = await withSession(server, secret, async session => {
        const begin = async (method: string, ...params: readonly (string | Readonly<Record<string, string>>)[]) => ({
          method,
          task: await session.text(`Async.${method}`, ...params),
        })
        return Promise.all([
          begin('VM.clone', vm, `clone ${kill}`),
          begin('VDI.create', { SR: sr, virtual_size: '2048' }),
          begin('VDI.snapshot', vdis[kill % DISKS] ?? ''),
          begin('SR.clone', sr, copy, `copy ${kill}`),
        ])
      })
      await sleep(Math.random() * KILL_MS_MAX)
      await server.kill()
      server = await startServer({ data, hosts: [] })

      await withSession(server, secret, async session => {
        for (const one of begun) for (const vdi of await madeBy(session, one)) expected.add(vdi)
        for (const place of await session.list('SR.get_all')) await session.ok('SR.scan', place)
        const present = await session.list('VDI.get_all')
        assert.deepEqual(
          [...expected].filter(vdi => !present.includes(vdi)),
          [],
          `lost after ${kill + 1} kills`,
        )
        // What was done just before the end of its task could be written down stays; it has a record, and was not found
        // by a scan, which names an image after its file.
        for (const vdi of present.filter(other => !expected.has(other))) {
          assert.notEqual(await session.text('VDI.get_name_label', vdi), vdi, `orphaned after ${kill + 1} kills`)
          expected.add(vdi)
        }
      })
    }

    await withSession(server, secret, deleteAll)
    for (const place of (await readdir(folder)).filter(name => name !== 'data')) {
      assert.deepEqual(await readdir(join(folder, place)), [], place)
    }
    assert.equal(await server.stop(), 0)
  } finally {
    await server.kill()
    await rm(folder, { recursive: true, force: true })
  }
})

/** Deletes all VMs and all images, those first that no other is the parent of. */
async function deleteAll(session: Session): Promise<void> {
  for (const vm of await session.list('VM.get_all')) await session.ok('VM.delete', vm)
  let left = await session.list('VDI.get_all')
  while (left.length > 0) {
    for (const vdi of left) {
      if ((await session.list('VDI.get_children', vdi)).length === 0) await session.ok('VDI.delete', vdi)
    }
    const now = await session.list('VDI.get_all')
    assert.ok(now.length < left.length)
    left = now
  }
}
