/**
 * What clients change of VMs that are Halted, which their hosts are told at the start: clients of libvirt, who look at the
 * hosts, are to see it before.
 */

import { DriverError } from '../drivers/driver.ts'
import { type Services, StoreFailure } from '../engine/context.ts'
import { VBD, VIF, VM } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { defineIfBootable } from './vm-definition.ts'

type Change = Parameters<Parameters<Services['store']['onChange']>[0]>[0][number]

/** What the host decides, and what it knows nothing of. */
const NOT_TOLD: ReadonlySet<string> = new Set([
  'power_state',
  'resident_on',
  'affinity',
  'domain',
  'definition',
  'is_a_template',
  'user_version',
  'other_config',
  'currently_attached',
])

/** The VMs whose hosts have yet to be told what has changed of them. */
export class UntoldChanges {
  readonly #services: Services
  readonly #warn: (message: string, details: object) => void
  readonly #untold = new Set<string>()
  readonly #telling = new Map<string, Promise<void>>()

  constructor(services: Services, warn: (message: string, details: object) => void) {
    this.#services = services
    this.#warn = warn
    services.store.onChange(changes => this.#note(changes))
  }

  /** Tells a host what it has yet to be told; undefined where that is nothing. Never rejects. */
  tell(host: string): Promise<void> | undefined {
    const underWay = this.#telling.get(host)
    if (underWay !== undefined || this.#untold.size === 0) return underWay
    const { store } = this.#services
    const vms = [...this.#untold].filter(vm => store.get(VM, vm)?.affinity === host)
    if (vms.length === 0) return undefined
    const telling = this.#tellAll(vms).finally(() => this.#telling.delete(host))
    this.#telling.set(host, telling)
    return telling
  }

  async #tellAll(vms: readonly string[]): Promise<void> {
    const { locks } = this.#services
    for (const vm of vms) {
      // Whoever is at work with it has not been answered yet, or starts it, which tells its host anyway.
      if (locks.isHeld(vm)) continue
      this.#untold.delete(vm)
      try {
        await locks.hold(vm, () => this.#tellOne(vm))
      } catch (error) {
        if (!(error instanceof DriverError || error instanceof StoreFailure)) throw error
        this.#warn('a host was not told of a change before its VM starts', { vm, error: error.message })
      }
    }
  }

  async #tellOne(vm: string): Promise<void> {
    const { store, hosts } = this.#services
    const record = store.get(VM, vm)
    if (record === undefined || record.power_state !== 'Halted' || record.domain === '' || record.is_a_template) return
    await defineIfBootable(this.#services, vm)
    await hosts.observe(vm)
  }

  /** What comes with another definition was read off the host, or the host was just told. */
  #note(changes: readonly Change[]): void {
    const { store } = this.#services
    const known = new Set<string>()
    const changed = new Set<string>()
    for (const change of changes) {
      if (change.class === 'VM' && (change.kind !== 'mod' || change.fields.includes('definition'))) {
        known.add(keyOf(change, change.ref))
        if (change.kind === 'del') this.#untold.delete(change.ref)
      } else if (change.kind !== 'del' && change.fields.some(field => !NOT_TOLD.has(field))) {
        for (const vm of vmsOf(store, change)) changed.add(keyOf(change, vm))
      }
    }
    for (const key of changed) {
      const vm = key.slice(key.indexOf(':') + 1)
      if (!known.has(key) && store.get(VM, vm)?.power_state === 'Halted') this.#untold.add(vm)
    }
  }
}

/** A VM in one transaction. */
const keyOf = ({ generation }: Change, vm: string): string => `${generation}:${vm}`

function vmsOf(store: Services['store'], { class: of, ref }: Change): readonly string[] {
  if (of === 'VM') return [ref]
  const owner = of === 'VBD' ? store.get(VBD, ref)?.VM : of === 'VIF' ? store.get(VIF, ref)?.VM : undefined
  return owner === undefined || owner === NULL_REF ? [] : [owner]
}
