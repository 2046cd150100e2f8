import { Wbem, WmiError } from '../cim/provider.ts'
import { type FaultName, type FaultRow, rowOf } from './fault-table.ts'
import { FAULT_TEXTS, type Sentence } from './fault-texts.ts'

/** What WMI says of a call that failed: `__ExtendedStatus`, which only the older form of a fault shows. */
export interface ExtendedStatus {
  readonly operation: 'ExecQuery' | 'GetObject' | 'ExecMethod' | 'PutInstance' | 'DeleteInstance' | 'CreateInstanceEnum'
  /** The query, the class or the path. */
  readonly parameters: string
  /** `root\virtualization\v2` */
  readonly namespace: string
}

export interface FaultOptions {
  /** What is wrong in particular; without it the general text stands there too. */
  readonly message?: Sentence
  /** Another code than that of the table: of what WMI answers. */
  readonly code?: number
  readonly extended?: ExtendedStatus
  /** The header that was not understood, as the request spells it. */
  readonly notUnderstood?: { readonly prefix: string; readonly name: string; readonly namespace: string }
  /** Of a filter whose dialect is not supported: those that are. */
  readonly dialects?: readonly string[]
}

/** A request that is answered with a fault. */
export class WsmanFault extends Error {
  override readonly name = 'WsmanFault'
  readonly fault: FaultName
  readonly row: FaultRow
  readonly options: FaultOptions

  constructor(fault: FaultName, options: FaultOptions = {}) {
    super(options.message?.en ?? FAULT_TEXTS[fault].en)
    this.fault = fault
    this.row = rowOf(fault)
    this.options = options
  }

  get code(): number {
    return this.options.code ?? this.row.code
  }
}

/** A fault with a sentence about what is wrong; a name in it is the same in all languages. */
export function refuse(fault: FaultName, en: string, ja: string, options: FaultOptions = {}): WsmanFault {
  return new WsmanFault(fault, { ...options, message: { en, ja } })
}

/** The XML of a request is not what its schema says. `what` names the element. */
export function schemaFault(what: string, en: string, ja: string): WsmanFault {
  return refuse('schema-validation', `${what}: ${en}`, `${what}: ${ja}`)
}

/** How each of WMI's own failures is reported; those that are not here are internal errors with WMI's code. */
const OF_WMI: Readonly<Record<number, FaultName>> = {
  [Wbem.notFound]: 'not-found',
  [Wbem.accessDenied]: 'access-denied',
  [Wbem.invalidClass]: 'cannot-process-filter',
  [Wbem.invalidQuery]: 'cannot-process-filter',
  [Wbem.providerNotCapable]: 'not-capable',
}

/** The fault for what WMI did not carry out. */
export function faultOfWmi(error: WmiError, extended?: ExtendedStatus): WsmanFault {
  const fault = OF_WMI[error.hresult]
  const message = { en: `${error.message} `, ja: `${error.message} ` }
  const options = extended === undefined ? { message } : { message, extended }
  if (fault !== undefined) return new WsmanFault(fault, options)
  return new WsmanFault('provider-failed', { ...options, code: error.hresult })
}

/** Runs what asks WMI, and makes faults of its failures. */
export async function askWmi<T>(extended: ExtendedStatus, ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof WmiError) throw faultOfWmi(error, extended)
    throw error
  }
}
