import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { A, B, BROADCAST, C, frameOf, SwitchWorld, until } from './peers.ts'
import { atEnd } from '../support/at-end.ts'

async function world(context: TestContext): Promise<SwitchWorld> {
  const made = await SwitchWorld.open()
  atEnd(context, () => made.close())
  return made
}

/** Three peers on one network, each of which has been heard of. */
async function threePeers(test: SwitchWorld) {
  const [a, b, c] = [await test.peer('a', 'red'), await test.peer('b', 'red'), await test.peer('c', 'red')]
  a.send(frameOf(BROADCAST, A, 'a is here'))
  b.send(frameOf(BROADCAST, B, 'b is here'))
  c.send(frameOf(BROADCAST, C, 'c is here'))
  await a.untilHeard('b is here')
  await a.untilHeard('c is here')
  await b.untilHeard('a is here')
  await b.untilHeard('c is here')
  return { a, b, c }
}

describe('The switch', () => {
  it('gives what is for all to all others, and what is for one to that one', async context => {
    const test = await world(context)
    const { a, b, c } = await threePeers(test)
    assert(!a.heard.includes('a is here'))

    a.send(frameOf(B, A, 'for b'), frameOf(BROADCAST, A, 'for all'))
    await b.untilHeard('for all')
    await c.untilHeard('for all')

    assert(b.heard.includes('for b'))
    assert(!c.heard.includes('for b'))
  })

  it('keeps networks apart, and whoever is on none', async context => {
    const test = await world(context)
    const [a, b] = [await test.peer('a', 'red'), await test.peer('b', 'red')]
    const [other, lonely] = [await test.peer('c', 'blue'), await test.peer('d', null)]

    a.send(frameOf(BROADCAST, A, 'for red'), frameOf(C, A, 'for somebody'))
    lonely.send(frameOf(BROADCAST, C, 'for whom'))
    other.send(frameOf(BROADCAST, B, 'for blue'))
    await b.untilHeard('for somebody')
    await until('all have sent', async () => {
      const ports = await test.keeper.status()
      return ports.every(port => port.id === 'b' || port.sentPackets > 0)
    })
    await test.plug('d', 'blue')
    other.send(frameOf(BROADCAST, B, 'now for blue'))
    await lonely.untilHeard('now for blue')

    assert.deepEqual(b.heard, ['for red', 'for somebody'])
    assert.deepEqual(a.heard, [])
    assert.deepEqual(other.heard, [])
    assert.deepEqual(lonely.heard, ['now for blue'])
  })

  it('keeps to itself what is between bridges', async context => {
    const test = await world(context)
    const { a, b } = await threePeers(test)

    a.send(frameOf(0x01_80_c2_00_00_00, A, 'spanning tree'), frameOf(B, A, 'after it'))
    await b.untilHeard('after it')

    assert(!b.heard.includes('spanning tree'))
  })

  it('counts what each has got and sent, to the byte', async context => {
    const test = await world(context)
    const [a, b] = [await test.peer('a', 'red'), await test.peer('b', 'red')]

    a.send(frameOf(BROADCAST, A, '1234'), frameOf(BROADCAST, A, '123456'))
    await b.untilHeard('123456')
    b.send(frameOf(A, B, '12'))
    await a.untilHeard('12')

    const { path: _a, ...ofA } = await test.port('a')
    assert.deepEqual(ofA, {
      id: 'a',
      segment: 'red',
      isConnected: true,
      receivedBytes: 16,
      receivedPackets: 1,
      sentBytes: 38,
      sentPackets: 2,
      droppedPackets: 0,
      brokenPackets: 0,
    })
    const { sentBytes, receivedBytes } = await test.port('b')
    assert.deepEqual({ sentBytes, receivedBytes }, { sentBytes: 16, receivedBytes: 38 })
  })

  it('follows an address to the port where it was seen last, and after it moved to another network', async context => {
    const test = await world(context)
    const { a, b, c } = await threePeers(test)

    c.send(frameOf(BROADCAST, B, 'b is here now'))
    await a.untilHeard('b is here now')
    a.send(frameOf(B, A, 'for b at c'))
    await c.untilHeard('for b at c')
    await test.plug('c', 'blue')
    a.send(frameOf(B, A, 'where is b'))
    await b.untilHeard('where is b')

    assert(!b.heard.includes('for b at c'))
    assert(!c.heard.includes('where is b'))
  })

  it('drops what a peer is too slow for, and goes on serving the others', async context => {
    const test = await world(context)
    const { a, b, c } = await threePeers(test)
    b.stall()

    const [ROUNDS, FRAMES] = [40, 100]
    const length = 1_414
    for (let round = 0; round < ROUNDS; round++) {
      const many = Array.from({ length: FRAMES }, () => frameOf(BROADCAST, A, 'x'.repeat(1_400)))
      a.send(...many, frameOf(BROADCAST, A, `round ${round}`))
      await c.untilHeard(`round ${round}`)
    }

    const slow = await test.port('b')
    assert(slow.droppedPackets > 0, 'not everything fits into the queue')
    assert.equal(slow.droppedPackets + slow.receivedPackets, ROUNDS * (FRAMES + 1) + 2)
    assert(slow.receivedBytes < 4_000_000 && slow.receivedBytes > length, `${slow.receivedBytes} bytes are queued`)
    assert.equal((await test.port('c')).droppedPackets, 0)
    b.resume()
    await until('the slow one has got what was queued', () => b.heard.length === slow.receivedPackets)
  })

  it('breaks with a peer that sends no frames, and takes it up again', async context => {
    const test = await world(context)
    const { a, b } = await threePeers(test)

    b.send(Buffer.alloc(64, 0xff))
    await until('b is back', async () => {
      a.send(frameOf(BROADCAST, A, 'are you back'))
      return b.heard.includes('are you back')
    })

    assert((await test.port('b')).isConnected)
  })

  it('is replaced when it dies, goes on counting, and the traffic with it', async context => {
    const test = await world(context)
    const { a, b } = await threePeers(test)
    const before = await test.port('a')

    await test.kill()
    await until('a new switch has connected', async () => (await test.port('b')).isConnected)
    await until('a is back', async () => (await test.port('a')).isConnected)
    a.send(frameOf(B, A, 'through the new one'))
    await b.untilHeard('through the new one')

    const after = await test.port('a')
    assert.equal(after.sentBytes, before.sentBytes + 14 + 'through the new one'.length)
    assert.deepEqual([after.sentPackets, after.receivedPackets], [before.sentPackets + 1, before.receivedPackets])
  })

  it('goes on while nobody controls it, and is taken over with its ports and counters', async context => {
    const test = await world(context)
    const { a, b } = await threePeers(test)
    const [before, process] = [await test.keeper.status(), test.process()]

    test.keeper.close()
    a.send(frameOf(B, A, 'meanwhile'))
    await b.untilHeard('meanwhile')
    const ports = await test.reconnect()

    assert.deepEqual(
      ports.map(({ id, segment }) => ({ id, segment })),
      before.map(({ id, segment }) => ({ id, segment })),
    )
    assert.equal((await test.port('b')).receivedPackets, 3)
    assert.deepEqual(test.process(), process)
  })

  it('ends when it has no port and no controller', async context => {
    const test = await world(context)
    await test.peer('a', 'red')

    test.keeper.unwant('a')
    await test.keeper.converge()

    await until('the switch has ended', () => test.process() === undefined)
    await assert.rejects(stat(test.files.control), { code: 'ENOENT' })
  })

  it('listens to its owner alone, and breaks with who speaks something else', async context => {
    const test = await world(context)
    await test.peer('a', 'red')

    const { mode } = await stat(test.files.control)
    const stranger = createConnection({ path: test.files.control })
    stranger.resume()
    stranger.write('GET / HTTP/1.1\n\n')
    stranger.on('error', () => undefined) // A reset is an end like others.
    await new Promise(resolve => stranger.once('close', resolve))

    assert.equal(mode & 0o777, 0o600)
    assert((await test.port('a')).isConnected)
  })
})
