import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { type Handlers, serve } from '../../src/protocols/libvirt-rpc/index.ts'
import { encodePacket, PacketStatus, PacketType } from '../../src/protocols/libvirt-rpc/packet.ts'
import { procedures, REMOTE_PROGRAM, REMOTE_VERSION } from '../../src/protocols/libvirt-rpc/table/index.ts'
import { pair } from './pair.ts'

const DOM = { name: 'alpha', uuid: '43b3f39e-2b2a-4f97-8a36-82937a779ee1', id: 1 }
const ARGS = { dom: DOM, idx: 0, flags: 0 }
const { number, args } = procedures.DOMAIN_OPEN_GRAPHICS_FD
const HEAD = { program: REMOTE_PROGRAM, version: REMOTE_VERSION, procedure: number, status: PacketStatus.ok }
const call = (serial: number) =>
  encodePacket({ ...HEAD, type: PacketType.call, serial }, writer => args.write(writer, ARGS))
const answer = (serial: number) =>
  encodePacket({ ...HEAD, type: PacketType.replyWithDescriptors, serial }, writer => writer.uint(1))

test('what is passed follows its answer before anything else does, however much is said at once', async () => {
  const [near, far] = duplexPair()
  const taken: unknown[] = []
  const [end] = duplexPair()
  let passed = 0
  const handlers: Handlers = {
    async DOMAIN_OPEN_GRAPHICS_FD(_, { socket, connection }) {
      await socket(given => taken.push(given))
      setImmediate(() => connection.close())
    },
  }
  // Stands in for the system, which sends a byte along with a socket past what is written.
  const pass = () => {
    far.write(Buffer.from([passed++]))
    return end
  }
  serve(far, handlers, { context: undefined, passing: async () => pass })
  near.write(Buffer.concat([call(1), call(2), call(3)]))

  const heard = Buffer.concat(await near.toArray())

  assert.deepEqual(
    heard,
    Buffer.concat([answer(1), Buffer.from([0]), answer(2), Buffer.from([1]), answer(3), Buffer.from([2])]),
  )
  assert.deepEqual(taken, [end, end, end])
})

test('a connection that cannot go on after an answer with a socket is ended', async () => {
  const [near, far] = duplexPair()
  const handlers: Handlers = { DOMAIN_OPEN_GRAPHICS_FD: async (_, { socket }) => socket(() => undefined) }
  const { promise, resolve } = Promise.withResolvers<string>()
  const pass = () => {
    throw new Error('no room')
  }
  serve(far, handlers, { context: undefined, passing: async () => pass, onClose: ({ message }) => resolve(message) })
  near.resume().write(call(1))

  assert.match(await promise, /could not carry on: Error: no room/)
  near.destroy()
})

test('where no socket can be passed, the function is not supported', async context => {
  let isServed = false
  const handlers: Handlers = {
    async DOMAIN_OPEN_GRAPHICS_FD(_, { socket }) {
      await socket(() => undefined)
      isServed = true
    },
  }
  for (const options of [{}, { passing: async () => undefined }]) {
    const [near, far] = duplexPair()
    const server = serve(far, handlers, { context: undefined, ...options })
    near.write(call(1))
    const [chunk] = await near.take(1).toArray()
    const text = Buffer.from(chunk).toString('latin1')

    assert.match(text, /this function is not supported by the connection driver: virDomainOpenGraphicsFD/)
    assert.equal(await server.carriesSockets(), false)
    server.close()
  }
  assert.equal(isServed, false)

  const { client } = pair(context, handlers, { passing: async () => () => duplexPair()[0] })
  await assert.rejects(client.call('DOMAIN_OPEN_GRAPHICS_FD', ARGS), /not supported.*virDomainOpenGraphicsFD/)
})
