import { SaxesParser } from 'saxes'

/** An element as it is written: by its prefix, whatever that stands for. */
export interface Node {
  /** `p:ReturnValue`. */
  readonly name: string
  readonly local: string
  readonly uri: string
  /** By name with prefix; declarations of namespaces too. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: Node[]
  text: string
}

/** Reads a document with a parser that is not ours; throws where it is not well-formed. */
export function readXml(document: string): Node {
  const top: Node = { name: '', local: '', uri: '', attributes: new Map(), children: [], text: '' }
  const open = [top]
  const here = () => open.at(-1) ?? top
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', error => {
    throw error
  })
  parser.on('opentag', ({ name, local, uri, attributes }) => {
    const written = Object.values(attributes).map(({ name: one, value }) => [one, value] as const)
    const element = { name, local, uri, attributes: new Map(written), children: [], text: '' }
    here().children.push(element)
    open.push(element)
  })
  parser.on('closetag', () => void open.pop())
  const addText = (text: string) => void (here().text += text)
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.write(document).close()
  const [root] = top.children
  if (root === undefined) throw new TypeError('an empty document')
  return root
}

/**
 * What an XPath finds for a client that knows prefixes only as the document binds them on its envelope and on the first
 * element of its body, as the C driver of libvirt does. Throws for a prefix that is bound in neither place.
 */
export function select(root: Node, path: string): Node[] {
  const bound = bindings(root)
  let found: Node[] = [{ ...root, name: '', children: [root] }]
  for (const [, axis, prefix = '', local = '', attribute, value] of path.matchAll(STEP)) {
    const uri = bound.get(prefix)
    if (uri === undefined) throw new TypeError(`the prefix ${prefix} of ${path} is bound nowhere that counts`)
    const candidates = axis === '//' ? found.flatMap(descendants) : found.flatMap(({ children }) => children)
    found = candidates.filter(
      node =>
        node.local === local &&
        node.uri === uri &&
        (attribute === undefined || node.attributes.get(attribute) === value),
    )
  }
  return found
}

/** The text of the first element found; undefined where there is none. */
export const textAt = (root: Node, path: string): string | undefined => select(root, path)[0]?.text

const STEP = /(\/\/?)(\w+):(\w+)(?:\[@(\w+)='([^']*)'\])?/g

function bindings(root: Node): Map<string, string> {
  const body = root.children.find(({ local }) => local === 'Body')
  const bound = new Map<string, string>()
  for (const node of [root, body?.children[0]]) {
    for (const [name, value] of node?.attributes ?? []) {
      if (name.startsWith('xmlns:')) bound.set(name.slice('xmlns:'.length), value)
    }
  }
  return bound
}

function descendants(node: Node): Node[] {
  return node.children.flatMap(child => [child, ...descendants(child)])
}
