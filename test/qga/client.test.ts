import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { connectQga, LINE_BYTES_MAX, RECEIVED_BYTES_MAX } from '../../src/protocols/qga/client.ts'
import { QgaError, type QgaFailure } from '../../src/protocols/qga/error.ts'
import { readGuestFacts } from '../../src/protocols/qga/guest.ts'
import { type FakeServer, listen } from '../qmp/fake-server.ts'
import { agent, returned, synced } from './fake-agent.ts'

const LONG_MS = 30_000
const SHORT_MS = 50

let server: FakeServer | undefined
afterEach(() => server?.close())

async function fails(failure: QgaFailure, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, error => {
    assert(error instanceof QgaError, String(error))
    assert.equal(error.failure, failure, error.message)
    assert.match(error.message, /^[\u0020-\u007e]+$/)
    return true
  })
}

describe('the guest agent', () => {
  it('says its version and what it runs in', async () => {
    server = await listen(
      agent(command => {
        if (command.execute === 'guest-info') return returned({ version: '7.2.22', supported_commands: [] })
        if (command.execute === 'guest-get-osinfo') {
          return returned({ 'pretty-name': 'Debian GNU/Linux 12', 'kernel-release': '6.1.0-56' })
        }
        return synced(command)
      }),
    )

    assert.deepEqual(await readGuestFacts(server.path, LONG_MS), {
      agentVersion: '7.2.22',
      osName: 'Debian GNU/Linux 12',
      kernelRelease: '6.1.0-56',
    })
  })

  it('is understood where it does not know what it runs in, or says it in no form that can be shown', async () => {
    let osinfo = `${JSON.stringify({ error: { class: 'CommandNotFound', desc: 'no \u0000\u00e9' } })}\n`
    const talk = agent(command => {
      if (command.execute === 'guest-info') return returned({ version: '1' })
      return command.execute === 'guest-get-osinfo' ? osinfo : synced(command)
    })
    server = await listen(talk)

    assert.deepEqual(await readGuestFacts(server.path, LONG_MS), { agentVersion: '1' })
    osinfo = returned({ 'pretty-name': '\u0000', 'kernel-release': 'x'.repeat(1000) })
    assert.deepEqual(await readGuestFacts(server.path, LONG_MS), { agentVersion: '1' })
  })

  it('is heard after what it still had to say to someone else', async () => {
    const stale = Buffer.concat([
      Buffer.from('{"return": {"version": "stale"}}\n{"half'),
      Buffer.of(0xff),
      Buffer.from('{"return": 1}\nnonsense\n'),
    ])
    server = await listen(
      agent((command, socket) => {
        if (command.execute === 'guest-info') return returned({ version: 'fresh' })
        if (command.execute === 'guest-get-osinfo') return returned(null)
        socket.write(stale)
        return synced(command)
      }),
    )

    assert.deepEqual(await readGuestFacts(server.path, LONG_MS), { agentVersion: 'fresh' })
  })

  it('refuses in its own words', async () => {
    server = await listen(agent(command => synced(command) ?? '{"error":{"desc":"not \\u0007 today"}}\n'))
    const client = await connectQga(server.path, LONG_MS)

    await assert.rejects(client.execute('guest-shutdown'), { failure: 'refused', message: /not \? today$/ })
    await fails('refused', client.execute('guest-shutdown'))
    client.close()
    client.close()
    await fails('closed', client.execute('guest-info'))
  })

  it('is not waited for longer than said, wherever it falls silent', async () => {
    server = await listen(() => undefined)
    await fails('time-out', readGuestFacts(server.path, SHORT_MS))
    await server.close()

    server = await listen(agent(synced))
    await fails('time-out', readGuestFacts(server.path, SHORT_MS))
    await server.close()

    await fails('absent', readGuestFacts(server.path, SHORT_MS))
  })

  it('is let go of when it hangs up, says too much, or nothing that was asked', async () => {
    const answers: readonly [QgaFailure, (socket: Socket) => string | undefined][] = [
      ['closed', socket => void socket.destroy()],
      ['garbage', () => 'x'.repeat(LINE_BYTES_MAX + 1)],
      ['garbage', () => `${'x'.repeat(LINE_BYTES_MAX - 1)}\n`],
      ['garbage', () => '[]\n'],
      ['garbage', () => '{}\n'],
      ['garbage', () => returned({ version: 7 })],
      ['garbage', () => returned({})],
      ['garbage', () => returned(null)],
    ]
    for (const [failure, answer] of answers) {
      server = await listen(agent((command, socket) => synced(command) ?? answer(socket)))
      await fails(failure, readGuestFacts(server.path, LONG_MS))
      await server.close()
    }
    const flood = '{"return": 0}\n'.repeat(1000)
    server = await listen(socket => {
      const pour = () => {
        for (let sent = 0; sent <= RECEIVED_BYTES_MAX; sent += flood.length) socket.write(flood)
      }
      pour()
    })
    await fails('garbage', readGuestFacts(server.path, LONG_MS))
  })

  it('does no harm, whatever it sends', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)),
      fc.json().map(text => Buffer.from(`${text}\n`)),
      fc.json().map(text => Buffer.from(`{"return":${text}}\n`)),
      fc.constant(Buffer.of(0xff)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.boolean(), async (pieces, isInStep) => {
        const noise = await listen(
          agent((command, socket) => {
            if (isInStep && command.execute === 'guest-sync-delimited') return synced(command)
            for (const each of pieces) socket.write(each)
            socket.end()
            return undefined
          }),
        )
        try {
          const facts = await readGuestFacts(noise.path, LONG_MS)
          assert.match(facts.agentVersion, /^[\u0020-\u007e]+$/)
        } catch (error) {
          assert(error instanceof QgaError, String(error))
        } finally {
          await noise.close()
        }
      }),
      { numRuns: 200 },
    )
  })
})
