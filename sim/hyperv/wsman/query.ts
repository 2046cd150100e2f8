import type { Instance } from '../cim/model.ts'
import { parseWql, type Query } from '../wql/query.ts'
import { runQuery } from '../wql/run.ts'
import type { Field } from '../wql/field.ts'
import { WqlError } from '../wql/wql-error.ts'
import { askWmi, type ExtendedStatus, refuse, WsmanFault } from './fault.ts'
import { writeRow } from './fragment.ts'
import { instanceItems, wholeInstance } from './items.ts'
import { UNKNOWN_CLASS } from './lookup.ts'
import type { Selection, SelectionRequest } from './selection-request.ts'

/** Reads a query in WQL; what it names is looked up when it is run. Throws WsmanFault. */
export function prepareQuery({ repository, writer, mode }: SelectionRequest, text: string): Selection {
  const { namespace } = repository.schema
  const extended: ExtendedStatus = { operation: 'ExecQuery', parameters: text, namespace }
  const query = asFault(extended, () => parseWql(text))
  return {
    className: classOf(query),
    async select() {
      const { instances, fields } = await askWmi(extended, () => asFault(extended, () => runQuery(repository, query)))
      const write = fields === undefined ? wholeInstance(writer) : row(fields)
      return instanceItems(instances, writer, mode, write)
    },
  }

  function row(fields: readonly Field[]): (instance: Instance) => string {
    return instance =>
      writeRow(
        writer,
        fields.map(field => [field, field.read(instance)]),
      )
  }
}

function classOf(query: Query): string | undefined {
  return query.kind === 'select' ? query.className : query.resultClass
}

function asFault<T>(extended: ExtendedStatus, ask: () => T): T {
  try {
    return ask()
  } catch (error) {
    if (!(error instanceof WqlError)) throw error
    if (error.kind === 'object') throw new WsmanFault('not-found', { extended })
    if (error.kind === 'class') throw new WsmanFault('cannot-process-filter', { message: UNKNOWN_CLASS, extended })
    throw refuse('cannot-process-filter', `${error.message} `, `${error.message} `, { extended })
  }
}
