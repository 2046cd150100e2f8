/**
 * The spellings of a method name that the draft's own prose and examples use, told back to the canonical one.
 * Source: Xen Management API rev 0.2, §1.3 to §1.5, where `Session.do_login_with_password`, `VM.getname_label`,
 * `Host.ListAllVMs` and `Async.Task.GetStatus` all appear.
 */

/** Names that follow from no rule. Keys are in lower case. */
const ALIASES: Readonly<Record<string, string>> = {
  'host.listallvms': 'VM.list',
  'session.login': 'session.login_with_password',
  'task.getstatus': 'task.GetStatus',
  'task.getalltasks': 'task.get_all_tasks',
}

const METHOD_NAME_MAX = 128

/** What a method name asks for: a canonical method, and whether as a task. */
export interface Spelling {
  readonly method: string
  readonly async: boolean
}

/** Makes the function that finds the canonical name behind a spelling; it answers undefined where there is none. */
export function spellings(canonical: Iterable<string>, classNames: Iterable<string>) {
  const known = new Set(canonical)
  const classes = new Map([...classNames].map(name => [name.toLowerCase(), name]))
  return (name: string): Spelling | undefined => {
    if (known.has(name)) return { method: name, async: false }
    if (name.length > METHOD_NAME_MAX) return undefined
    const async = name.startsWith('Async.')
    const bare = async ? name.slice('Async.'.length) : name
    const alias = ALIASES[bare.toLowerCase()]
    if (alias !== undefined) return { method: alias, async }
    const dot = bare.indexOf('.')
    const className = classes.get(bare.slice(0, dot).toLowerCase())
    if (className === undefined) return undefined
    const method = candidates(bare.slice(dot + 1)).find(candidate => known.has(`${className}.${candidate}`))
    return method === undefined ? undefined : { method: `${className}.${method}`, async }
  }
}

/** A method's possible canonical spellings, the most literal first. */
function candidates(method: string): string[] {
  const plain = method.startsWith('do_') ? method.slice('do_'.length) : method
  const lowered = plain.charAt(0).toLowerCase() + plain.slice(1)
  const accessor = lowered.replace(/^(get|set)_?(?=.)/, '$1_')
  const loweredField = accessor.replace(
    /^(get_|set_)(.)/,
    (_, prefix: string, first: string) => prefix + first.toLowerCase(),
  )
  return [plain, lowered, accessor, loweredField]
}
