import { classes } from '../../model/index.ts'
import { type Operation, operationsOf } from '../../model/kernel/operations.ts'
import { typeName } from '../../model/kernel/types.ts'
import { command } from '../command.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../failure.ts'
import { jsonText } from '../json.ts'
import { readPasswordFile } from '../password.ts'
import { parseRecord, parseValue } from '../value.ts'

const ASYNC = 'Async.'

/** Any method of the API. */
export const call = command({
  doc: 'Call a method of the API by its canonical name and print the result as JSON. The session goes by itself.',
  args: {
    method: { doc: 'such as VM.get_all, VM.start or Async.VM.start' },
    arg: { doc: 'its arguments in order; sets a,b or JSON, maps a=1,b=2 or JSON, passwords @FILE', many: true },
  },
  examples: [
    'call VM.get_all',
    'call VM.get_name_label UUID',
    'call Async.VM.start UUID false',
    `call network.create '{"name/label": "lab"}'`,
  ],
  async run(context, { method, arg }) {
    const operation = operationNamed(method)
    const args = await namedArguments(operation, arg, context)
    const client = await context.connect()
    context.print(jsonText(await client.invoke(method, args)))
  },
})

function operationNamed(method: string): Operation {
  const isAsync = method.startsWith(ASYNC)
  const name = isAsync ? method.slice(ASYNC.length) : method
  const all = Object.values(classes).flatMap(of => operationsOf(of))
  const found = all.find(operation => operation.name === name)
  if (found !== undefined && !found.withoutSession && (!isAsync || found.hasAsync)) return found
  if (found?.withoutSession === true) throw new UsageError(`${method} is what "polyvisor login" does`)
  const alike = all.map(operation => operation.name).find(known => known.toLowerCase() === name.toLowerCase())
  throw new UsageError(`there is no method ${method}${alike === undefined ? '' : `; did you mean ${alike}?`}`)
}

async function namedArguments(operation: Operation, words: readonly string[], context: Context) {
  const { name, params, kind } = operation
  if (words.length !== params.length) {
    const wanted = params.map(param => `${param.name} (${typeName(param.type)})`).join(', ')
    throw new UsageError(`${name} takes ${params.length} arguments, not ${words.length}: ${wanted || 'none'}`)
  }
  if (kind === 'create') return parseRecord(operation.class, words[0] ?? '')
  const entries = params.map(async (param, index) => {
    const word = words[index] ?? ''
    const value = param.secret === true ? await secret(param.name, word, context) : word
    return [param.name, parseValue(param.type, value, param.name)] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** Every user of the machine can read a command line. */
async function secret(name: string, word: string, context: Context): Promise<string> {
  if (word.startsWith('@')) return await readPasswordFile(word.slice(1), context.io)
  throw new UsageError(`${name} is a secret: put it in a file and write @FILE, or @- for standard input`)
}
