import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startWorld, type World } from './world.ts'

let world: World
before(async () => {
  world = await startWorld()
})
after(() => world.close())

const UUID = /^[0-9a-f-]{36}\n$/

/** Runs a command that must succeed, and gives what it printed. */
async function done(...args: string[]): Promise<string> {
  const { code, out, err } = await world.cli(args)
  assert.equal(code, 0, err)
  return out
}

/** Runs a command that must fail, and gives what it said. */
async function refused(...args: string[]): Promise<string> {
  const { code, err } = await world.cli(args)
  assert.notEqual(code, 0)
  return err
}

test('a network card comes into a running VM, moves its cable and goes', async () => {
  await done('vm', 'create', 'wired')
  await done('vm', 'start', 'wired')
  assert.match(await done('network', 'create', 'lab', '--vlan', '7'), UUID)
  await done('network', 'create', 'office', '--description', 'for work')
  const mac = '02:00:00:00:00:01'

  assert.equal(await done('nic', 'add', 'wired', 'lab', '--mac', mac), `eth0 of wired is in lab, ${mac}\n`)
  assert.match(
    await done('nic', 'list', 'wired'),
    /^wired +eth0 +02:00:00:00:00:01 +lab +ioemu +[\d.]+ KiB\/s +[\d.]+ KiB\/s$/m,
  )
  assert.match(await done('network', 'list'), /^lab +\S+ +- +7 +1$/m)
  assert.equal(await done('nic', 'connect', 'wired', 'eth0', 'office'), 'eth0 of wired is in office\n')
  const inUse = await refused('network', 'delete', 'office')
  assert.match(inUse, /^error: OBJECT_IN_USE: .*\n {2}used by eth0 of VM wired \(Running\)\nhint: .* nic disconnect /)
  assert.equal(await done('nic', 'disconnect', 'wired', mac), 'eth0 of wired is plugged in nowhere\n')
  assert.equal(await done('network', 'delete', 'office'), 'network office deleted\n')
  assert.equal(await done('nic', 'remove', 'wired', 'eth0'), 'eth0 of wired removed\n')
  assert.match(await refused('nic', 'remove', 'wired', 'eth0'), /^error: wired has no network card eth0\nhint: /)
})

test('a network is changed by field, and a card that cannot be is refused by its option', async () => {
  await done('network', 'create', 'plain')

  assert.equal(await done('network', 'set', 'plain', 'name/label', 'fancy'), 'name_label of plain set\n')
  assert.match(await done('network', 'list'), /^fancy /m)
  assert.match(await refused('network', 'set', 'fancy', 'colour', 'red'), /^error: no field colour of a network /)
  assert.match(await refused('nic', 'add', 'vm', 'fancy', '--driver', 'e1000'), /^error: --driver cannot be "e1000"/)
  assert.match(await refused('nic', 'add', 'vm', 'fancy', '--mtu', 'big'), /^error: --mtu must be a number/)
})

test('a disk is kept as it is now, made another of, made larger, and taken from a running VM', async () => {
  await done('vm', 'create', 'keeper')
  const root = (await done('disk', 'create', 'root', '--size', '1G')).trim()
  await done('vm', 'start', 'keeper')
  assert.equal(
    await done('disk', 'attach', 'root', 'keeper', '--driver', 'paravirtualised'),
    'root attached to keeper as xvda\n',
  )

  assert.match(await done('disk', 'snapshot', 'root', '--name', 'before'), UUID)
  assert.match(await done('disk', 'clone', 'root', 'bigger', '--size', '2G'), UUID)
  assert.equal(await done('disk', 'resize', 'bigger', '3G'), 'bigger has 3 GiB\n')

  const disks = await done('disk', 'list')
  assert.match(disks, /^before +\S+ +1 GiB /m)
  assert.match(disks, /^bigger +\S+ +3 GiB /m)
  assert.equal(await done('disk', 'resize', 'root', '2G'), 'root has 2 GiB\n')
  const shared = await refused('call', 'VDI.set_sharable', root, 'true')
  assert.match(shared, /^error: VDI_IN_USE: .*\n {2}used as xvda by VM keeper \(Running\), whose disk is root\n/)
  assert.match(await refused('disk', 'resize', 'bigger', 'huge'), /^error: the size must be a size such as /)
  assert.equal(await done('disk', 'detach', 'root', 'keeper'), 'root detached\n')
})

test('a CD goes into a drive that the VM is given, and another in its place while it runs', async () => {
  await done('vm', 'create', 'player')
  for (const name of ['first-cd', 'second-cd']) await done('disk', 'create', name, '--size', '1M', '--format', 'raw')

  assert.equal(await done('cd', 'insert', 'player', 'first-cd'), 'first-cd is in hdc of player\n')
  await done('vm', 'start', 'player')
  assert.equal(await done('cd', 'insert', 'player', 'second-cd'), 'second-cd is in hdc of player\n')
  assert.match(await done('disk', 'list'), /^second-cd .* player:hdc$/m)
  assert.equal(await done('cd', 'eject', 'player'), 'hdc of player is empty\n')
  assert.match(await refused('cd', 'eject', 'player', '--drive', 'hdd'), /^error: player has no CD drive hdd\n$/)
})

test('a repository is made of a folder, copied with its disks and forgotten', async () => {
  const [from, to] = [join(world.folder, 'images'), join(world.folder, 'copies')]
  await mkdir(from)
  assert.match(await done('sr', 'create', 'images', from, '--type', 'memory'), UUID)
  await done('disk', 'create', 'kept', '--size', '1M', '--sr', 'images')

  assert.match(await done('sr', 'clone', 'images', 'copies', to), UUID)

  assert.match(await done('sr', 'list'), /^copies +\S+ +memory +1 /m)
  const inUse = await refused('sr', 'delete', 'images')
  assert.match(inUse, /^error: OBJECT_IN_USE: .*\n {2}used by VDI kept\nhint: .* disk delete DISK\n$/)
})

test('a task is cancelled, and one that is over stays as it was', async () => {
  await done('vm', 'create', 'vm-that-is-slow-3')
  const { task } = JSON.parse(await done('vm', 'start', 'vm-that-is-slow-3', '--no-wait', '--json'))

  assert.equal(await done('task', 'cancel', task), 'cancelled\n')
  assert.match(await done('vm', 'show', 'vm-that-is-slow-3'), /^power_state +Halted$/m)
})

test('the power of a host is left to whom its operator allows it', async () => {
  await done('host', 'add', 'memory:///idle?vms=0')
  assert.match(
    await refused('host', 'shutdown', 'idle'),
    /^error: (HOST_NOT_DISABLED|OPERATION_NOT_ALLOWED|DRIVER_UNSUPPORTED): /,
  )
  await done('host', 'disable', 'idle')
  assert.match(await refused('host', 'reboot', 'idle'), /^error: (OPERATION_NOT_ALLOWED|DRIVER_UNSUPPORTED): /)
})
