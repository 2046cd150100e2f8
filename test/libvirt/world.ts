import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type MemoryDriver, memoryDriver, type MemoryDriverOptions } from '../../src/drivers/memory/index.ts'
import { type Connection, connectionOf, type Domain, type UseOptions } from '../../src/libvirt/index.ts'

/** A memory host of its own, and a connection to it. */
export interface World {
  readonly driver: MemoryDriver
  readonly connection: Connection
  /** What the connection has complained of. */
  readonly complaints: string[]
  /** Another connection to the same host. */
  readonly again: (options?: Partial<UseOptions>) => Promise<Connection>
}

export async function world(options: MemoryDriverOptions = {}): Promise<World> {
  const driver = memoryDriver({ name: randomUUID(), ...options })
  const complaints: string[] = []
  const warn = (message: string) => void complaints.push(message)
  const again = (use: Partial<UseOptions> = {}) => connectionOf(driver, { uri: 'memory:///world', warn, ...use })
  return { driver, connection: await again(), complaints, again }
}

/** What a description says beside its name. */
export interface Description {
  readonly name?: string
  readonly uuid?: string
  readonly type?: string
  readonly memoryKib?: number
  readonly vcpus?: number
  readonly devices?: string
}

/** A description of a domain in libvirt's XML. */
export function domainXml({
  name,
  uuid,
  type = 'test',
  memoryKib = 65_536,
  vcpus = 1,
  devices = '',
}: Description = {}): string {
  const id = uuid === undefined ? '' : `<uuid>${uuid}</uuid>`
  return `<domain type='${type}'><name>${name ?? `web-${randomUUID().slice(0, 8)}`}</name>${id}
    <memory>${memoryKib}</memory><vcpu>${vcpus}</vcpu><os><type arch='x86_64'>hvm</type></os>
    <devices>${devices}</devices></domain>`
}

/** A description of a network that is bound to a card, or to nothing as hosts in memory have it. */
export const networkXml = (name: string, uuid: string, card = ''): string =>
  `<network><name>${name}</name><uuid>${uuid}</uuid>${
    card === '' ? `<forward mode='nat'/>` : `<forward mode='bridge'><interface dev='${card}'/></forward>`
  }</network>`

export const poolXml = (name: string, path: string): string =>
  `<pool type='dir'><name>${name}</name><target><path>${path}</path></target></pool>`

export const volumeXml = (name: string, bytes: number, format = ''): string =>
  `<volume><name>${name}</name><capacity>${bytes}</capacity>${
    format === '' ? '' : `<target><format type='${format}'/></target>`
  }</volume>`

export const snapshotXml = (name: string): string => `<domainsnapshot><name>${name}</name></domainsnapshot>`

/** Calls by the names of libvirt's functions, of which each rejects with an error of this number that names it. */
export async function eachRejectsWith(
  code: number,
  calls: Readonly<Record<string, () => Promise<unknown>>>,
  message: (name: string) => RegExp,
): Promise<void> {
  for (const [name, call] of Object.entries(calls)) await rejectsWith(code, call(), message(name))
}

/** Rejects with libvirt's error of this number, and with this in its message. */
export async function rejectsWith(code: number, promise: Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(promise, { name: 'LibvirtError', code, message })
}

/** The names of what has names, in order. */
export const namesOf = (named: readonly { readonly getName: () => string }[]): string[] =>
  named.map(each => each.getName()).toSorted()

/** Resolves once `isSo`, looking often. */
export async function until(isSo: () => Promise<boolean> | boolean, ms = 30_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await isSo())) {
    assert(performance.now() < deadline, 'it never became so')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** A domain that was just defined. */
export const defined = (connection: Connection, description: Description = {}): Promise<Domain> =>
  connection.domainDefineXML(domainXml(description))
