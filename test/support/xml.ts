import { SaxesParser } from 'saxes'

/** An element of a document: its children and its own text, in which white space counts. */
export interface Element {
  readonly name: string
  readonly children: Element[]
  text: string
}

/** Reads a document with a parser that is not ours; throws where it is not well-formed. */
export function parseXml(document: string): Element {
  const top: Element = { name: '', children: [], text: '' }
  const open = [top]
  const here = () => open.at(-1) ?? top
  const parser = new SaxesParser()
  parser.on('error', error => {
    throw error
  })
  parser.on('opentag', ({ name }) => {
    const element: Element = { name, children: [], text: '' }
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

/** The one child of this name. */
export function childOf(element: Element, name: string): Element {
  const [found, ...more] = element.children.filter(child => child.name === name)
  if (found === undefined || more.length > 0) throw new TypeError(`<${element.name}> has not one <${name}>`)
  return found
}

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;')
