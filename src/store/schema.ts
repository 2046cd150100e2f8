import { type Class, defaultOfField, type Field, wireName } from '../model/kernel/define.ts'
import { NULL_REF, type Type } from '../model/kernel/types.ts'
import { type Codec, codecOf } from './codec.ts'

/** A field as the store needs it. */
export interface FieldSchema {
  readonly class: string
  /** The wire name. */
  readonly name: string
  /** The wire name as JSON, for it is written with every commit. */
  readonly json: string
  /** The list of nothing but the wire name. */
  readonly names: readonly string[]
  readonly codec: Codec
  /** The normalised default. */
  readonly default: unknown
  /** Measured: it changes by samples and not by transactions, and the log does not have it. */
  readonly isVolatile: boolean
  /** Set where the field holds references. */
  readonly reference?: Reference
}

/** What a field that holds references says of itself. */
export interface Reference {
  /** The class that is referred to. */
  readonly class: string
  /** A set of references, not a single one. */
  readonly many: boolean
  /** The field of the other end that is kept in step; undefined where the field is not bound. */
  readonly partner: FieldSchema | undefined
}

/** A field that holds references. */
export type ReferenceField = FieldSchema & { readonly reference: Reference }

/** A class as the store needs it. */
export interface ClassSchema {
  readonly name: string
  /** The name as JSON. */
  readonly json: string
  readonly fields: readonly FieldSchema[]
  readonly byName: ReadonlyMap<string, FieldSchema>
  /** The wire names of all fields. */
  readonly names: readonly string[]
  /** The fields that the log has. */
  readonly durable: readonly FieldSchema[]
  readonly volatile: readonly FieldSchema[]
  readonly bound: readonly ReferenceField[]
  readonly unbound: readonly ReferenceField[]
}

/** All classes by name. */
export type Schema = ReadonlyMap<string, ClassSchema>

/** The references that a field's value names: a set as it is, a single one as a list of one, the null reference as none. */
export function refsIn(field: ReferenceField, value: unknown): readonly string[] {
  if (field.reference.many) return isRefs(value) ? value : []
  return typeof value === 'string' && value !== NULL_REF ? [value] : []
}

const isRefs = (value: unknown): value is readonly string[] => Array.isArray(value)

/** Whether a field holds references. */
export const refersTo = (field: FieldSchema): field is ReferenceField => field.reference !== undefined

/** The other end of a bound field; undefined where the field is not bound. */
export function partnerOf(field: ReferenceField): ReferenceField | undefined {
  const { partner } = field.reference
  return partner !== undefined && refersTo(partner) ? partner : undefined
}

/**
 * Prepares the declared classes. Throws TypeError that lists everything wrong with them: a bound pair whose ends do
 * not agree, a reference to a class that is not declared, a default of the wrong type, a class without `uuid`, a reference that is volatile.
 */
export function compileSchema(classes: readonly Class[]): Schema {
  const problems: string[] = []
  const declared = new Map(classes.map(of => [of.name, of]))
  if (declared.size < classes.length) problems.push('two classes have the same name')

  const drafts = new Map(classes.map(of => [of.name, compileFields(of, problems)]))
  for (const of of classes) {
    if (of.fields['uuid']?.type.kind !== 'string') problems.push(`${of.name}: needs a field uuid of type string`)
    bindFields(of, declared, drafts, problems)
  }
  if (problems.length > 0) throw new TypeError(`the declared classes cannot be stored: ${problems.join('; ')}`)
  return new Map(classes.map(of => [of.name, classSchema(of.name, drafts.get(of.name) ?? new Map())]))
}

/** A field while its partner is still being looked for. */
type Draft = { -readonly [K in keyof FieldSchema]: FieldSchema[K] }
type Drafts = ReadonlyMap<string, ReadonlyMap<string, Draft>>

function classSchema(name: string, byName: ReadonlyMap<string, FieldSchema>): ClassSchema {
  const fields = [...byName.values()]
  const references = fields.filter(refersTo)
  return {
    name,
    json: JSON.stringify(name),
    fields,
    byName,
    names: Object.freeze(fields.map(field => field.name)),
    durable: fields.filter(field => !field.isVolatile),
    volatile: fields.filter(field => field.isVolatile),
    bound: references.filter(field => field.reference.partner !== undefined),
    unbound: references.filter(field => field.reference.partner === undefined),
  }
}

function compileFields(of: Class, problems: string[]): Map<string, Draft> {
  const fields = new Map<string, Draft>()
  for (const [path, field] of Object.entries(of.fields)) {
    const name = wireName(path)
    try {
      const codec = codecOf(field.type)
      fields.set(name, {
        class: of.name,
        name,
        json: JSON.stringify(name),
        names: Object.freeze([name]),
        codec,
        default: codec.normalise(defaultOfField(field)),
        isVolatile: field.volatile === true,
      })
    } catch (cause) {
      problems.push(`${of.name}.${path}: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }
  return fields
}

/** Completes the fields of a class that hold references, now that the other ends are known. */
function bindFields(of: Class, declared: ReadonlyMap<string, Class>, drafts: Drafts, problems: string[]): void {
  for (const [path, field] of Object.entries(of.fields)) {
    const draft = drafts.get(of.name)?.get(wireName(path))
    const target = targetOf(field.type)
    if (field.volatile === true && (target !== undefined || path === 'uuid')) {
      problems.push(`${of.name}.${path}: must be durable`)
    }
    const problem = draft === undefined ? undefined : bindingProblem(of.name, path, field, declared)
    if (problem !== undefined) problems.push(`${of.name}.${path}: ${problem}`)
    if (draft === undefined || target === undefined) continue
    const partner = field.boundTo === undefined ? undefined : drafts.get(target.class)?.get(endOf(field.boundTo).name)
    draft.reference = { ...target, partner }
  }
}

/** What is wrong with a field's references, if anything. */
function bindingProblem(
  className: string,
  path: string,
  field: Field,
  declared: ReadonlyMap<string, Class>,
): string | undefined {
  const { boundTo } = field
  const target = targetOf(field.type)
  if (target === undefined) return boundTo === undefined ? undefined : 'is bound but holds no references'
  if (!declared.has(target.class)) return `refers to the class ${target.class}, which is not declared`
  if (boundTo === undefined) return undefined

  const end = endOf(boundTo)
  if (end.class !== target.class) return `refers to ${target.class} but is bound to ${boundTo}`
  const partner = Object.entries(declared.get(end.class)?.fields ?? {}).find(([name]) => wireName(name) === end.name)
  if (partner === undefined) return `is bound to ${boundTo}, which is not declared`
  const [, { boundTo: back = 'nothing' }] = partner
  const backEnd = endOf(back)
  const agrees = backEnd.class === className && backEnd.name === wireName(path)
  return agrees ? undefined : `is bound to ${boundTo}, which is bound to ${back}`
}

function endOf(boundTo: string): { readonly class: string; readonly name: string } {
  const [className = '', path = ''] = boundTo.split('.', 2)
  return { class: className, name: wireName(path) }
}

/** The class that a type refers to; undefined for a type that is neither a reference nor a set of them. */
function targetOf(type: Type): { readonly class: string; readonly many: boolean } | undefined {
  if (type.kind === 'ref') return { class: type.class, many: false }
  if (type.kind === 'set' && type.of.kind === 'ref') return { class: type.of.class, many: true }
  return undefined
}
