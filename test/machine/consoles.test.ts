import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createWebSocketStream, WebSocket } from 'ws'
import { GREETING } from '../guests/boot-sector.ts'
import * as linux from '../guests/linux.ts'
import { writeShellInitrd } from '../guests/linux-shell.ts'
import { ApiClient, type Session } from '../support/client.ts'
import { bootableVm, bootImages, endGuests, printed, reached } from '../support/machine.ts'
import { takePicture } from '../support/rfb.ts'
import { Screen } from '../support/screen.ts'
import { ADMIN, type Server, startServer } from '../support/server.ts'
import { asStruct } from '../support/value.ts'
import { LAUNCHER } from '../cli/world.ts'

describe('consoles of real guests, through the server', () => {
  let folder: string
  let server: Server
  let client: ApiClient
  let session: Session
  let images: readonly string[]
  const sockets: WebSocket[] = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'polyvisor-console-'))
    server = await startServer({ data: join(folder, 'data'), hosts: ['qemu:///system'] })
    client = new ApiClient(server.http)
    session = await client.login(ADMIN.name, ADMIN.password)
    images = await bootImages(session, join(folder, 'images'), 3)
  })

  after(async () => {
    for (const socket of sockets) socket.terminate()
    client.close()
    await server.stop()
    await endGuests(folder)
    await rm(folder, { recursive: true, force: true })
  })

  function dial(path: string, transport: 'http' | 'https' | 'unix', as: Session, protocols = ['binary']): WebSocket {
    const at = server[transport]
    const origin =
      at.transport === 'unix'
        ? `ws+unix:${at.socketPath}:`
        : `ws${at.transport === 'https' ? 's' : ''}://${at.host}:${at.port}`
    const headers = protocols.length === 1 ? { Authorization: `Bearer ${as.ref}` } : {}
    const socket = new WebSocket(`${origin}${path}`, protocols, { headers, rejectUnauthorized: false })
    sockets.push(socket)
    socket.on('error', () => undefined) // One that was refused says so again when it is ended.
    return socket
  }

  /** To be made before the socket is open, or what comes first is missed. */
  const streamOf = (socket: WebSocket) => createWebSocketStream(socket).on('error', () => undefined)

  const consolesOf = async (vm: string) => asStruct(await session.ok('VM.list_consoles', vm))

  async function running(name: string, image: number): Promise<string> {
    const vm = await bootableVm(session, name, images[image] ?? '')
    await session.ok('VM.start', vm, false)
    await printed(session, vm, GREETING)
    return vm
  }

  // Proves: VM.list_consoles
  it('lists the consoles that a VM has now', async () => {
    const vm = await bootableVm(session, 'listed', images[0] ?? '')
    assert.deepEqual(await consolesOf(vm), {})

    await session.ok('VM.start', vm, false)

    assert.deepEqual(await consolesOf(vm), { serial: `/console/${vm}/serial`, vnc: `/console/${vm}/vnc` })
    await session.ok('VM.hard_shutdown', vm)
    assert.deepEqual(await consolesOf(vm), {})
    const refused = dial(`/console/${vm}/serial`, 'http', session)
    const [, response] = await once(refused, 'unexpected-response')
    assert.equal(response.statusCode, 409)
    await session.ok('VM.delete', vm)
  })

  it('answers what is typed on the serial console, to all who look', async () => {
    const initrd = join(folder, 'shell.cpio')
    await writeShellInitrd(initrd)
    const vm = await session.text('VM.create', {
      name_label: 'shell',
      memory_static_max: String(linux.MEMORY_BYTES),
      boot_method: 'kernel_external',
      kernel_kernel: await linux.kernel(),
      kernel_initrd: initrd,
      kernel_args: `${linux.CONSOLE} quiet`,
    })
    await session.ok('VM.start', vm, false)
    const path = `/console/${vm}/serial`
    const browser = dial(path, 'https', session, ['binary', `session.${session.ref}`])
    const viewers = [dial(path, 'http', session), dial(path, 'unix', session), browser]
    const screens = viewers.map(socket => new Screen(streamOf(socket)))
    await Promise.all(viewers.map(socket => once(socket, 'open')))
    await printed(session, vm, linux.GREETING)

    viewers[0]?.send('echo $((6 * 7))-is-the-answer\n')

    for (const screen of screens) await screen.shows('42-is-the-answer')
    const closed = screens.map(screen => screen.untilEnd())
    await session.ok('VM.hard_shutdown', vm)
    await Promise.all(closed)
  })

  it('shows the display to a VNC client', async () => {
    const vm = await running('display', 1)
    const socket = dial(`/console/${vm}/vnc`, 'http', session)
    const closing = once(socket, 'close')

    const { name, width, height } = await takePicture(streamOf(socket))

    assert.match(name, /display/)
    assert.ok(width >= 320 && height >= 200, `${width} by ${height}`)
    await session.ok('VM.hard_shutdown', vm)
    assert.equal((await closing)[0], 1000)
  })

  it('ends when its session does, and goes on for the sessions of others', async () => {
    const vm = await running('watched', 2)
    const other = await client.login(ADMIN.name, ADMIN.password)
    const mine = dial(`/console/${vm}/serial`, 'http', session)
    const theirs = dial(`/console/${vm}/serial`, 'http', other)
    await Promise.all([mine, theirs].map(socket => once(socket, 'open')))
    const closing = once(theirs, 'close')

    await other.ok('session.logout')

    const [code, reason] = await closing
    assert.equal(code, 1008)
    assert.equal(String(reason), 'the session has ended')
    await once(mine, 'message')
    assert.doesNotMatch(server.log(), new RegExp(other.ref))
    assert.equal(mine.readyState, WebSocket.OPEN)
  })

  it('is typed at from the command line, over TLS with a pinned certificate too, until Ctrl-]', async () => {
    const vm = (await session.list('VM.get_by_name_label', 'watched'))[0] ?? assert.fail()
    const password = join(folder, 'password')
    await writeFile(password, ADMIN.password)
    const [, fingerprint = ''] = /"fingerprint":"([^"]+)"/.exec(server.log()) ?? []
    const { https } = server
    const url = https.transport === 'unix' ? assert.fail() : `https://${https.host}:${https.port}`
    const start = (words: readonly string[]): ChildProcessWithoutNullStreams =>
      spawn(process.execPath, [LAUNCHER, ...words, '--password-file', password, 'vm', 'console', 'watched'], {
        env: { PATH: process.env['PATH'], HOME: folder },
      })

    for (const words of [
      ['--url', url, '--fingerprint', fingerprint],
      ['--url', `unix://${server.data}/x.sock`],
    ]) {
      const child = start(words)
      const [shown, told] = [new Screen(child.stdout), new Screen(child.stderr)]
      await told.shows('Connected')
      await shown.shows('TICK')
      child.stdin.write('r\x1d')
      assert.deepEqual(await once(child, 'exit'), [0, null], told.text)
    }
    assert.equal(await session.text('VM.get_power_state', vm), 'Running')

    const last = start(['--url', url, '--fingerprint', fingerprint])
    const [shown, told] = [new Screen(last.stdout), new Screen(last.stderr)]
    await shown.shows('TICK')
    last.stdin.write('p')
    assert.deepEqual(await once(last, 'exit'), [0, null], told.text)
    assert.match(shown.text, /BYE/)
    assert.match(await told.untilEnd(), /the VM has halted/)
    await reached(session, vm, 'Halted')
    const refused = start(['--url', url, '--fingerprint', fingerprint])
    const refusal = new Screen(refused.stderr)
    assert.deepEqual(await once(refused, 'exit'), [1, null])
    assert.match(await refusal.untilEnd(), /no serial console now/)
  })
})
