import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { text } from 'node:stream/consumers'

/** A libvirtd of its own: nothing of it is outside its folder. */
export interface Libvirtd {
  readonly folder: string
  readonly connect: () => Promise<Socket>
  readonly stop: () => Promise<void>
}

const COMMAND = '/usr/sbin/libvirtd'
const START_MS = 60_000
const POLL_MS = 20
const NOBODY = 65_534
/** The one driver beside those that are built in, unless guests are to run. */
const DRIVER = 'libvirt_driver_storage.so'
/** It looks at every QEMU of the machine first, which takes seconds. */
const QEMU_DRIVER = 'libvirt_driver_qemu.so'
/** There is no virtlogd here to write logs for it. */
const QEMU_CONF = 'stdio_handler = "file"\nsecurity_driver = "none"\n'
const LIBRARIES = '/usr/lib'

/**
 * Starts a libvirtd as a user who is not root, whose state is in his own folder; `withQemu`, it runs guests for
 * `qemu:///session`. Source: libvirtd(8), FILES.
 */
export async function startLibvirtd({ withQemu = false }: { readonly withQemu?: boolean } = {}): Promise<Libvirtd> {
  // Short, for the sake of the sockets' names, and where every user may go.
  const folder = await mkdtemp('/tmp/pv-')
  const [drivers, settings] = [join(folder, 'drivers'), join(folder, 'libvirt')]
  await mkdir(drivers)
  await mkdir(settings)
  for (const name of withQemu ? [DRIVER, QEMU_DRIVER] : [DRIVER]) {
    await symlink(await findDriver(name), join(drivers, name))
  }
  await writeFile(join(folder, 'conf'), `unix_sock_dir = "${folder}"\n`)
  await writeFile(join(settings, 'qemu.conf'), QEMU_CONF)
  const isRoot = process.getuid?.() === 0
  for (const place of isRoot ? [folder, settings] : []) await chown(place, NOBODY, NOBODY)
  const places = ['XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'HOME']
  const env = { ...Object.fromEntries(places.map(name => [name, folder])), LIBVIRT_DRIVER_DIR: drivers, LC_ALL: 'C' }
  const child = spawn(COMMAND, ['-f', join(folder, 'conf'), '-p', join(folder, 'pid')], {
    env: { ...env, PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(isRoot && { uid: NOBODY, gid: NOBODY }),
  })
  const exited = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  const said = text(child.stderr)
  const path = join(folder, 'libvirt-sock')
  for (let waitedMs = 0; !(await exists(path)); waitedMs += POLL_MS) {
    if (child.exitCode !== null || waitedMs > START_MS) {
      await stop()
      throw new Error(`libvirtd does not start: ${await said}`)
    }
    await sleep(POLL_MS)
  }
  return { folder, connect: () => connected(path), stop }
}

/** Where Debian puts it, in the folder of whichever architecture this is. */
async function findDriver(name: string): Promise<string> {
  for (const triplet of await readdir(LIBRARIES)) {
    const path = join(LIBRARIES, triplet, 'libvirt', 'connection-driver', name)
    if (await exists(path)) return path
  }
  throw new Error(`there is no ${name} below ${LIBRARIES}`)
}

async function connected(path: string): Promise<Socket> {
  const socket = connect(path)
  await once(socket, 'connect')
  return socket
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
