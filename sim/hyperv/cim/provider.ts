import type { CimValue, Instance } from './model.ts'

/** The name of an instance: its class and keys. References, selectors and WQL paths all become this. */
export interface ObjectName {
  /** As the schema spells it where the schema has it. */
  readonly className: string
  /** By the key's name; values as text, since selectors carry nothing else. */
  readonly keys: ReadonlyMap<string, string>
}

/** Who calls, and in which language answers are wanted. */
export interface Caller {
  /** As Windows prints it: `HOST\Administrator`. */
  readonly user: string
}

/** What gives the instances of one class. Instances are made when asked for; nothing is kept. */
export interface ClassProvider {
  list(): Iterable<Instance>
  /**
   * The one of these keys, without making all the others; absent, it is searched for in `list`. All keys of the class
   * are given, by the schema's spelling; their values are as the client spelled them, and mean the same in any case.
   */
  find?(keys: ReadonlyMap<string, string>): Instance | undefined
  /**
   * Those that have these values, without making all the others: what a query demands to be equal, by the property's
   * name in lower case, as the client spelled it. More may be given than do; undefined lets all be listed.
   */
  demanded?(values: ReadonlyMap<string, string>): Iterable<Instance> | undefined
  /**
   * Of an association: those that name `object` at either end, without making all the others. `object` is the name of
   * an instance that is there, spelled as that instance is. More may be given than do name it.
   */
  referring?(object: ObjectName): Iterable<Instance>
  /**
   * Writes properties of an instance: those that are given, by the schema's spelling, of the declared types. Absent of
   * classes whose instances nobody writes. Throws WmiError for what may not be written, and then changes nothing.
   */
  put?(instance: Instance, values: ReadonlyMap<string, CimValue>): void
}

export interface MethodCall {
  /** What the method is called on. */
  readonly self: Instance
  /**
   * The arguments by the schema's spelling, of the declared types; what was left out or nil is absent. A reference is
   * an object path that was checked to be well-formed, not to lead anywhere. An embedded instance is still text.
   */
  readonly input: ReadonlyMap<string, CimValue>
  readonly caller: Caller
}

export interface MethodResult {
  readonly returnValue: number
  /** Out parameters by the schema's spelling; what is left out is NULL. */
  readonly output?: Readonly<Record<string, CimValue>>
}

/** Throws WmiError where WMI itself fails; what Hyper-V refuses is a return value, or a job that ends in exception. */
export type Method = (call: MethodCall) => MethodResult | Promise<MethodResult>

/** A part of what a host shows in one namespace. */
export interface Provider {
  /** By class name; concrete classes only. */
  readonly classes?: Readonly<Record<string, ClassProvider>>
  /** By `Class.Method`, the class being the concrete one of the instance, as the schema spells them. */
  readonly methods?: Readonly<Record<string, Method>>
}

/** WMI's own failures. Source: Microsoft Learn, "WMI Error Constants". */
export const Wbem = {
  failed: 0x80041001,
  notFound: 0x80041002,
  accessDenied: 0x80041003,
  invalidParameter: 0x80041008,
  invalidClass: 0x80041010,
  invalidQuery: 0x80041017,
  providerNotCapable: 0x80041024,
  invalidMethod: 0x8004102e,
  invalidMethodParameters: 0x8004102f,
  shuttingDown: 0x80041033,
  methodNotImplemented: 0x80041055,
} as const

/** A call or query that WMI did not carry out; the WS-Management face makes a fault of it. */
export class WmiError extends Error {
  readonly hresult: number

  constructor(hresult: number, message: string) {
    super(message)
    this.name = 'WmiError'
    this.hresult = hresult
  }
}
