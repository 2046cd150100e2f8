import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { type Node, readXml, select, textAt } from './literal-xml.ts'

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'hyperv', 'client-requests')
const POLLS_MAX = 300
const PULLS_MAX = 1_000

/** What comes in place of what was recorded: machines, contexts, paths. */
export type Replacements = Readonly<Record<string, string>>

/** An answer as it came, read by a parser that is not ours. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly root: Node
}

/** A request that a client really sent, its envelope with something else in place of what belonged to its own host. */
export function recorded(file: string, replacements: Replacements = {}): string {
  const kept = readFileSync(join(FOLDER, file), 'utf8')
  let envelope = kept.slice(kept.indexOf('<?xml')).trimEnd()
  for (const [old, replacement] of Object.entries(replacements)) {
    assert.ok(envelope.includes(old), `${file} holds no ${old}`)
    envelope = envelope.replaceAll(old, () => replacement)
  }
  return envelope
}

/** An answer that has come, read; where there is no body, there is an element that says so. */
export function readAnswer(status: number, text: string): Answer {
  return { status, headers: {}, text, root: readXml(text === '' ? '<nothing/>' : text) }
}

/** Carries an envelope to a host and its answer back. */
export type Post = (envelope: string) => Promise<Answer>

/** Speaks with a host as the C driver of libvirt does: with what that sent, and reading as it reads. */
export class RecordedClient {
  readonly post: Post
  readonly #folder: string

  /** The folder of the requests that it sends of itself: those of one version of libvirt. */
  constructor(post: Post, folder = 'libvirt-v2') {
    this.post = post
    this.#folder = folder
  }

  /** Posts what was recorded; the answer must be none that openwsman takes for a failure. */
  async send(file: string, replacements: Replacements = {}): Promise<Answer> {
    const answer = await this.post(recorded(`${this.#folder}/${file}`, replacements))
    assert.equal(answer.status, 200, answer.text)
    return answer
  }

  /** All that a query finds, one by one, as the C driver pulls it: with the class that it expects in the URI. */
  async query(wql: string, expected = classIn(wql), mode: 'objects' | 'references' = 'objects'): Promise<Node[]> {
    const found: Node[] = []
    let context = textAt(
      (await this.post(this.#enumerate(wql, mode))).root,
      '/s:Envelope/s:Body/n:EnumerateResponse/n:EnumerationContext',
    )
    for (let pulls = 0; context !== undefined && context !== ''; pulls++) {
      assert.ok(pulls < PULLS_MAX, `${wql} has no end`)
      const { root, text } = await this.post(this.pull(context, expected, isOfCimv2(wql)))
      const [items, ...more] = select(root, '/s:Envelope/s:Body/n:PullResponse/n:Items')
      assert.ok(items !== undefined && more.length === 0, text)
      const next = textAt(root, '/s:Envelope/s:Body/n:PullResponse/n:EnumerationContext')
      const isEnd = select(root, '/s:Envelope/s:Body/n:PullResponse/n:EndOfSequence').length === 1
      // One item and no more, or none where nothing was found; and the context is another one each time.
      assert.ok(items.children.length === 1 || (items.children.length === 0 && found.length === 0 && isEnd), text)
      assert.equal(isEnd, next === undefined, text)
      assert.notEqual(next, context)
      found.push(...items.children)
      context = next
    }
    return found
  }

  /** A Pull of what was begun, with the class URI of what is expected, or of the service that is to be called. */
  pull(context: string, className: string, isCimv2 = false): string {
    const isV1 = this.#folder !== 'libvirt-v2'
    const file = isV1 ? 'v1-Pull.req.txt' : 'pull.txt'
    const [old = ''] =
      /uuid:[0-9A-F-]{36}(?=<\/wsen:EnumerationContext>)/.exec(recorded(`${this.#folder}/${file}`)) ?? []
    const namespace = isV1 ? 'root/virtualization/' : 'root/virtualization/v2/'
    return recorded(`${this.#folder}/${file}`, {
      [old]: context,
      [`${namespace}Msvm_ComputerSystem`]: `${isCimv2 ? 'root/cimv2/' : namespace}${className}`,
    })
  }

  /** Follows the job of a call that has begun one, as the C driver does: by a query, and no other way. */
  async finish(answer: Answer, method: string): Promise<string> {
    const output = `/s:Envelope/s:Body/p:${method}_OUTPUT`
    const returnValue = textAt(answer.root, `${output}/p:ReturnValue`)
    assert.ok(returnValue !== undefined, answer.text)
    if (returnValue !== '4096') return returnValue
    const id = textAt(answer.root, `${output}/p:Job/a:ReferenceParameters/w:SelectorSet/w:Selector[@Name='InstanceID']`)
    for (let polls = 0; polls < POLLS_MAX; polls++) {
      const [job] = await this.query(`SELECT * FROM Msvm_ConcreteJob WHERE InstanceID = '${id}'`)
      const state = job && propertyOf(job, 'JobState')
      if (state === '7') return '0'
      assert.ok(['2', '3', '4', '6'].includes(state ?? ''), `the job of ${method} is in state ${state}`)
    }
    throw new Error(`the job of ${method} has no end`)
  }

  #enumerate(wql: string, mode: 'objects' | 'references'): string {
    const isV1 = this.#folder !== 'libvirt-v2'
    const file = isV1 ? 'v1-Enumerate.req.txt' : 'enumerate_wql_select_cimv2.txt'
    const old = isV1 ? 'select * from Win32_OperatingSystem ' : 'SELECT * FROM Win32_ComputerSystemProduct '
    const namespace = isV1 ? 'root/virtualization/*' : 'root/virtualization/v2/*'
    return recorded(`${this.#folder}/${file}`, {
      [old]: wql.replaceAll('&', '&amp;').replaceAll('<', '&lt;'),
      ...(isOfCimv2(wql) ? {} : { 'root/cimv2/*': namespace }),
      ...(mode === 'objects'
        ? {}
        : { '<wsen:Enumerate>': '<wsen:Enumerate><wsman:EnumerationMode>EnumerateEPR</wsman:EnumerationMode>' }),
    })
  }
}

const isOfCimv2 = (wql: string): boolean => /\b(Win32_|CIM_DataFile\b)/i.test(wql)

/** The class that a query is for. */
function classIn(wql: string): string {
  return /ResultClass\s*=\s*(\w+)/i.exec(wql)?.[1] ?? /\bFROM\s+(\w+)/i.exec(wql)?.[1] ?? ''
}

/** A scalar of an instance; undefined where it is null. Throws where it is not there exactly once. */
export function propertyOf(item: Node, name: string): string | undefined {
  const [found, ...more] = item.children.filter(({ local, uri }) => local === name && uri === item.uri)
  assert.ok(found !== undefined && more.length === 0, `${item.local} has not one ${name}`)
  if (found.attributes.get('xsi:nil') === 'true') return undefined
  return found.text !== '' || found.children.length === 0 ? found.text : found.children[0]?.text
}

/** The values of an array. */
export function valuesOf(item: Node, name: string): string[] {
  return item.children.filter(({ local }) => local === name).map(({ text }) => text)
}
