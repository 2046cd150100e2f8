import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { LAUNCHER, outcomeOf, ROOT_PASSWORD, startWorld, type World } from './world.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

const password = () => ({ env: { POLYVISOR_PASSWORD: ROOT_PASSWORD } })

test('login keeps a session in a file of mode 0600, until logout', async () => {
  const url = ['--url', world.http]
  const loggedIn = await world.cli(['login', ...url], password())
  const sessions = join(world.folder, 'state', 'polyvisor', 'sessions')
  const [file = ''] = await readdir(sessions)

  assert.equal(loggedIn.out, `logged in at ${world.http} as root\n`)
  assert.equal((await stat(join(sessions, file))).mode & 0o777, 0o600)
  assert.equal((await world.cli(['vm', 'list', ...url])).code, 0)
  const { session } = JSON.parse(await readFile(join(sessions, file), 'utf8'))
  assert.equal((await world.cli(['logout', ...url])).out, `logged out at ${world.http}\n`)
  assert.deepEqual(await readdir(sessions), [])
  assert.equal((await world.cli(['logout', ...url])).out, `not logged in at ${world.http}\n`)
  await writeFile(join(sessions, file), JSON.stringify({ url: world.http, user: 'root', session }))
  const ended = await world.cli(['vm', 'list', ...url], password())
  assert.equal(ended.code, 0, 'a session that the server has ended is forgotten, and the password used')
  assert.deepEqual(await readdir(sessions), [])
})

test('without a password the command says which ways there are', async () => {
  const { code, err } = await world.cli(['vm', 'list', '--url', world.http])

  assert.equal(code, 1)
  assert.match(
    err,
    /^error: no password for root at http:.*\nhint: set POLYVISOR_PASSWORD, .*polyvisor login; .* --data DIR or POLYVISOR_DATA\n$/,
  )
})

test('a wrong password is refused, and not repeated', async () => {
  const { code, err } = await world.cli(['vm', 'list', '--url', world.http], { env: { POLYVISOR_PASSWORD: 'wr0ng' } })

  assert.equal(code, 1)
  assert.match(err, /^error: SESSION_AUTHENTICATION_FAILED: No such user, or not that user’s password\.\nhint: /)
  assert.ok(!err.includes('wr0ng'))
})

test('a password is asked for on a terminal and shown nowhere', async () => {
  const command = `"${process.execPath}" "${LAUNCHER}" host list --url ${world.http}`
  const env = { PATH: process.env['PATH'] ?? '', HOME: world.folder, TERM: 'dumb', NODE_TEST_CONTEXT: '' }
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: 'pipe', env })
  terminal.stdout.on('data', chunk => {
    if (String(chunk).includes('Password of root at')) terminal.stdin.write(`${ROOT_PASSWORD}\n`)
  })
  const shown: string[] = []
  terminal.stdout.on('data', chunk => shown.push(String(chunk)))
  await new Promise(resolve => terminal.once('exit', resolve))

  assert.match(shown.join(''), /^Password of root at http:[^\n]*\r?\n[^]*lab +/)
  assert.ok(!shown.join('').includes(ROOT_PASSWORD))
})

test('a command names the way to start a server where none answers', async () => {
  const free = await closedPort()
  const http = await world.cli(['vm', 'list', '--url', `http://127.0.0.1:${free}`])
  const unix = await world.cli(['vm', 'list', '--data', world.folder])

  assert.equal(http.code, 1)
  assert.match(http.err, /^error: no answer from http:.* nothing listens there; start a server with "polyvisor serve"/)
  assert.equal(unix.code, 1)
  assert.match(unix.err, /^error: no server has served from .*\nhint: start one with: polyvisor serve --data /)
})

test('a URL that is none is an error of usage, and a password in one is not repeated', async () => {
  const odd = await world.cli(['vm', 'list', '--url', 'ftp://example.org'])
  const secret = await world.cli(['vm', 'list', '--url', 'http://ada:s3cret@example.org'])

  assert.deepEqual([odd.code, secret.code], [2, 2])
  assert.ok(!secret.err.includes('s3cret'))
})

test('a local secret that cannot be read says what to do', async () => {
  const data = join(world.folder, 'unreadable')
  await mkdir(join(data, 'local-secret'), { recursive: true }) // A folder, so that root cannot read it either.
  await symlink(join(world.data, 'xenapi.sock'), join(data, 'xenapi.sock'))

  const { code, err } = await world.cli(['vm', 'list', '--data', data])
  assert.equal(code, 1)
  assert.match(err, /^error: no password for root at unix:.*\nhint: .*cannot be read; run as the user that runs/)
})

test('https needs the server to be trusted: by its CA file, its fingerprint, or a sight of its data directory', async () => {
  const list = ['host', 'list', '--url', world.https]
  const cacert = join(world.data, 'tls', 'self-signed.crt')
  const { fingerprint256 } = new X509Certificate(await readFile(cacert))
  const other = createHash('sha256').update('another').digest('hex')
  const elsewhere = { env: { POLYVISOR_DATA: world.folder, POLYVISOR_PASSWORD: ROOT_PASSWORD } }

  const [stranger, byFile, byPrint, byData, wrongPrint] = await Promise.all([
    world.cli(list, elsewhere),
    world.cli([...list, '--cacert', cacert], elsewhere),
    world.cli([...list, '--fingerprint', fingerprint256], elsewhere),
    world.cli(list, password()),
    world.cli([...list, '--fingerprint', other], password()),
  ])
  assert.match(stranger.err, /^error: no answer from https:.*self-signed.*\nhint: .*--cacert .*--fingerprint/)
  assert.deepEqual([byFile.code, byPrint.code, byData.code], [0, 0, 0])
  assert.equal(wrongPrint.code, 1)
  assert.match(wrongPrint.err, /shows another certificate: SHA-256 [0-9a-f]{64}\n/)
})

test('options about the server may stand before the command, behind the group and behind the command', async () => {
  const url = ['--url', world.http]
  for (const args of [
    [...url, 'vm', 'list'],
    ['vm', ...url, 'list'],
    ['vm', 'list', ...url],
  ]) {
    assert.equal((await world.cli(args, password())).code, 0, args.join(' '))
  }
})

test('a reader that goes away early is no failure', async () => {
  const child = world.start(['vm', 'list', '--json'])
  child.stdout.destroy()
  const closed = new Promise(resolve => child.once('exit', resolve))
  child.stdin.end()

  assert.equal(await closed, 0)
})

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 1
}

test('what goes wrong is told once, on standard error only', async () => {
  const { out, err } = await outcomeOf(world.start(['vm', 'delete', 'nobody', '--json']))

  assert.equal(out, '')
  assert.equal(err.match(/error:/g)?.length, 1)
})

test('a server without a Unix socket in its data directory is found by what it wrote there', async () => {
  for (const listener of ['http://127.0.0.1:0', 'https://127.0.0.1:0', `unix://${world.folder}/elsewhere.sock`]) {
    const own = await startWorld([listener])
    const file = join(own.data, 'listeners.json')

    assert.equal((await stat(file)).mode & 0o777, 0o600)
    const found = await own.cli(['host', 'list'], listener.startsWith('unix:') ? {} : password())
    assert.match(found.out, /^lab +/m, found.err)
    await own.stop()
    await assert.rejects(stat(file))
    await own.close()
  }
})
