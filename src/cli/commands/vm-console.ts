import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { command } from '../command.ts'
import { Failure } from '../failure.ts'
import { find } from '../find.ts'
import type { Io } from '../io.ts'

/** Ctrl-], as telnet and its descendants have it. */
const ESCAPE = 0x1d

/** Types at a VM. */
export const vmConsole = command({
  doc: 'Attach this terminal to the first serial port of a VM; Ctrl-] ends it.',
  args: { vm: { doc: 'UUID or name of the VM' } },
  examples: ['vm console web-1'],
  async run(context, { vm: name }) {
    const client = await context.connect()
    const vm = await find(client, 'VM', name)
    const path = (await client.VM.list_consoles({ vm })).get('serial')
    if (path === undefined) {
      throw new Failure(`${name} has no serial console now`, { hint: `start it with: polyvisor vm start ${name}` })
    }
    const { stream, ended } = await client.openConsole(path)
    context.io.stderr.write(`Connected to ${name}; Ctrl-] ends it.\r\n`)
    await attach(stream, context.io)
    const reason = await ended
    context.io.stderr.write(`\r\n${reason === '' ? 'disconnected' : reason}\n`)
  },
})

/** Resolves when the console has ended, or Ctrl-] was typed, or standard input is at its end. */
async function attach(stream: Duplex, { stdin, stdout }: Io): Promise<void> {
  const type = (bytes: Buffer) => {
    const end = bytes.indexOf(ESCAPE)
    const isTaken = stream.write(end < 0 ? bytes : bytes.subarray(0, end))
    if (end >= 0) leave()
    else if (!isTaken) stdin.pause()
  }
  const leave = () => stream.end()
  const resume = () => stdin.resume()
  stream.on('drain', resume)
  stream.on('data', (bytes: Buffer) => {
    if (stdout.write(bytes)) return
    stream.pause()
    stdout.once('drain', () => stream.resume())
  })
  const closed = stream.closed ? undefined : once(stream, 'close')
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', type).once('end', leave)
  try {
    await closed
  } finally {
    stream.off('drain', resume)
    stdin.off('data', type).off('end', leave)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
  }
}
