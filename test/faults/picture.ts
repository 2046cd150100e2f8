/** What a lab looks like, from above and from below, and whether both are the same. */

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { DomainConfig } from '../../src/drivers/driver.ts'
import { host_, intent, network, SR, VBD, VDI, VIF, VM } from '../../src/model/index.ts'
import { NULL_REF } from '../../src/model/kernel/types.ts'
import type { Lab } from './lab.ts'

/** Every place where the operations under test may put an image. */
export const PLACES = ['/repositories/default', 'shelf', 'copies', 'new shelf'] as const

type Json = Readonly<Record<string, unknown>>

/** What is compared: records and hosts, without what is measured and without where on its host an image lies. */
export type Picture = readonly Json[]

const CLASSES = [host_, VM, VBD, VIF, VDI, SR, network, intent] as const
const MEASURED = new Set([
  'told', // A host may go on knowing a network that a machine was to use there.
  'physical_utilisation',
  'location',
  'image_format',
  'definition',
  'memory_actual',
  'VCPUs_utilisation',
  'IO_bandwidth_incoming_kbs',
  'IO_bandwidth_outgoing_kbs',
])

/** Lets what was begun come to its end: events, readings, treatments. */
export async function settle({ services: { store, hosts } }: Lab): Promise<void> {
  for (let round = 0; round < 10; round++) await turn()
  await store.settled().catch(() => undefined)
  for (const vm of store.all(VM)) await hosts.observe(vm)
}

/** Looks at all records and at all hosts. */
export async function picture(lab: Lab, hosts: readonly string[]): Promise<Picture> {
  const { store } = lab.services
  const ages = new Map(CLASSES.flatMap(of => store.all(of)).map((ref, age) => [ref, age]))
  const ageOf = (ref: string) => ages.get(ref) ?? ages.size
  const inOrder = (a: string, b: string) => ageOf(a) - ageOf(b)
  const records = CLASSES.flatMap(of =>
    store.all(of).map(ref => {
      const fields = Object.entries(store.get(of, ref) ?? {}).filter(
        ([name]) => !MEASURED.has(name) || (of === SR && name === 'location'),
      )
      return { of: of.name, ...Object.fromEntries(fields.map(([name, value]) => [name, plain(value, inOrder)])) }
    }),
  )
  const below = []
  for (const host of hosts) below.push({ of: 'machine', ...(await machine(lab, host, inOrder)) })
  return [...records, ...below]
}

function plain(value: unknown, inOrder: Order): unknown {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(String).toSorted(inOrder)
  if (value instanceof Map) return Object.fromEntries(value)
  return value
}

/** What chance named stands in the order of the records. */
type Order = (a: string, b: string) => number

/** The definition of a halted domain is told to its host with every start, so it may be an older one, or not be there. */
async function machine(lab: Lab, host: string, inOrder: Order): Promise<Json> {
  const eye = lab.eye(host)
  const domains = []
  for (const { id, state } of await eye.domains.list()) {
    if (state === 'halted') continue
    const { disks, nics = [], exits } = await eye.domains.config(id)
    const [media, cables] = [disks.toSorted(byId(inOrder)), nics.toSorted(byId(inOrder))]
    const shown = media.map(disk => [disk.id, nameAt(disk.location)])
    domains.push({ id, state, disks: shown, nics: cables.map(nic => [nic.id, nic.network]), exits })
  }
  const volumes = await volumesOf(lab, host)
  const shown = volumes.map(({ name, virtualBytes, place }) => ({ name, virtualBytes, place }))
  return {
    domains: domains.toSorted((a, b) => inOrder(a.id, b.id)),
    volumes: shown.toSorted((a, b) => inOrder(a.name, b.name)),
  }
}

const byId = (inOrder: Order) => (a: { readonly id: string }, b: { readonly id: string }) => inOrder(a.id, b.id)

/** The name of the image at a location; that of images is the reference of their VDI. */
const nameAt = (location: string): string => /([^/.]*)(\.[^/.]*)?$/.exec(location)?.[1] ?? ''

const byText = (a: string, b: string): number => (a < b ? -1 : 1)

async function volumesOf(lab: Lab, host: string) {
  const found = []
  for (const place of PLACES) {
    const listed = await lab
      .eye(host)
      .storage.listVolumes({ type: 'memory', location: place })
      .catch(() => [])
    found.push(...listed.map(volume => ({ ...volume, place })))
  }
  return found
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const MAC = /(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/gi

/** The same whatever names chance gave the objects. */
export function anonymous(shown: Picture): string {
  const names = new Map<string, string>()
  const text = JSON.stringify(shown, null, 1).replace(MAC, 'MAC')
  return text.replace(UUID, uuid => {
    const name = names.get(uuid) ?? `#${names.size + 1}`
    names.set(uuid, name)
    return name
  })
}

/** Demands that records and hosts tell the same. */
export async function assertTrue(lab: Lab, hosts: readonly string[]): Promise<void> {
  const { store } = lab.services
  assert.deepEqual(store.all(intent), [], 'a note of something half-made is left')
  // That the store failed in the background is told to the operator.
  assert.deepEqual(
    lab.logged.filter(line => !line.includes('the disk is full')),
    [],
  )
  for (const host of hosts) await assertHostTrue(lab, host)
  for (const ref of store.all(VDI)) {
    const sr = store.get(VDI, ref)?.SR ?? NULL_REF
    assert.notEqual(store.get(SR, sr), undefined, `the image ${ref} is in no repository`)
  }
}

const STATES: Readonly<Record<string, string>> = {
  halted: 'Halted',
  running: 'Running',
  paused: 'Paused',
  crashed: 'Paused',
  suspended: 'Suspended',
}

/** What is in the drives and where the cables go. */
function assertPlugged(
  { services: { store } }: Lab,
  vm: { readonly VBDs: readonly string[]; readonly VIFs: readonly string[] },
  { disks, nics = [] }: Pick<DomainConfig, 'disks' | 'nics'>,
): void {
  for (const { id, location } of disks) {
    const vbd = store.get(VBD, id)
    if (vm.VBDs.includes(id)) assert.equal(location, store.get(VDI, vbd?.VDI ?? '')?.location ?? '', `medium of ${id}`)
  }
  for (const { id, network: cable } of nics) {
    if (vm.VIFs.includes(id)) assert.equal(cable ?? NULL_REF, store.get(VIF, id)?.network, `cable of ${id}`)
  }
}

async function assertHostTrue(lab: Lab, host: string): Promise<void> {
  const { store } = lab.services
  const [ref = ''] = store.all(host_).filter(candidate => store.get(host_, candidate)?.uri === `memory:///${host}`)
  if (ref === '') return
  const eye = lab.eye(host)
  const domains = new Map((await eye.domains.list()).map(domain => [domain.id, domain.state]))
  const vms = store.findBy(VM, 'affinity', ref).flatMap(vm => store.get(VM, vm) ?? [])
  for (const vm of vms) {
    const state = domains.get(vm.domain)
    assert.equal(vm.power_state, STATES[state ?? 'halted'], `VM ${vm.uuid} and its domain`)
    const isResident = state !== undefined && state !== 'halted' && state !== 'suspended'
    assert.equal(vm.resident_on, isResident ? ref : NULL_REF)
    const { disks, nics = [] } = state === undefined ? { disks: [] } : await eye.domains.config(vm.domain)
    const has = new Set(state === 'halted' ? [] : [...disks, ...nics].map(device => device.id))
    assertPlugged(lab, vm, state === 'halted' ? { disks: [] } : { disks, nics })
    const devices = [...vm.VBDs.map(vbd => store.get(VBD, vbd)), ...vm.VIFs.map(vif => store.get(VIF, vif))]
    for (const device of devices) {
      assert.equal(device?.currently_attached, has.has(device?.uuid ?? ''), `device ${device?.uuid} of ${vm.uuid}`)
      has.delete(device?.uuid ?? '')
    }
    has.delete(vm.uuid)
    assert.deepEqual([...has], [], `VM ${vm.uuid} has devices without a record`)
    domains.delete(vm.domain)
  }
  assert.deepEqual([...domains.keys()], [], `domains of ${host} without a record`)
  const srs = store.findBy(SR, 'host', ref)
  const known = srs.flatMap(sr => store.get(SR, sr)?.VDIs ?? []).map(vdi => store.get(VDI, vdi)?.location ?? '')
  const there = (await volumesOf(lab, host)).map(({ location }) => location)
  assert.deepEqual(there.toSorted(byText), known.toSorted(byText), `images of ${host} and their records`)
}
