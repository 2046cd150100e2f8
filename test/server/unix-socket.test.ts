import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { lstat, readdir, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'

import { client, folder, post, start, statusOf, text } from './world.ts'

const urlOf = (path: string) => `unix://${path}?dialect=1`

/** Leaves the socket of a server that was killed. */
async function leaveStale(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  await once(spawn(process.execPath, ['-e', script, path], { stdio: 'ignore' }), 'exit')
  assert.ok((await lstat(path)).isSocket())
}

test('a Unix socket serves requests, is its owner’s alone, and goes with the server', async context => {
  const path = join(await folder(context), 'xenapi.sock')
  const server = await start(context, {
    urls: [urlOf(path)],
    handle: async ({ transport, dialect, remoteAddress }) => text(`${transport} ${dialect} [${remoteAddress}]`),
  })
  const raw = client(context, path)

  raw.send(post('x'))
  const answer = await raw.until(/unix 1 \[\]/)
  const { mode } = await lstat(path)
  await server.close(0)

  assert.equal(statusOf(answer), 200)
  assert.equal(mode & 0o777, 0o600)
  assert.deepEqual(server.addresses, [{ url: `unix://${path}`, dialect: '1' }])
  assert.equal(existsSync(path), false)
})

test('there is no moment at which others could open the socket', async context => {
  const dir = await folder(context)
  const path = join(dir, 'xenapi.sock')
  const seen = new Set<string>()
  const watch = { isOn: true }
  const look = async () => {
    while (watch.isOn) {
      for (const name of await readdir(dir)) {
        const found = await lstat(join(dir, name)).catch(() => undefined)
        if (found !== undefined)
          seen.add(`${found.isSocket() ? 'socket' : 'folder'} ${(found.mode & 0o777).toString(8)}`)
      }
    }
  }

  const watching = look()
  for (let round = 0; round < 20; round++) await (await start(context, { urls: [urlOf(path)] })).close(0)
  watch.isOn = false
  await watching

  for (const what of seen) assert.ok(what === 'socket 600' || what === 'folder 700', what)
  assert.deepEqual(await readdir(dir), [])
})

test('the socket of a dead server is replaced', async context => {
  const path = join(await folder(context), 'xenapi.sock')
  await leaveStale(path)

  await start(context, { urls: [urlOf(path)] })
  const raw = client(context, path)
  raw.send(post('alive'))

  assert.equal(statusOf(await raw.until(/alive$/)), 200)
})

test('the socket of a living server is left to it', async context => {
  const path = join(await folder(context), 'xenapi.sock')
  await start(context, { urls: [urlOf(path)] })

  const second = start(context, { urls: ['http://127.0.0.1:0', urlOf(path)] })

  await assert.rejects(second, { name: 'ConfigurationError', message: /another server is listening on .*xenapi\.sock/ })
  const raw = client(context, path)
  raw.send(post('first'))
  assert.equal(statusOf(await raw.until(/first$/)), 200)
})

test('a file that is no socket is left alone', async context => {
  const path = join(await folder(context), 'xenapi.sock')
  await writeFile(path, 'precious')

  await assert.rejects(start(context, { urls: [urlOf(path)] }), { message: /is not a socket; remove it/ })
  assert.equal((await lstat(path)).size, 8)
})

test('a path that the system cannot take is refused with the limit', async context => {
  const path = join(await folder(context), 'x'.repeat(100))

  await assert.rejects(start(context, { urls: [urlOf(path)] }), {
    name: 'ConfigurationError',
    message: /has \d+ bytes, and 107 are the most/,
  })
})

test('a folder that is not there is named', async context => {
  const path = join(await folder(context), 'none', 'xenapi.sock')

  await assert.rejects(start(context, { urls: [urlOf(path)] }), {
    name: 'ConfigurationError',
    message: /cannot make the socket .*none\/xenapi\.sock/,
  })
})

test('a server that ends does not remove the socket of the one that came after it', async context => {
  const dir = await folder(context)
  const path = join(dir, 'xenapi.sock')
  const first = await start(context, { urls: [urlOf(path)] })
  const next = createServer()
  await new Promise<void>(resolve => void next.listen(`${path}.next`, resolve))
  await rename(`${path}.next`, path)

  await first.close(0)

  assert.ok((await lstat(path)).isSocket())
  await new Promise<void>(resolve => void next.close(() => resolve()))
})
