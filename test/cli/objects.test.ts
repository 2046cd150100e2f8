import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { OTHER_PASSWORD, startWorld, type World } from './world.ts'

let world: World
let passwordFile: string
before(async () => {
  world = await startWorld()
  passwordFile = join(world.folder, 'password')
  await writeFile(passwordFile, `${OTHER_PASSWORD}\n`)
})
after(() => world.close())

/** Runs a command that must succeed, and gives what it printed. */
async function done(...args: string[]): Promise<string> {
  const { code, out, err } = await world.cli(args)
  assert.equal(code, 0, err)
  return out
}

test('a disk is made, attached once, detached once and deleted', async () => {
  await done('vm', 'create', 'owner')
  await done('disk', 'create', 'data', '--size', '10G', '--type', 'user')

  assert.match(await done('disk', 'list'), /^data +\S+ +10 GiB .* qcow2 +Default repository$/m)
  assert.equal(await done('disk', 'attach', 'data', 'owner', '--device', 'hdc'), 'data attached to owner as hdc\n')
  assert.equal(await done('disk', 'attach', 'data', 'owner'), 'data is attached to owner already, as hdc\n')
  assert.match(await done('disk', 'list'), /owner:hdc$/m)
  const inUse = await world.cli(['disk', 'delete', 'data'])
  assert.match(inUse.err, /^error: OBJECT_IN_USE: .*\n {2}used as hdc by VM owner \(Halted\)\nhint: .* disk detach /)
  assert.equal(await done('disk', 'detach', 'data'), 'data detached\n')
  assert.equal(await done('disk', 'detach', 'data'), 'data is not attached\n')
  assert.equal(await done('disk', 'delete', 'data'), 'disk data deleted\n')
})

test('a disk that several VMs have is detached from the one that is named', async () => {
  await done('disk', 'create', 'shared', '--size', '1M')
  for (const vm of ['first', 'second']) {
    await done('vm', 'create', vm)
    await done('disk', 'attach', 'shared', vm, '--read-only')
  }

  const { code, err } = await world.cli(['disk', 'detach', 'shared'])
  assert.equal(code, 1)
  assert.match(err, /^error: shared is attached 2 times; name the VM\n/)
  assert.equal(await done('disk', 'detach', 'shared', 'first'), 'shared detached\n')
  assert.match(await done('disk', 'list'), / second:hda$/m)
})

test('a size that is none, and a format that is none, are errors of usage', async () => {
  const size = await world.cli(['disk', 'create', 'odd', '--size', 'big'])
  const format = await world.cli(['disk', 'create', 'odd', '--size', '1G', '--format', 'floppy'])

  assert.deepEqual([size.code, format.code], [2, 2])
  assert.match(size.err, /^error: --size must be a size such as 512M or 10G, and "big" is not\n$/)
  assert.match(format.err, /^error: --format cannot be "floppy"; it is one of qcow2, raw, vhd, vhdx\n$/)
})

test('repositories are listed and scanned', async () => {
  assert.match(await done('sr', 'list'), /^Default repository +\S+ +memory /m)
  assert.match(await done('sr', 'scan', 'Default repository'), /^Default repository holds \d+ disks?\n$/)
})

test('a host is added once, however often it is asked for, and removed when it is empty', async () => {
  const [uri, name] = ['memory:///spare?vms=0', 'spare']

  assert.match(await done('host', 'add', uri), /^spare connected: /)
  assert.match(await done('host', 'add', uri), /^spare is connected already: /)
  assert.match(await done('host', 'list'), /^spare +\S+ +yes +yes +0 +\d+ +memory:\/\/\/spare\?vms=0$/m)
  await done('host', 'disable', name)
  assert.match(await done('host', 'list'), /^spare +\S+ +yes +no /m)
  await done('host', 'enable', name)
  assert.equal(await done('host', 'remove', name), 'spare disconnected\n')
})

test('a URI with a password is refused, and the password not repeated', async () => {
  const { code, err } = await world.cli(['host', 'add', 'hyperv://ada:s3cret@example.org/'])

  assert.equal(code, 2)
  assert.match(err, /holds a password/)
  assert.ok(!err.includes('s3cret'))
})

test('a user is added with a password from a file, logs in with it, changes it and is deleted', async () => {
  assert.equal(
    await done('user', 'add', 'ada', '--full-name', 'Ada L', '--password-file', passwordFile),
    'user ada added\n',
  )
  assert.match(await done('user', 'list'), /^ada +\S+ +Ada L$/m)

  const asAda = ['--url', world.http, '--user', 'ada', '--password-file', passwordFile]
  assert.equal((await world.cli([...asAda, 'vm', 'list'])).code, 0)
  const changed = await world.cli([...asAda, 'user', 'passwd', '--password-file', '-'], { input: 'another password\n' })
  assert.equal(changed.out, 'password of ada changed\n')
  const refused = await world.cli([...asAda, 'vm', 'list'])
  assert.match(refused.err, /^error: SESSION_AUTHENTICATION_FAILED: .*\nhint: /)
  assert.equal(await done('user', 'delete', 'ada'), 'user ada deleted\n')
})

test('a user whose password is refused is not left behind', async () => {
  const { code, err } = await world.cli(['user', 'add', 'bob', '--password-file', '-'], { input: 'x'.repeat(2000) })

  assert.equal(code, 1)
  assert.match(err, /^error: INVALID_VALUE: /)
  assert.doesNotMatch(await done('user', 'list'), /bob/)
})

test('call takes arguments by their declared types and prints JSON', async () => {
  const uuid = (await done('vm', 'create', 'called')).trim()

  assert.ok(JSON.parse(await done('call', 'VM.get_all')).includes(uuid))
  assert.equal(await done('call', 'VM.get_memory_static_max', uuid), '268435456\n')
  await done('call', 'VM.set_VCPUs_features_force_on', uuid, 'FPU,MMX')
  assert.deepEqual(JSON.parse(await done('call', 'VM.get_VCPUs_features_force_on', uuid)), ['FPU', 'MMX'])
  const made = JSON.parse(await done('call', 'network.create', '{"name/label": "lab", "VLAN": "7"}'))
  assert.equal(await done('call', 'network.get_VLAN', made), '"7"\n')
  const task = JSON.parse(await done('call', 'Async.VM.start', uuid, 'false'))
  assert.equal(await done('task', 'wait', task), 'done\n')
})

test('call refuses what it cannot say, before it says anything', async () => {
  const cases: ReadonlyArray<readonly [readonly string[], RegExp]> = [
    [['VM.getall'], /^error: there is no method VM\.getall\n/],
    [['vm.get_all'], /; did you mean VM\.get_all\?\n/],
    [['VM.start', 'x'], /^error: VM\.start takes 2 arguments, not 1: vm \(VM ref\), start_paused \(bool\)\n/],
    [['VM.start', 'x', 'maybe'], /^error: start_paused must be of type bool/],
    [['user.change_password', 'x', 's3cret'], /^error: password is a secret: put it in a file/],
    [['session.login_with_password', 'root', 'x'], /is what "polyvisor login" does/],
    [['network.create', '{"colour":"red"}'], /^error: no field colour of a network/],
    [['network.create', '[]'], /must be a JSON object/],
  ]
  for (const [args, expected] of cases) {
    const { code, err } = await world.cli(['call', ...args, '--url', 'http://127.0.0.1:1'])
    assert.equal(code, 2, err)
    assert.match(err, expected)
  }
})
