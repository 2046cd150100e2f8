import { NULL_REF } from '../model/kernel/types.ts'
import { type FieldSchema, partnerOf, type ReferenceField, refsIn } from './schema.ts'
import { ReferenceInUse } from './store.ts'
import { changedRecord, type Memento, type Table, type Tables, tableOf, usersOf } from './table.ts'

/** What a transaction has done to one object. */
export interface Touch {
  readonly table: Table
  readonly ref: string
  /** What was there before the transaction. */
  readonly before: Memento
  /** It was taken away and added again. */
  readonly renewed: boolean
  readonly written: readonly WrittenField[]
}

/** A field that was written: by steps (`+ref`, `-ref`) in a set, or as a whole, without steps. */
export interface WrittenField {
  readonly field: FieldSchema
  readonly steps: readonly string[] | undefined
}

/**
 * Changes the tables, one transaction after another: keeps the two ends of bound fields in step, and remembers how
 * everything was. Values are normalised and references checked before they come here; nothing here fails but `end`.
 */
export class Writer {
  readonly #tables: Tables
  readonly #byObject: ReadonlyMap<Table, Map<string, OpenTouch>>
  #touches: OpenTouch[] = []

  constructor(tables: Tables) {
    this.#tables = tables
    this.#byObject = new Map([...tables.values()].map(table => [table, new Map()]))
  }

  /** Begins a transaction. */
  begin(): void {
    for (const { table, ref } of this.#touches) this.#byObject.get(table)?.delete(ref)
    this.#touches = []
  }

  /** The record of what is done to this object, begun with what is there now. To be called before it changes. */
  touch(table: Table, ref: string): OpenTouch {
    const ofTable = this.#byObject.get(table)
    let touch = ofTable?.get(ref)
    if (touch === undefined) {
      touch = new OpenTouch(table, ref)
      ofTable?.set(ref, touch)
      this.#touches.push(touch)
    }
    return touch
  }

  /**
   * What the transaction has done, in the order in which objects were first touched. Throws ReferenceInUse where an
   * object that was removed is still named: bound partners lost it by themselves, who else names it would be left
   * dangling.
   */
  end(): readonly Touch[] {
    for (const { table, ref, before } of this.#touches) {
      if (before === undefined || table.has(ref)) continue
      const users = usersOf(this.#tables, table.schema.name, ref)
      if (users.length > 0) throw new ReferenceInUse(table.schema.name, ref, users)
    }
    return this.#touches
  }

  /** Takes back everything the transaction has done. */
  abandon(): void {
    for (const { table, ref, before } of this.#touches) table.restore(ref, before)
  }

  /** Makes a bound field name exactly `wanted`, in this order, and both ends of every pair agree. */
  relate(table: Table, ref: string, field: ReferenceField, wanted: readonly string[]): void {
    const now = () => refsIn(field, table.get(ref)?.[field.name])
    const keep = new Set(wanted)
    for (const other of now()) if (!keep.has(other)) this.#unlink(table, ref, field, other)
    const held = new Set(now())
    for (const other of wanted) if (!held.has(other)) this.link(table, ref, field, other)

    if (field.reference.many && now().some((other, index) => other !== wanted[index])) {
      this.#setField(table, ref, field, Object.freeze([...wanted]))
    }
  }

  /** Makes the two name each other. A single reference at either end first lets go of whom it named before. */
  link(table: Table, ref: string, field: ReferenceField, other: string): void {
    const partner = partnerOf(field)
    if (partner === undefined) return
    const partnerTable = tableOf(this.#tables, partner.class)
    if (!field.reference.many) {
      for (const had of refsIn(field, table.get(ref)?.[field.name])) this.#unlink(table, ref, field, had)
    }
    if (!partner.reference.many) {
      for (const had of refsIn(partner, partnerTable.get(other)?.[partner.name])) {
        this.#unlink(partnerTable, other, partner, had)
      }
    }
    this.#attach(table, ref, field, other)
    this.#attach(partnerTable, other, partner, ref)
  }

  #unlink(table: Table, ref: string, field: ReferenceField, other: string): void {
    const partner = partnerOf(field)
    if (partner === undefined) return
    this.detach(table, ref, field, other)
    this.detach(tableOf(this.#tables, partner.class), other, partner, ref)
  }

  #attach(table: Table, ref: string, field: ReferenceField, other: string): void {
    const held = refsIn(field, table.get(ref)?.[field.name])
    if (held.includes(other)) return
    if (field.reference.many) this.#setField(table, ref, field, Object.freeze([...held, other]), `+${other}`)
    else this.#setField(table, ref, field, other)
  }

  /** Takes a reference out of this one end. */
  detach(table: Table, ref: string, field: ReferenceField, other: string): void {
    const held = refsIn(field, table.get(ref)?.[field.name])
    if (!held.includes(other)) return
    const rest = Object.freeze(held.filter(member => member !== other))
    if (field.reference.many) this.#setField(table, ref, field, rest, `-${other}`)
    else this.#setField(table, ref, field, NULL_REF)
  }

  #setField(table: Table, ref: string, field: FieldSchema, value: unknown, step?: string): void {
    const record = table.get(ref)
    if (record === undefined) return
    this.touch(table, ref).wrote(field, step)
    table.put(ref, changedRecord(record, { [field.name]: value }))
  }
}

/** A touch while it grows. */
export class OpenTouch implements Touch {
  readonly table: Table
  readonly ref: string
  readonly before: Memento
  readonly written: { readonly field: FieldSchema; steps: string[] | undefined }[] = []
  renewed = false
  #wasRemoved = false

  constructor(table: Table, ref: string) {
    this.table = table
    this.ref = ref
    this.before = table.memento(ref)
  }

  added(): void {
    this.renewed = this.#wasRemoved && this.before !== undefined
  }

  removed(): void {
    this.#wasRemoved = true
  }

  /** Notes that a field was written: as a whole, unless by a step. */
  wrote(field: FieldSchema, step?: string): void {
    const known = this.written.find(entry => entry.field === field)
    if (known === undefined) this.written.push({ field, steps: step === undefined ? undefined : [step] })
    else if (step === undefined) known.steps = undefined
    else known.steps?.push(step)
  }
}
