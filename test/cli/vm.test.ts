import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { outcomeOf, startWorld, type World } from './world.ts'

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

test('vm list shows the VMs in aligned columns, without a password on the Unix socket', async () => {
  const [heading = '', ...rows] = (await done('vm', 'list')).trimEnd().split('\n')

  assert.match(heading, /^NAME +UUID +STATE +VCPUS +MEMORY +HOST$/)
  assert.equal(rows.length, 3)
  for (const row of rows) assert.equal(row.slice(heading.indexOf('STATE')).startsWith('Halted'), true)
})

test('vm list --json gives every field, sizes in bytes', async () => {
  const [first] = JSON.parse(await done('vm', 'list', '--json'))

  assert.equal(first.power_state, 'Halted')
  assert.equal(typeof first.memory_static_max, 'number')
  assert.deepEqual(first.VBDs, [])
})

test('a VM goes through its life, and a step that is done already says so', async () => {
  assert.match(await done('vm', 'create', 'life', '--memory', '1.5G', '--vcpus', '2'), UUID)

  assert.equal(await done('vm', 'start', 'life', '--paused'), 'life is paused\n')
  assert.equal(await done('vm', 'unpause', 'life'), 'life is running\n')
  assert.equal(await done('vm', 'start', 'life'), 'life is running already\n')
  assert.equal(await done('vm', 'pause', 'life'), 'life is paused\n')
  assert.equal(await done('vm', 'unpause', 'life'), 'life is running\n')
  assert.equal(await done('vm', 'hard-reboot', 'life'), 'life is running again\n')
  assert.equal(await done('vm', 'reboot', 'life'), 'life is running again\n')
  assert.equal(await done('vm', 'shutdown', 'life'), 'life is halted\n')
  assert.equal(await done('vm', 'hard-shutdown', 'life'), 'life is halted already\n')
  assert.equal(await done('vm', 'delete', 'life'), 'VM life deleted\n')
})

test('a number that is none is refused by the name of its option', async () => {
  const memory = await world.cli(['vm', 'create', 'odd', '--memory', '12Q'])
  const vcpus = await world.cli(['vm', 'create', 'odd', '--vcpus', 'many'])

  assert.deepEqual([memory.code, vcpus.code], [2, 2])
  assert.match(memory.err, /^error: --memory must be a number, or a size such as 512M, and "12Q" is not\n$/)
  assert.match(vcpus.err, /^error: --vcpus must be /)
})

test('a VM is put to disk and brought back, and one that is there is not started but resumed', async () => {
  await done('vm', 'create', 'sleeper')
  await done('vm', 'start', 'sleeper')

  assert.equal(await done('vm', 'suspend', 'sleeper'), 'sleeper is suspended\n')
  assert.equal(await done('vm', 'suspend', 'sleeper', '--live'), 'sleeper is suspended already\n')
  const started = await world.cli(['vm', 'start', 'sleeper'])
  assert.match(
    started.err,
    /^error: VM_BAD_POWER_STATE: .*\nhint: bring it back with: polyvisor vm resume VM, or .* hard-shutdown VM\n$/,
  )
  assert.equal(await done('vm', 'resume', 'sleeper', '--paused'), 'sleeper is paused\n')
  assert.equal(await done('vm', 'unpause', 'sleeper'), 'sleeper is running\n')
})

test('a VM is cloned with its disk, and a template is made a VM', async () => {
  await done('vm', 'create', 'original')
  await done('disk', 'create', 'original-root', '--size', '1G')
  await done('disk', 'attach', 'original-root', 'original')
  await done('vm', 'create', 'mould', '--template')

  assert.match(await done('vm', 'clone', 'original', 'copy'), UUID)
  assert.match(await done('vm', 'install', 'mould', 'casting'), UUID)

  assert.match(await done('disk', 'list'), / copy:hda$/m)
  const either = await world.cli(['disk', 'snapshot', 'original-root'])
  assert.match(either.err, /^error: original-root is the name of 2 objects of class VDI; use the UUID of one\n/)
  for (const owner of ['original', 'copy'])
    assert.match(either.err, new RegExp(` original-root, attached to ${owner}$`, 'm'))
  assert.equal(await done('vm', 'start', 'casting'), 'casting is running\n')
})

test('vm create takes any field, and vm show shows sizes for people', async () => {
  await done('vm', 'create', 'shown', '--memory', '1536M', '--description', 'a note', '--set', 'kernel/args=quiet')

  const shown = await done('vm', 'show', 'shown')
  assert.match(shown, /^memory_static_max +1\.5 GiB$/m)
  assert.match(shown, /^name_description +a note$/m)
  assert.match(shown, /^kernel_args +quiet$/m)
})

test('vm set takes sizes and either spelling of a field, and lists the fields where there is none', async () => {
  await done('vm', 'create', 'changed')

  await done('vm', 'set', 'changed', 'memory/dynamic_max', '128M')
  assert.equal(JSON.parse(await done('vm', 'show', 'changed', '--json')).memory_dynamic_max, 134_217_728)
  const { code, err } = await world.cli(['vm', 'set', 'changed', 'power_state', 'Running'])
  assert.equal(code, 2)
  assert.match(err, /^error: no field power_state .* name_label, /)
})

test('a name that several VMs have is refused with the UUIDs of all', async () => {
  const twins = [await done('vm', 'create', 'twin'), await done('vm', 'create', 'twin')]

  const { code, err } = await world.cli(['vm', 'start', 'twin'])
  assert.equal(code, 1)
  assert.match(err, /^error: twin is the name of 2 objects of class VM; use the UUID of one\n/)
  for (const uuid of twins) assert.ok(err.includes(uuid.trim()))
  assert.match(await done('vm', 'show', twins[0]?.trim() ?? ''), /twin/)
})

test('a name that no VM has is refused with a hint', async () => {
  const { code, err } = await world.cli(['vm', 'start', 'nobody'])

  assert.equal(code, 1)
  assert.equal(err, 'error: there is no VM nobody\nhint: see what there is with: polyvisor vm list\n')
})

test('an error of the API is told by code, sentence and parameters, with exit code 1', async () => {
  await done('vm', 'create', 'vm-that-fails-to-start-1')

  const { code, err } = await world.cli(['vm', 'start', 'vm-that-fails-to-start-1'])
  assert.equal(code, 1)
  assert.match(err, /^error: DRIVER_FAILED: The hypervisor refused or broke off\. \(driver=memory, .*refuses/)
})

test('vm serial prints what the guest wrote, and --follow goes on until Ctrl-C', async () => {
  await done('vm', 'create', 'talker')
  await done('vm', 'start', 'talker')

  assert.match(await done('vm', 'serial', 'talker'), /^BOOT-OK/)
  const following = world.start(['vm', 'serial', 'talker', '--follow'])
  const outcome = outcomeOf(following)
  await once(following.stdout, 'data')
  following.kill('SIGINT')
  assert.equal((await outcome).code, 0)
})

test('--no-wait prints the task at once, and task wait waits for it', async () => {
  await done('vm', 'create', 'vm-that-is-slow-1')

  const { task } = JSON.parse(await done('vm', 'start', 'vm-that-is-slow-1', '--no-wait', '--json'))
  assert.ok((await done('task', 'list')).includes(task))
  assert.equal(await done('task', 'wait', task), 'done\n')
  assert.match(await done('vm', 'show', 'vm-that-is-slow-1'), /^power_state +Running$/m)
})

test('Ctrl-C while waiting says that the task goes on, and it does', async () => {
  await done('vm', 'create', 'vm-that-is-slow-2')

  const starting = world.start(['vm', 'start', 'vm-that-is-slow-2'])
  const outcome = outcomeOf(starting)
  while (!/[0-9a-f]{8}-/.test(await done('task', 'list'))); // Until the server knows of it.
  starting.kill('SIGINT')
  const { code, err } = await outcome
  assert.equal(code, 130)
  const [, task = ''] = /^the task goes on\nhint: wait for it again with: polyvisor task wait (\S+)\n$/.exec(err) ?? []
  assert.equal(await done('task', 'wait', task), 'done\n')
})

test('a path that does not begin at the root is refused with a hint how to give it', async () => {
  await done('vm', 'create', 'lost', '--kernel', 'vmlinuz')

  const { code, err } = await world.cli(['vm', 'start', 'lost'])

  assert.equal(code, 1)
  assert.match(err, /^error: INVALID_VALUE: .*vmlinuz\)\nhint: give the whole path, from \/ on\n$/)
})
