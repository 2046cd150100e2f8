/**
 * Enumerating the machines of a simulated Hyper-V host that takes 10 ms for each request: as the client does it, in
 * batches, against one item for each request; and the same answers sealed against in the clear.
 */

import { randomUUID } from 'node:crypto'
import {
  httpTransport,
  parseTargetUri,
  type Transport,
  WsmanClient,
  type WsmanTarget,
  wql,
} from '../src/protocols/wsman/index.ts'
import { HYPERV_ADMIN, type SimHyperv, startSimHyperv } from '../test/support/sim-hyperv.ts'
import { median, print } from './measure.ts'

const COUNTS = [200, 2_000, 20_000]
const LATENCY_MS = 10
const AIM_TRIPS = 3
/** Of the flow of one item for each request, no more is measured; the time of the rest is scaled. */
const SINGLE_TRIPS_MAX = 1_000
const SEALING_RUNS = 7

const NAMESPACE = 'root/virtualization/v2'
const QUERY = wql`SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER`

/** What a connection carried. */
interface Load {
  trips: number
  bytes: number
}

for (const count of COUNTS) {
  const sim = await startSimHyperv('--vms', String(count), '--latency', String(LATENCY_MS), '--seed', '1')
  try {
    await measureEnumeration(sim, count)
  } finally {
    await sim.stop()
  }
}
const sim = await startSimHyperv('--vms', '2000', '--seed', '1', '--basic', '--allow-unencrypted')
try {
  await measureSealing(sim)
} finally {
  await sim.stop()
}

async function measureEnumeration(sim: SimHyperv, count: number): Promise<void> {
  const { transport, load } = counted(targetOf(sim))
  try {
    const client = new WsmanClient(transport, { namespace: NAMESPACE })
    await client.identify() // So that nobody pays for the handshake.
    const batched = await timed(load, async () => (await client.query(QUERY)).length)
    requireCount(batched.result, count)
    const single = await timed(load, () => oneByOne(transport, SINGLE_TRIPS_MAX))
    const reference_s = (single.seconds / single.trips) * (count + 1)
    print({
      bench: `wsman-enumerate-${count}`,
      ours_s: batched.seconds,
      reference_s,
      ratio: batched.seconds / reference_s,
      trips: batched.trips,
      reference_trips: count + 1,
      mbytes: batched.bytes / 1e6,
      s_per_mbyte: batched.seconds / (batched.bytes / 1e6),
      ...(count === COUNTS[0] ? { aim_trips: AIM_TRIPS } : {}),
    })
  } finally {
    transport.close()
  }
}

async function measureSealing(sim: SimHyperv): Promise<void> {
  const rates = { sealed: await rateOf(targetOf(sim)), plain: await rateOf(targetOf(sim, true)) }
  const { sealed, plain } = rates
  print({ bench: 'wsman-sealing', ours_mbytes_s: sealed, reference_mbytes_s: plain, ratio: sealed / plain })
}

/** Megabytes of answers in a second. */
async function rateOf(target: WsmanTarget): Promise<number> {
  const { transport, load } = counted(target)
  try {
    const client = new WsmanClient(transport, { namespace: NAMESPACE })
    await client.query(QUERY)
    const rates: number[] = []
    for (let run = 0; run < SEALING_RUNS; run++) {
      const { seconds, bytes } = await timed(load, () => client.query(QUERY))
      rates.push(bytes / 1e6 / seconds)
    }
    return median(rates)
  } finally {
    transport.close()
  }
}

/** As the host comes, with NTLM and sealing; or with Basic and in the clear. */
function targetOf({ urls }: SimHyperv, isPlain = false): WsmanTarget {
  const { host } = new URL(urls[0] ?? '')
  const uri = `hyperv://${HYPERV_ADMIN.name}@${host}/?transport=http`
  const target = parseTargetUri(uri, () => HYPERV_ADMIN.password)
  return isPlain ? { ...target, auth: 'basic', allowPlainBasic: true } : target
}

/** A transport that counts what goes through it. */
function counted(target: WsmanTarget): { readonly transport: Transport; readonly load: Load } {
  const inner = httpTransport(target)
  const load: Load = { trips: 0, bytes: 0 }
  const transport: Transport = {
    url: inner.url,
    close: () => inner.close(),
    async post(envelope, options) {
      const reply = await inner.post(envelope, options)
      load.trips += 1
      load.bytes += reply.body.length
      return reply
    },
  }
  return { transport, load }
}

async function timed<T>(load: Load, work: () => Promise<T>): Promise<Load & { seconds: number; result: T }> {
  const before = { ...load }
  const begin = performance.now()
  const result = await work()
  const seconds = (performance.now() - begin) / 1000
  return { seconds, result, trips: load.trips - before.trips, bytes: load.bytes - before.bytes }
}

/** The flow of clients that do not ask for batches: an Enumerate, and a Pull for each item. */
async function oneByOne(transport: Transport, tripsMax: number): Promise<void> {
  const enumerate = `<n:Enumerate><w:Filter Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL">${QUERY.text}</w:Filter></n:Enumerate>`
  let context = await exchange(transport, 'Enumerate', enumerate)
  for (let trip = 1; trip < tripsMax && context !== undefined; trip++) {
    const pull = `<n:Pull><n:EnumerationContext>${context}</n:EnumerationContext></n:Pull>`
    context = await exchange(transport, 'Pull', pull)
  }
  if (context === undefined) return
  const release = `<n:Release><n:EnumerationContext>${context}</n:EnumerationContext></n:Release>`
  await exchange(transport, 'Release', release)
}

/** Sends it, and gives the next context, if there is one. */
async function exchange(transport: Transport, action: string, body: string): Promise<string | undefined> {
  const envelope = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header><a:Action s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/09/enumeration/${action}</a:Action><a:To>${transport.url}</a:To><w:ResourceURI s:mustUnderstand="true">http://schemas.microsoft.com/wbem/wsman/1/wmi/${NAMESPACE}/*</w:ResourceURI><a:MessageID>uuid:${randomUUID()}</a:MessageID><a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo></s:Header><s:Body>${body}</s:Body></s:Envelope>`
  const { status, body: answer } = await transport.post(Buffer.from(envelope), { timeoutMs: 60_000 })
  const text = Buffer.from(answer).toString('utf8')
  if (status !== 200) throw new Error(`${action} was answered with ${text.slice(0, 500)}`)
  return /<n:EnumerationContext>([^<]+)</.exec(text)?.[1]
}

function requireCount(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} machines instead of ${wanted}`)
}
