/** The types of CIM. Source: DSP0004, §5.5; `object` is an embedded instance that the wire shows as an element tree. */
export type CimType =
  | 'boolean'
  | 'string'
  | 'char16'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'sint8'
  | 'sint16'
  | 'sint32'
  | 'sint64'
  | 'real32'
  | 'real64'
  | 'datetime'
  | 'reference'
  | 'object'

/**
 * One value: `bigint` for the 64-bit integers, `number` for the others; `string` for strings, for datetimes and
 * intervals in CIM's own form of 25 characters (`20251217095522.702341+000`, `00000000003000.000000:000`), and for
 * references as WMI object paths (`\\HOST\root\virtualization\v2:Class.Key="value"`).
 */
export type CimScalar = boolean | number | bigint | string | Instance

/** What a property or parameter holds. Null is CIM's NULL, and what a property holds that nobody set. */
export type CimValue = CimScalar | readonly CimScalar[] | null

export interface CimProperty {
  /** As the schema spells it. */
  readonly name: string
  readonly type: CimType
  readonly isArray: boolean
  readonly isKey: boolean
  /** What the schema says. Hyper-V's methods take more than that: they are no sign of what can be modified. */
  readonly isWritable: boolean
  /** Of a uint8 array: bytes that belong together. */
  readonly isOctetString: boolean
  /** Of a reference: the class it leads to. Of an `object`, or a string that carries an instance: of what class. */
  readonly className?: string
  /** The first class of the derivation to declare it, overridden or not. */
  readonly origin: string
  /** What the schema gives an instance that says nothing; absent means NULL. */
  readonly fallback?: CimValue
}

export interface CimParameter {
  readonly name: string
  readonly type: CimType
  readonly isArray: boolean
  readonly isIn: boolean
  readonly isOut: boolean
  /** Of a reference: the class it leads to. Of a string or object that carries an instance: its class, where told. */
  readonly className?: string
}

export interface CimMethod {
  readonly name: string
  /** In the order of the schema. */
  readonly parameters: readonly CimParameter[]
  /** The class of the derivation that declares it. */
  readonly origin: string
}

/** A class as one Windows build has it: inherited properties and methods are among its own. */
export interface CimClass {
  readonly name: string
  /** From the nearest to the farthest. */
  readonly superclasses: readonly string[]
  readonly isAssociation: boolean
  readonly isAbstract: boolean
  /** Has one instance, which needs no keys. */
  readonly isSingleton: boolean
  /** In case-insensitive alphabetical order, as Windows writes them. */
  readonly properties: readonly CimProperty[]
  readonly methods: readonly CimMethod[]
  /** Whatever the case of `name`; undefined where the class has none of that name. */
  property(name: string): CimProperty | undefined
  method(name: string): CimMethod | undefined
}

/** The classes of one namespace on one build. */
export interface Schema {
  /** With backslashes and in lower case: `root\virtualization\v2`. */
  readonly namespace: string
  readonly classes: readonly CimClass[]
  /** Whatever the case of `name`. */
  find(name: string): CimClass | undefined
  /** The class itself and all that derive from it, abstract ones left out. */
  concrete(name: string): readonly CimClass[]
  /** Whether `name` is `ancestor` or derives from it. */
  isA(name: string, ancestor: string): boolean
}

/** An instance, or what is given of one. */
export interface Instance {
  readonly class: CimClass
  /** By the schema's spelling. What is not in it is NULL. */
  readonly values: ReadonlyMap<string, CimValue>
  /** What of `values` the schema gave since nobody said anything: Windows marks it in embedded instances. */
  readonly fallbacks?: ReadonlySet<string>
}
