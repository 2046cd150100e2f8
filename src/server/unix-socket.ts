import { chmod, lstat, mkdtemp, rename, rm, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname, join } from 'node:path'

import { ConfigurationError } from './configuration-error.ts'

/** What the kernel has room for, without the closing zero. Source: unix(7), `sun_path`. */
const PATH_BYTES_MAX = 107

/** How long a socket file's owner may take to show that it lives. */
const PROBE_MS = 2000

/**
 * Listens on a socket file that only its owner may open (0600), in place of one that a dead server left behind.
 * Rejects with ConfigurationError where the path is too long, taken by a living server, or no socket.
 *
 * The socket is made in a folder of mode 0700 and moved to its place when its own mode is right. So there is no
 * moment at which others may open it, and none without a socket where there was one. A umask would do the first
 * only, and it is the whole process's: files that other threads create at that moment would get it too.
 */
export async function listenOnUnixSocket(server: Server, path: string): Promise<() => Promise<void>> {
  checkLength(path)
  await checkFree(path)
  const folder = await mkdtemp(`${dirname(path)}/.`).catch((error: unknown) => {
    throw new ConfigurationError(`cannot make the socket ${path}: ${String(error)}`, { cause: error })
  })
  try {
    const made = join(folder, 's')
    checkLength(made)
    await listening(server, made)
    await chmod(made, 0o600)
    await rename(made, path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const own = await lstat(path)
  return async () => {
    const now = await lstat(path).catch(() => undefined)
    if (now?.ino === own.ino && now.dev === own.dev) await unlink(path) // Not one that a later server put there.
  }
}

function checkLength(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= PATH_BYTES_MAX) return
  throw new ConfigurationError(
    `the socket path ${path} has ${bytes} bytes, and ${PATH_BYTES_MAX} are the most that the system takes; choose a shorter one`,
  )
}

async function checkFree(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new ConfigurationError(`${path} exists and is not a socket; remove it or choose another path`)
  }
  if (await isAlive(path)) {
    throw new ConfigurationError(`another server is listening on ${path}; stop it or choose another path`)
  }
}

/** Refusal is the one sign of death: a server that is busy or that we may not talk to lives. */
function isAlive(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    const settle = (alive: boolean) => {
      socket.destroy()
      resolve(alive)
    }
    socket.setTimeout(PROBE_MS, () => settle(true))
    socket.once('connect', () => settle(true))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    )
  })
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
