import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'

import { elf, INSTALLED, machine } from './setup/machine.ts'

const NPM_CI = 'npm ci --include=dev --no-audit --no-fund --loglevel=error'
const GUEST = 'node_modules/.cache/polyvisor/guest'

/** A guest as a user puts it there who has no apt. */
async function putGuest(folder: string): Promise<void> {
  await mkdir(join(folder, 'modules'), { recursive: true })
  await writeFile(join(folder, 'vmlinuz'), 'their kernel')
  await mkdir(join(folder, 'agent'), { recursive: true })
  await writeFile(join(folder, 'modules', 'order'), '')
  await writeFile(join(folder, 'agent', 'qemu-ga'), '')
}

test('a first setup installs the packages, and the next one does and says nothing', async context => {
  const { setUp } = await machine(context)

  const first = await setUp()
  const second = await setUp()

  assert.deepEqual(first, { code: 0, told: 'setup: installing the npm packages (npm ci) …\n', calls: [NPM_CI] })
  assert.deepEqual(second, { code: 0, told: '', calls: [] })
})

test('packages are installed anew when the lock file has moved on or an installation broke off', async context => {
  const { root, setUp } = await machine(context)
  const lock = (version: string, integrity: string) =>
    JSON.stringify({ packages: { 'node_modules/a': { version, integrity } } })
  await setUp()

  for (const installed of [lock('0.9.0', 'sha512-a'), lock('1.0.0', 'sha512-z'), '{"packages":{}}', '{', undefined]) {
    const file = join(root, 'node_modules', '.package-lock.json')
    await (installed === undefined ? rm(file) : writeFile(file, installed))
    assert.deepEqual((await setUp()).calls, [NPM_CI], installed)
  }
})

test('a package that the lock file no longer has is a reason to install anew', async context => {
  const { root, setUp } = await machine(context)
  await setUp()
  const packages = { ...JSON.parse(INSTALLED).packages, 'node_modules/old': { version: '1.0.0' } }
  await writeFile(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }))

  assert.deepEqual((await setUp()).calls, [NPM_CI])
})

test('a failing npm is told with what it said, and nothing can run', async context => {
  const { setUp, put } = await machine(context)
  await put('npm', 'echo npm error code EUSAGE >&2; exit 1')

  const { code, told } = await setUp()

  assert.equal(code, 1)
  assert.match(told, /npm ci failed in [^\n]*checkout[^\n]*\nnpm error code EUSAGE/)
})

test('without a Node that is new enough nothing can run', async context => {
  const { root, setUp, put } = await machine(context)
  await writeFile(join(root, '..', 'own-node'), '#!/bin/sh\nexit 126\n')

  const { code, told } = await setUp()
  await put('node', 'echo v24.6.0')
  const almost = await setUp()

  assert.equal(code, 1)
  assert.match(told, /no Node of version 24\.7 or newer runs here/)
  assert.equal(almost.code, 1)
})

test('where the system’s Node is to be used, one of the checkout that does not run is no longer in its way', async context => {
  const { root, setUp, put } = await machine(context)
  await writeFile(join(root, '..', 'own-node'), '#!/bin/sh\nexit 126\n')
  await put('node', 'echo v26.0.0')

  assert.equal((await setUp()).code, 0)
  assert.equal(existsSync(join(root, 'node_modules', '.bin', 'node')), false)
})

test('root gets what is missing through apt, without new lists when the old ones do', async context => {
  const { setUp } = await machine(context, ['qemu-img', 'qemu-system-x86_64'])

  const { code, calls } = await setUp()

  assert.equal(code, 0)
  assert.deepEqual(calls, [
    NPM_CI,
    'apt-cache policy qemu-system-x86 qemu-utils',
    'apt-get -q install -y --no-install-recommends qemu-system-x86 qemu-utils',
  ])
})

test('a tool that went away after a setup is missed by the next', async context => {
  const { setUp, remove } = await machine(context)
  await setUp()
  await remove('qemu-img')

  assert.match((await setUp()).calls.join('\n'), /install .* qemu-utils$/)
})

test('lists that do not know a package are fetched first', async context => {
  const { setUp, put } = await machine(context, ['qemu-img'])
  await put('apt-cache', 'echo "  Candidate: (none)"')

  const { code, calls } = await setUp()

  assert.equal(code, 0)
  assert.deepEqual(calls.slice(2), ['apt-get -q update', 'apt-get -q install -y --no-install-recommends qemu-utils'])
})

test('a failing installation is tried once more with new lists, and then told with the command', async context => {
  const { setUp, put } = await machine(context, ['qemu-img'])
  await put('apt-get', 'case "$*" in *install*) echo 404 not found; exit 100 ;; esac')

  const { code, told, calls } = await setUp('--tests')

  assert.equal(code, 1)
  assert.equal(calls.filter(call => call.includes('install')).length, 2)
  assert.equal(calls.filter(call => call === 'apt-get -q update').length >= 1, true)
  assert.match(told, /run this:\n {2}sudo apt-get update && sudo apt-get install -y .* qemu-utils\n404 not found/)
})

test('an apt that is busy is waited for', async context => {
  const { root, bin, setUp, put } = await machine(context, ['qemu-img'])
  const busy = join(root, 'busy')
  await writeFile(busy, '')
  const refuse = `/bin/rm ${busy}; echo "E: Could not get lock" >&2; exit 100`
  await put('apt-get', `[ -e ${busy} ] && { ${refuse}; }\n/bin/cp ${join(bin, 'curl')} ${join(bin, 'qemu-img')}`)

  const { code, calls } = await setUp()

  assert.equal(code, 0)
  assert.equal(calls.filter(call => call.includes('install')).length, 2)
})

test('who is not root uses sudo where it asks no password', async context => {
  const { setUp, put } = await machine(context, ['qemu-img'])
  await put('id', 'echo 1000')
  await put('sudo', 'shift; [ "$1" = true ] || exec "$@"')

  const { code, calls } = await setUp()

  assert.equal(code, 0)
  assert.ok(calls.some(call => /^sudo -n \/usr\/bin\/env DEBIAN_FRONTEND=noninteractive .* install/.test(call)))
})

test('where apt may not be used, serving goes on without QEMU and the tests do not', async context => {
  const { setUp, put } = await machine(context, ['qemu-img', 'xmllint'])
  await put('id', 'echo 1000')
  await put('sudo', 'exit 1')

  const start = await setUp()
  const tests = await setUp('--tests')

  assert.equal(start.code, 0)
  assert.match(start.told, /run this once:\n {2}sudo apt-get update && sudo apt-get install .* qemu-utils\n/)
  assert.match(start.told, /going on without QEMU/)
  assert.equal(tests.code, 1)
  assert.match(tests.told, /missing: qemu-img, xmllint; run this once:\n.* qemu-utils libxml2-utils\n/)
  assert.equal(
    tests.calls.some(call => call.includes('install')),
    false,
  )
})

test('without apt the packages are named, and with the tools nothing is asked of it', async context => {
  const { root, setUp, put } = await machine(context, ['qemu-img', 'apt-get', 'apt-cache', 'dpkg-deb'])
  await putGuest(join(root, '.cache', 'guest'))

  const without = await setUp('--tests')
  await put('qemu-img', '')
  const withTools = await setUp('--tests')

  assert.equal(without.code, 1)
  assert.match(without.told, /missing: qemu-img; install what your system calls qemu-utils/)
  assert.equal(withTools.code, 0)
})

test('a busybox that needs libraries is none for a guest', async context => {
  const { bin, setUp } = await machine(context)
  await writeFile(join(bin, 'busybox'), elf(3))

  const { code, calls } = await setUp('--tests')

  assert.equal(code, 0)
  assert.ok(calls.some(call => call.endsWith('install -y --no-install-recommends busybox-static')))
})

test('the tests get a kernel for guests, once, and keep it when npm makes node_modules anew', async context => {
  const { root, setUp } = await machine(context)

  const first = await setUp('--tests')
  const kernel = await readFile(join(root, GUEST, 'vmlinuz'), 'utf8')
  const order = await readFile(join(root, GUEST, 'modules', 'order'), 'utf8')
  await rm(join(root, 'node_modules'), { recursive: true })
  const second = await setUp('--tests')

  assert.deepEqual(first.calls.slice(1), [
    'apt-cache depends --important linux-image-cloud-amd64',
    'apt-cache depends --important qemu-guest-agent',
    'apt-cache depends --important libc6',
    'apt-get -q download linux-image-9-cloud-amd64 qemu-guest-agent libc6 libgcc-s1',
    'dpkg-deb -x linux-image-9-cloud-amd64.deb unpacked',
    'dpkg-deb -x qemu-guest-agent.deb unpacked',
  ])
  assert.equal(kernel, 'kernel\n')
  assert.equal(order, 'virtio.ko\nvirtio_ring.ko\nvirtio_pci.ko\n')
  assert.ok(existsSync(join(root, GUEST, 'modules', 'virtio_ring.ko')))
  const agent = await readdir(join(root, GUEST, 'agent'))
  assert.deepEqual(agent.toSorted(), ['ld-linux-x86-64.so.2', 'libc.so.6', 'qemu-ga'])
  assert.deepEqual(second, { code: 0, told: first.told.split('\n')[0]?.concat('\n'), calls: [NPM_CI] })
  assert.equal(await readFile(join(root, GUEST, 'vmlinuz'), 'utf8'), kernel)
})

test('a kernel that somebody put into node_modules outlives npm too', async context => {
  const { root, setUp } = await machine(context)
  await putGuest(join(root, GUEST))

  const { code } = await setUp('--tests')

  assert.equal(code, 0)
  assert.equal(await readFile(join(root, GUEST, 'vmlinuz'), 'utf8'), 'their kernel')
})

test('a kernel that an earlier setup left without its modules is replaced by one with them', async context => {
  const { root, setUp } = await machine(context)
  for (const folder of ['.cache/guest', GUEST]) {
    await mkdir(join(root, folder), { recursive: true })
    await writeFile(join(root, folder, 'vmlinuz'), 'old kernel')
  }

  const { code } = await setUp('--tests')

  assert.equal(code, 0)
  assert.equal(await readFile(join(root, GUEST, 'vmlinuz'), 'utf8'), 'kernel\n')
})

test('a kernel that cannot be had is a reason not to test, and leaves nothing behind', async context => {
  const { root, setUp, put } = await machine(context)
  await put('dpkg-deb', 'exit 2')

  const { code, told } = await setUp('--tests')

  assert.equal(code, 1)
  assert.match(told, /cannot be unpacked[\s\S]*the tests need of .* the boot\/vmlinuz-\* as .*\.cache\/guest\/vmlinuz/)
  assert.equal(existsSync(join(root, '.cache', 'setup.lock')), false)
})

test('two setups at once do the work once', async context => {
  const { begin, put, bin } = await machine(context)
  await put('npm', `/bin/sleep 0.5\n${await readFile(join(bin, 'npm'), 'utf8')}`)

  const outcomes = await Promise.all([begin().ended, begin().ended])

  assert.deepEqual(
    outcomes.map(({ code }) => code),
    [0, 0],
  )
  assert.equal(outcomes.filter(({ told }) => told.includes('installing')).length, 1)
  assert.equal(outcomes.filter(({ told }) => told.includes('waiting for it')).length, 1)
})

test('a setup waits for one that lives and not for one that died', async context => {
  const { root, begin, setUp } = await machine(context)
  const lock = join(root, '.cache', 'setup.lock')
  const stat = await readFile('/proc/self/stat', 'utf8')
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  await mkdir(lock, { recursive: true })

  await writeFile(join(lock, 'owner'), `${process.pid} ${started}`)
  const waiting = begin()
  while (!waiting.told().includes('waiting for it')) await setTimeout(10)
  await rm(lock, { recursive: true })
  assert.equal((await waiting.ended).code, 0)

  await rm(join(root, 'node_modules'), { recursive: true })
  await mkdir(lock)
  await writeFile(join(lock, 'owner'), `${process.pid} 1`) // The number is taken again, by a process that began later.
  assert.equal((await setUp()).code, 0)
})

test('a checkout that may not be written to is told, not thrown', async context => {
  const { root, setUp } = await machine(context)
  await writeFile(join(root, '.cache'), 'a file where a folder should be')

  const { code, told } = await setUp()

  assert.equal(code, 1)
  assert.match(told, /^setup: EEXIST[^\n]*\.cache'\n$/)
})

test('arguments that there are not are refused', async context => {
  const { setUp } = await machine(context)

  const { code, told, calls } = await setUp('--test')

  assert.equal(code, 2)
  assert.match(told, /unknown argument --test\nUsage: node tools\/setup\.mjs \[--tests\]/)
  assert.deepEqual(calls, [])
})
