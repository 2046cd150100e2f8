import type { DomainConfig, ExitActions } from '../drivers/driver.ts'
import { DomainWithDefinition } from './domain-definition.ts'
import {
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_DOMAIN_METADATA,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
} from './error-numbers.ts'
import { hubOf } from './event-hub.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import {
  VIR_DOMAIN_AFFECT_CONFIG,
  VIR_DOMAIN_AFFECT_LIVE,
  VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART,
  VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY,
  VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE,
  VIR_DOMAIN_LIFECYCLE_ACTION_RESTART,
  VIR_DOMAIN_LIFECYCLE_CRASH,
  VIR_DOMAIN_LIFECYCLE_POWEROFF,
  VIR_DOMAIN_LIFECYCLE_REBOOT,
  VIR_DOMAIN_METADATA_DESCRIPTION,
  VIR_DOMAIN_METADATA_ELEMENT,
  VIR_DOMAIN_METADATA_TITLE,
} from './flags/index.ts'
import type { Host } from './host.ts'
import { impactOf, toldOf } from './impact.ts'
import { isActiveState } from './remembered.ts'
import { annotationsOf, metadataIn, withMetadata } from './xml/metadata.ts'
import { EXITS } from './xml/platform.ts'

const KNOWN = { known: VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG }

/** What is noted on a domain, and what it is called. */
export class DomainWithMetadata extends DomainWithDefinition {
  /**
   * A note: `VIR_DOMAIN_METADATA_DESCRIPTION`, `_TITLE`, or with `_ELEMENT` that of the namespace `uri`. Rejects with
   * `VIR_ERR_NO_DOMAIN_METADATA` where there is none (virDomainGetMetadata).
   */
  async getMetadata(type: number, uri: string | null = null, flags = 0): Promise<string> {
    const name = 'virDomainGetMetadata'
    return this.read(name, async () => {
      checkFlags(name, flags, KNOWN)
      this.#assertNamed(name, type, { uri })
      const { config, domain } = await this.host.described(this.id)
      toldOf(this.host, flags, this.host.seen(this.id, domain))
      const note = noteIn(config, type, uri)
      if (note !== undefined && note !== '') return note
      throw this.host.error(VIR_ERR_NO_DOMAIN_METADATA, 'Requested metadata element is not present')
    })
  }

  /**
   * Changes a note, or with null takes it away. An element is put into the namespace `uri` under the prefix `key`. Notes are
   * of the definition, and count at once (virDomainSetMetadata).
   */
  async setMetadata(
    type: number,
    metadata: string | null,
    key: string | null = null,
    uri: string | null = null,
    flags = 0,
  ): Promise<void> {
    const name = 'virDomainSetMetadata'
    await this.change(name, async () => {
      checkFlags(name, flags, KNOWN)
      this.#assertNamed(name, type, { uri, ...(metadata !== null && { key }) })
      if (type === VIR_DOMAIN_METADATA_TITLE && metadata?.includes('\n') === true) {
        throw this.host.error(VIR_ERR_INVALID_ARG, "metadata title can't contain newlines")
      }
      await this.amend((config, now) => {
        impactOf(this.host, flags, now)
        if (type === VIR_DOMAIN_METADATA_DESCRIPTION) return { ...config, description: metadata ?? '' }
        const { annotations = {}, ...others } = config
        const changed =
          type === VIR_DOMAIN_METADATA_TITLE
            ? annotationsOf({ ...annotations, title: metadata ?? '' })
            : withMetadata(annotations, { namespace: uri ?? '', prefix: key ?? '', text: metadata })
        return changed === undefined ? others : { ...others, annotations: changed }
      })
      hubOf(this.host.driver).note(this.id, { kind: 'metadata-changed', type, uri })
    })
  }

  /**
   * Chooses what becomes of it when its guest shuts down, reboots or panics, one of `VIR_DOMAIN_LIFECYCLE_`; a
   * `VIR_DOMAIN_LIFECYCLE_ACTION_`, which counts at once and stays (virDomainSetLifecycleAction).
   */
  async setLifecycleAction(type: number, action: number, flags = 0): Promise<void> {
    const name = 'virDomainSetLifecycleAction'
    await this.change(name, async () => {
      checkFlags(name, flags, KNOWN)
      const exits = exitsFor(this.host, type, action)
      await this.amend((config, now) => {
        impactOf(this.host, flags, now)
        return { ...config, exits: { ...(config.exits ?? EXITS), ...exits } }
      })
    })
  }

  /** Gives it another name; of a domain that is off, and was not saved (virDomainRename). */
  async rename(newName: string, flags = 0): Promise<void> {
    await this.change('virDomainRename', async () => {
      checkFlags('virDomainRename', flags, {})
      if (newName === '' || newName.includes('\n')) {
        throw this.host.error(VIR_ERR_INVALID_ARG, 'new_name in virDomainRename must be a name of one line')
      }
      // First the name, as with those who describe a domain, who would wait for one that waits for them.
      await this.host.remembered.turns.run(`name ${newName}`, async () => {
        const isTaken = (await this.host.domains()).some(({ id, name }) => name === newName && id !== this.id)
        await this.host.alone(this.id, () =>
          this.amend((config, { state }) => {
            if (config.name === newName) throw this.host.error(VIR_ERR_INVALID_ARG, "Can't rename domain to itself")
            if (isActiveState(state)) throw this.host.error(VIR_ERR_OPERATION_INVALID, 'cannot rename active domain')
            if (state === 'suspended') {
              throw this.host.error(VIR_ERR_OPERATION_INVALID, "domain with a managed saved state can't be renamed")
            }
            if (isTaken) {
              throw this.host.error(VIR_ERR_OPERATION_INVALID, `domain with name '${newName}' already exists`)
            }
            return { ...config, name: newName }
          }),
        )
      })
    })
  }

  /** An element is of a namespace, and has a prefix in it; other notes have neither. */
  #assertNamed(name: FunctionName, type: number, names: Readonly<Record<string, string | null>>): void {
    const types = [VIR_DOMAIN_METADATA_DESCRIPTION, VIR_DOMAIN_METADATA_TITLE, VIR_DOMAIN_METADATA_ELEMENT]
    if (!types.includes(type)) throw this.host.error(VIR_ERR_INVALID_ARG, `unknown metadata type '${type}'`)
    for (const [argument, value] of Object.entries(names)) {
      const isWanted = type === VIR_DOMAIN_METADATA_ELEMENT
      if ((value !== null) === isWanted) continue
      const must = isWanted ? 'must not be NULL' : 'must be NULL'
      throw this.host.error(VIR_ERR_INVALID_ARG, `${argument} in ${name} ${must}`)
    }
  }
}

/** In the order of their numbers. Source: libvirt, virDomainLifecycle and virDomainLifecycleAction. */
const TYPE_WORDS = ['poweroff', 'reboot', 'crash'] as const
const ACTION_WORDS = [
  'destroy',
  'restart',
  'rename-restart',
  'preserve',
  'coredump-destroy',
  'coredump-restart',
] as const

function exitsFor(host: Host, type: number, action: number): Partial<ExitActions> {
  const isKnown = Number.isInteger(action) && action >= 0 && action <= VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART
  if (!isKnown) throw host.error(VIR_ERR_INVALID_ARG, `invalid lifecycle action: '${action}'`)
  const ending = TYPE_WORDS[type]
  if (ending === undefined) throw host.error(VIR_ERR_INVALID_ARG, `invalid lifecycle type: '${type}'`)
  if (type === VIR_DOMAIN_LIFECYCLE_CRASH && action === VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE) return { crash: 'hold' }
  const wanted = ACTIONS.get(action)
  if (wanted === undefined) {
    const text = `the action '${ACTION_WORDS[action]}' is not taken here when a guest ends by '${ending}'`
    throw host.error(VIR_ERR_OPERATION_UNSUPPORTED, text)
  }
  if (type === VIR_DOMAIN_LIFECYCLE_POWEROFF) return { shutdown: wanted }
  if (type === VIR_DOMAIN_LIFECYCLE_REBOOT) return { reboot: wanted }
  return { crash: wanted }
}

const ACTIONS: ReadonlyMap<number, 'halt' | 'restart'> = new Map([
  [VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY, 'halt'],
  [VIR_DOMAIN_LIFECYCLE_ACTION_RESTART, 'restart'],
])

function noteIn({ description, annotations = {} }: DomainConfig, type: number, uri: string | null): string | undefined {
  if (type === VIR_DOMAIN_METADATA_DESCRIPTION) return description
  return type === VIR_DOMAIN_METADATA_TITLE ? annotations.title : metadataIn(annotations, uri ?? '')
}
