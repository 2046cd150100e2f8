import { classes } from '../model/index.ts'
import { type Operation, operationsOf } from '../model/kernel/operations.ts'

/** Every operation of the API by its canonical name, such as `VM.get_name_label`. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  Object.values(classes).flatMap(of => operationsOf(of).map(operation => [operation.name, operation] as const)),
)

/** An operation, and whether it is asked for as a task. */
export interface Asked {
  readonly operation: Operation
  readonly async: boolean
}

const ASYNC = 'Async.'

/** The operation of a canonical name, with or without `Async.` in front; undefined where there is none. */
export function findOperation(method: string): Asked | undefined {
  const async = method.startsWith(ASYNC)
  const operation = operations.get(async ? method.slice(ASYNC.length) : method)
  if (operation === undefined || (async && !operation.hasAsync)) return undefined
  return { operation, async }
}

/** The name under which an operation is called. */
export const methodOf = ({ operation, async }: Asked): string => (async ? `${ASYNC}${operation.name}` : operation.name)
