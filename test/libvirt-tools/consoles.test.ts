import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { CONSOLE, kernel, MEMORY_BYTES } from '../guests/linux.ts'
import { writeShellInitrd } from '../guests/linux-shell.ts'
import { inTerminal, type RunningTool } from './running-tool.ts'
import { type HostName, serve, type World } from './world.ts'

/** What a test may take in all, on a machine that is busy with others. */
const TEST_MS = 180_000
/** How long an answer is waited for. */
const ASK_MS = 300
/** What virsh takes as the wish to leave: Ctrl and ]. */
const LEAVE = '\u{1d}'

let world: World
const consoles: RunningTool[] = []
before(async () => (world = await serve({ hosts: ['memory', 'qemu', 'v1', 'v2'] })))
after(async () => {
  for (const console of consoles) await console.end()
  await world.close()
})

/** virsh at the console of a domain; it refuses where there is no terminal. */
function atConsole(host: HostName, domain: string, ...more: readonly string[]): RunningTool {
  const console = inTerminal(['virsh', '-c', world.uri(host), 'console', domain, ...more], world.folder)
  consoles.push(console)
  return console
}

/** Types something until it is answered: what is typed before virsh has made ready its terminal is lost. */
async function asks(console: RunningTool, question: string, answer: string): Promise<void> {
  const answered = console.screen.shows(answer).then(() => true)
  do console.type(question)
  while (!(await Promise.race([answered, pause(ASK_MS, false)])))
}

async function started(host: HostName, xml: string): Promise<void> {
  const path = join(world.folder, `${crypto.randomUUID()}.xml`)
  await writeFile(path, xml)
  await world.ok(host, 'create', path)
}

const domainXml = (type: string, name: string, os = ''): string =>
  `<domain type='${type}'><name>${name}</name><memory unit='b'>${MEMORY_BYTES}</memory><vcpu>1</vcpu>
    <os><type arch='x86_64'>hvm</type>${os}</os><devices><serial type='pty'/><console type='pty'/></devices></domain>`

test('a command that is typed at the console of a guest is answered, by one client at a time', {
  timeout: TEST_MS,
}, async () => {
  const initrd = join(world.folder, 'initrd')
  await writeShellInitrd(initrd)
  const boot = `<kernel>${await kernel()}</kernel><initrd>${initrd}</initrd><cmdline>${CONSOLE} quiet nomodules</cmdline>`
  await started('qemu', domainXml('qemu', 'shell', boot))
  const first = atConsole('qemu', 'shell')
  await first.screen.shows("Connected to domain 'shell'")
  await asks(first, 'echo $((6 * 7))-is-the-answer\r', '42-is-the-answer')

  const refused = atConsole('qemu', 'shell')
  assert.match(await refused.screen.untilEnd(), /error: operation failed: Active console session exists/)
  assert.equal(await refused.ended(), 1)
  const second = atConsole('qemu', 'shell', '--force', '--safe')
  assert.match(await first.screen.untilEnd(), /somebody else has taken the console/)
  await asks(second, 'echo $((6 * 8))-is-another\r', '48-is-another')

  second.type(LEAVE)
  assert.equal(await second.ended(), 0)
  const third = atConsole('qemu', 'shell', '--devname', 'serial0')
  await asks(third, 'echo still-$((6 * 9))\r', 'still-54')
  third.type('poweroff -f\r')
  await third.screen.untilEnd()
  assert.equal(await third.ended(), 0)
})

test('a console ends when its domain does, and there is none of a domain that is off', {
  timeout: TEST_MS,
}, async () => {
  await started('memory', domainXml('test', 'web'))
  const console = atConsole('memory', 'web')
  await asks(console, 'p', 'BYE')

  await console.screen.untilEnd()
  assert.equal(await console.ended(), 0)
  const off = atConsole('memory', 'web')
  assert.match(await off.screen.untilEnd(), /error: The domain is not running/)
})

test('Hyper-V has no consoles that can be reached from elsewhere', async () => {
  for (const host of ['v1', 'v2'] as const) {
    await started(host, domainXml('hyperv', 'web'))
    const refused = atConsole(host, 'web')
    const text = /this function is not supported by the connection driver: virDomainOpenConsole/
    assert.match(await refused.screen.untilEnd(), text)
  }
})
