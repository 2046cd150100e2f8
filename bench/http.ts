import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * Small calls per second against a bare node:http server that answers with a constant of the same size: over one
 * connection and over 32, each with one call at a time. `http-N` is the whole product with a session and a VM;
 * `listener-N` is src/server alone with a handler that does nothing, and says how much of the distance is HTTP's.
 * Server and measure are processes of their own and take turns; the best of their rounds counts.
 */
const CONNECTIONS = [1, 32] as const
const ROUNDS = 6
const ROUND_MS = 800
const WARM_MS = 1500
const READY_MS = 30_000
const AIM = 0.7

const ROOT = join(import.meta.dirname, '..')
const PASSWORD = 'bench-password'

/** A server at work. */
interface Subject {
  readonly url: URL
  stop(): Promise<void>
}

/** A call, and what must be in a right answer. */
interface Call {
  readonly request: string
  readonly expect: string
}

async function main(): Promise<void> {
  const trivial: Call = { request: '<methodCall><methodName>VM.list</methodName></methodCall>', expect: 'xxx' }
  await compare('listener', await echoServer('server', 300), trivial)
  const product = await startProduct()
  await compare('http', product, await smallCall(product.url))
}

/** Measures `ours` against a bare server whose answers are as long, and ends it. */
async function compare(name: string, ours: Subject, call: Call): Promise<void> {
  const answer = await post(ours.url, call.request)
  const reference = await echoServer('bare', Buffer.byteLength(answer))
  const bare: Call = { ...call, expect: 'x' }
  try {
    for (const connections of CONNECTIONS) {
      await load(ours.url, call, connections, WARM_MS)
      await load(reference.url, bare, connections, WARM_MS)
      let [best, bestBare] = [0, 0]
      for (let round = 0; round < ROUNDS; round++) {
        best = Math.max(best, await load(ours.url, call, connections, ROUND_MS))
        bestBare = Math.max(bestBare, await load(reference.url, bare, connections, ROUND_MS))
      }
      console.log(
        JSON.stringify({
          bench: `${name}-${connections}`,
          ours_per_s: Math.round(best),
          reference_per_s: Math.round(bestBare),
          ratio: Number((best / bestBare).toFixed(2)),
          aim: AIM,
        }),
      )
    }
  } finally {
    await Promise.all([ours.stop(), reference.stop()])
  }
}

// --- load

/** Calls per second over `connections`, each with one call under way. */
async function load(url: URL, call: Call, connections: number, ms: number): Promise<number> {
  const until = performance.now() + ms
  const begun = performance.now()
  const counts = await Promise.all(Array.from({ length: connections }, () => callUntil(url, call, until)))
  const seconds = (performance.now() - begun) / 1000
  return counts.reduce((sum, count) => sum + count, 0) / seconds
}

/** Calls over one connection until the time is over; how many were answered. Rejects at the first wrong answer. */
function callUntil(url: URL, call: Call, until: number): Promise<number> {
  const request = Buffer.from(requestText(url, call.request))
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
    let answered = 0
    let received = ''
    const take = (chunk: string) => {
      received = received === '' ? chunk : received + chunk
      if (received.length < wholeLength(received)) return
      if (!received.startsWith('HTTP/1.1 200') || !received.includes(call.expect)) {
        reject(new Error(`a wrong answer: ${received}`))
        socket.destroy()
        return
      }
      received = ''
      answered++
      if (performance.now() < until) socket.write(request)
      else socket.end()
    }
    socket.setEncoding('latin1')
    socket.on('data', chunk => take(String(chunk)))
    socket.once('error', reject)
    socket.once('close', () => resolve(answered))
    socket.write(request)
  })
}

const requestText = (url: URL, body: string) =>
  `POST / HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: text/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** The length of the answer that begins with `text`, headers included; infinite while the headers are not whole. */
function wholeLength(text: string): number {
  const end = text.indexOf('\r\n\r\n')
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  return end < 0 || length === undefined ? Number.POSITIVE_INFINITY : end + 4 + Number(length)
}

// --- subjects

const echoServer = (kind: 'bare' | 'server', bytes: number): Promise<Subject> =>
  startChild([join(ROOT, 'bench/echo-server.ts'), kind, String(bytes)], {}, line => line)

async function startProduct(): Promise<Subject> {
  const data = await mkdtemp(join(tmpdir(), 'polyvisor-bench-'))
  const listen = 'http://127.0.0.1:0?dialect=0.2'
  const host = 'memory:///bench?vms=10&seed=1'
  const args = [join(ROOT, 'bin/polyvisor.mjs'), 'serve', '--data', data, '--listen', listen, '--host', host]
  const remove = () => rm(data, { recursive: true, force: true })
  const subject = await startChild(args, { POLYVISOR_ADMIN_PASSWORD: PASSWORD }, urlOfReadyLine).catch(async error => {
    await remove()
    throw error
  })
  return { url: subject.url, stop: () => subject.stop().then(remove) }
}

function urlOfReadyLine(line: string): string {
  return /"url":"(http:[^"]+)"/.exec(line)?.[1] ?? ''
}

async function startChild(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  urlOfLine: (line: string) => string,
): Promise<Subject> {
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  })
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${args.join(' ')} ended before it served`)))
  const ready = once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(READY_MS) })
  const [line] = await Promise.race([ready, ended])
  ended.catch(() => {})
  return { url: new URL(urlOfLine(String(line))), stop: () => stopped(child) }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

// --- the product's small call

/** Reading the name of a VM, in a session. */
async function smallCall(url: URL): Promise<Call> {
  const session = await value(url, 'session.login_with_password', ['root', PASSWORD])
  const vm = await value(url, 'VM.list', [session])
  return { request: methodCall('VM.get_name_label', [session, vm]), expect: 'Success' }
}

/** The first string of what a call answers. */
async function value(url: URL, method: string, params: readonly string[]): Promise<string> {
  const answer = await post(url, methodCall(method, params))
  const found = /<name>Value<\/name>.*?<string>([^<]+)<\/string>/s.exec(answer)?.[1]
  if (found === undefined) throw new Error(`${method} failed: ${answer}`)
  return found
}

function methodCall(method: string, params: readonly string[]): string {
  const values = params.map(param => `<param><value><string>${param}</string></value></param>`)
  return `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${values.join('')}</params></methodCall>`
}

async function post(url: URL, body: string): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'text/xml', Connection: 'close' },
  })
  return answer.text()
}

await main()
