import { EmbeddedError, parseEmbedded } from '../cim/embedded.ts'
import type { Schema } from '../cim/model.ts'
import { parsePath } from '../cim/path.ts'
import type { MethodCall, ObjectName } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Switch } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import type { Given } from '../host/resources-context.ts'
import { textGiven, textsGiven as textsIn } from '../host/resources-given.ts'
import { sameId } from '../host/resources-ids.ts'
import { switchNamed, switchRefusal } from '../host/switches.ts'
import { textsGiven } from './given.ts'
import { givenOf } from './resource-context.ts'
import { keyOf } from './rows.ts'
import { switchOfId } from './switches.ts'

// What the methods of the service for switches are given.

export const ALLOCATION = 'Msvm_EthernetPortAllocationSettingData'

/** A port of a switch's own, as it is given. */
export interface PortGiven {
  readonly to: 'host' | 'card'
  /** The GUID of the card. */
  readonly card: string
  readonly name: string
}

/** The ports in an array parameter. Throws an immediate OperationError. */
export function portsGiven(host: Host, schema: Schema, { input }: MethodCall, parameter: string): PortGiven[] {
  return textsGiven(input, parameter).map(text => {
    const given = embeddedGiven(host, schema, text, ALLOCATION)
    const [path, ...more] = textsIn(given, 'HostResource') ?? []
    const name = path === undefined ? undefined : parsePath(path, { isStrict: true })
    const to = name === undefined || more.length > 0 ? undefined : portTo(host, name)
    if (to === undefined) throw switchRefusal(host, '', 'invalid')
    return { ...to, name: textGiven(given, 'ElementName') ?? '' }
  })
}

/** What a port leads to: the host by its system, or one of its cards by all four keys. */
export function portTo(host: Host, name: ObjectName): Omit<PortGiven, 'name'> | undefined {
  if (/^Msvm_ComputerSystem$/i.test(name.className)) {
    return sameId(keyOf(name, 'Name') ?? '', host.state.name) ? { to: 'host', card: '' } : undefined
  }
  if (!/^Msvm_ExternalEthernetPort$/i.test(name.className)) return undefined
  const keys = ['CreationClassName', 'DeviceID', 'SystemCreationClassName', 'SystemName']
  if (keys.some(key => keyOf(name, key) === undefined)) return undefined
  const [, card] = /^Microsoft:\{(.+)\}$/i.exec(keyOf(name, 'DeviceID') ?? '') ?? []
  return card === undefined ? undefined : { to: 'card', card }
}

/**
 * An embedded instance. This service has a code of its own for a scalar in the place of an array, as was observed.
 * Throws an immediate OperationError.
 */
export function embeddedGiven(host: Host, schema: Schema, text: string | undefined, className: string): Given {
  try {
    const embedded = parseEmbedded(schema, text ?? '', { isStrict: host.isStrict })
    if (schema.isA(embedded.class.name, className)) return givenOf(embedded)
  } catch (error) {
    if (!(error instanceof EmbeddedError)) throw error
    const code = error.kind === 'shape' ? Return.incorrectType : error.code
    throw new OperationError(code, error.message, { isImmediate: true })
  }
  throw switchRefusal(host, '', 'invalid')
}

/** The switch that a reference's Name names. Throws OperationError where there is none. */
export function switchGiven(host: Host, id: string): Switch {
  const one = switchNamed(host, id)
  if (one === undefined) throw switchRefusal(host, '', 'invalid')
  return one
}

/** The switch whose settings a reference leads to. Throws OperationError where there is none. */
export function switchOfSettings(host: Host, id: string): Switch {
  const one = switchOfId(host, id)
  if (one === undefined) throw switchRefusal(host, '', 'invalid')
  return one
}
