import type { Class } from '../model/kernel/define.ts'
import { wireName } from '../model/kernel/define.ts'
import { visibleFields } from '../model/kernel/operations.ts'
import type { Context } from './context.ts'
import { find, type Named } from './find.ts'
import { fieldNamed, parseValue, refuseField } from './value.ts'

/** The arguments of a command that changes a field, behind the one that names the object. */
export const FIELD_ARGUMENTS = {
  field: { doc: 'its name, name_label or name/label' },
  value: { doc: 'its new value' },
} as const

/** Changes a field of an object that is named. Throws UsageError, which lists the fields, where it has no such field. */
export async function setField(
  context: Context,
  of: Class & { readonly name: Named },
  { name, field, value }: { readonly name: string; readonly field: string; readonly value: string },
): Promise<void> {
  const writable = visibleFields(of).filter(([, { qualifier }]) => qualifier === 'RW')
  const [path, { type }] = fieldNamed(writable, field) ?? refuseField(of, field, writable)
  const parsed = parseValue(type, value, field)
  const client = await context.connect()
  const self = await find(client, of.name, name)
  await client.invoke(`${of.name}.set_${wireName(path)}`, { self, value: parsed })
  context.tell(`${wireName(path)} of ${name} set`, { [of.name.toLowerCase()]: self })
}
