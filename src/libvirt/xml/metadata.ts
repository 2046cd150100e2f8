import type { Annotations } from '../../drivers/driver.ts'
import { XmlError } from '../../wire/xml/error.ts'
import { parseXml, type XmlElement } from '../../wire/xml/tree.ts'
import { writeXml, type XmlOutput, type XmlStyle } from '../../wire/xml/write.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_XML_DETAIL, VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN } from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'
import { OWN_NAMESPACE } from './extension.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

/** What programs note of a domain, in characters, all together; what management programs write has a few thousand. */
const METADATA_MAX = 64 * 1_024
/** As libvirt writes attributes, so that what comes back of a description is the text that was in it. */
const LOOK: XmlStyle = { quote: "'" }
/** Of one such element. */
const LIMITS = { maxBytes: 4 * METADATA_MAX, maxDepth: 64, maxElements: 5_000 }

/**
 * Reads `<title>`, and of `<metadata>` what others noted there. Elements without a namespace are nobody's and not kept,
 * nor is a second one of a namespace. Source: libvirt, src/util/virxml.c, virXMLNodeSanitizeNamespaces.
 */
export function readAnnotations(domain: Reading, metadata: Reading | undefined): Annotations | undefined {
  const title = domain.child('title')?.rawText() ?? ''
  if (title.includes('\n')) return domain.fail(VIR_ERR_XML_ERROR, "Domain title can't contain newlines")
  const notes = new Map<string, string>()
  for (const note of metadata?.rest() ?? []) {
    if (note.namespace === OWN_NAMESPACE) metadata?.refuse(`/${spelled(note.prefix, note.name)}`, undefined)
    if (note.namespace !== '' && !notes.has(note.namespace)) notes.set(note.namespace, textOf(note))
  }
  const annotations = annotationsOf({ title, metadata: Object.fromEntries(notes) })
  if (sizeOf(annotations) > METADATA_MAX) metadata?.refuse('', undefined, TOO_LONG)
  return annotations
}

const TOO_LONG = `no more than ${METADATA_MAX} characters are kept of it`

const sizeOf = (annotations: Annotations | undefined): number =>
  Object.entries(annotations?.metadata ?? {}).reduce((sum, [name, text]) => sum + name.length + text.length, 0)

/** What is there of them; undefined where nothing is. */
export function annotationsOf({ title = '', metadata = {} }: Annotations): Annotations | undefined {
  const hasMetadata = Object.keys(metadata).length > 0
  if (title === '' && !hasMetadata) return undefined
  return { ...(title !== '' && { title }), ...(hasMetadata && { metadata }) }
}

/**
 * Annotations with the element of a namespace replaced by what `text` describes, every element of it put into that
 * namespace under a prefix; with null, without it. Throws LibvirtError for what is no element, and where too much would be
 * kept. Source: libvirt, src/conf/domain_conf.c, virDomainDefSetMetadata; src/util/virxml.c, virXMLInjectNamespace.
 */
export function withMetadata(
  annotations: Annotations = {},
  { namespace, prefix, text }: { readonly namespace: string; readonly prefix: string; readonly text: string | null },
): Annotations | undefined {
  if (namespace === '' || namespace === OWN_NAMESPACE) {
    throw invalid(VIR_ERR_INVALID_ARG, `'${namespace}' is no namespace for metadata`)
  }
  const others = Object.entries(annotations.metadata ?? {}).filter(([name]) => name !== namespace)
  const own = text === null ? [] : [[namespace, injected(text, namespace, prefix)] as const]
  const changed = annotationsOf({ ...annotations, metadata: Object.fromEntries([...others, ...own]) })
  if (sizeOf(changed) > METADATA_MAX) throw invalid(VIR_ERR_INVALID_ARG, `metadata: ${TOO_LONG}`)
  return changed
}

/**
 * The element of a namespace, as it was given: without the namespace. Undefined where there is none.
 * Source: libvirt, src/util/virxml.c, virXMLExtractNamespaceXML.
 */
export function metadataIn({ metadata = {} }: Annotations, namespace: string): string | undefined {
  const kept = Object.entries(metadata).find(([name]) => name === namespace)
  const found = kept && parsed(kept[1])
  return (
    found &&
    writeXml(
      renamed(found, name => name),
      LOOK,
    )
  )
}

function injected(text: string, namespace: string, prefix: string): string {
  try {
    const root = parseXml(Buffer.from(text, 'utf8'), LIMITS)
    const { attributes, ...rest } = renamed(root, name => (prefix === '' ? name : `${prefix}:${name}`))
    const declaration = prefix === '' ? 'xmlns' : `xmlns:${prefix}`
    return writeXml({ ...rest, attributes: { [declaration]: namespace, ...attributes } }, LOOK)
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw invalid(VIR_ERR_XML_DETAIL, `metadata: ${error.message}`, error)
  }
}

const invalid = (code: typeof VIR_ERR_INVALID_ARG | typeof VIR_ERR_XML_DETAIL, detail: string, cause?: unknown) =>
  new LibvirtError(code, detail, { domain: VIR_FROM_DOMAIN, ...(cause !== undefined && { cause }) })

/** Elements nest as deep as the reader allows, here and below. */
function renamed(of: XmlElement, rename: (name: string) => string): XmlOutput {
  const attributes = of.attributes.filter(({ prefix }) => prefix === '' || prefix === 'xml')
  return {
    name: rename(of.name),
    attributes: Object.fromEntries(attributes.map(each => [spelled(each.prefix, each.name), each.value])),
    children: contentOf(of).map(child => (typeof child === 'string' ? child : renamed(child, rename))),
  }
}

/** What is in an element, without the space that only indents the elements in it: it is indented anew wherever it is told. */
function contentOf(of: XmlElement): XmlElement['children'] {
  const elements = of.elements()
  return elements.length > 0 && of.text().trim() === '' ? elements : of.children
}

const spelled = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}:${name}`)

/** `<metadata>` with what others noted, and what this program notes for itself; undefined where there is neither. */
export function writeMetadata({ metadata = {} }: Annotations, own: XmlOutput | undefined): XmlOutput | undefined {
  const notes = Object.values(metadata).flatMap(text => {
    const note = parsed(text)
    return note === undefined ? [] : [outputOf(note, IN_NO_NAMESPACE)]
  })
  return notes.length === 0 && own === undefined ? undefined : element('metadata', {}, notes, own)
}

/** What was kept is an element, unless somebody changed it where a host keeps it; then it is nothing that can be told. */
function parsed(text: string): XmlElement | undefined {
  try {
    return parseXml(Buffer.from(text, 'utf8'), LIMITS)
  } catch (error) {
    if (error instanceof XmlError) return undefined
    throw error
  }
}

/** Namespaces by their prefixes. */
type Declared = ReadonlyMap<string, string>

const IN_NO_NAMESPACE: Declared = new Map([['', '']])

const textOf = (note: XmlElement): string => writeXml(outputOf(note, IN_NO_NAMESPACE), LOOK)

/** The element as it was spelled, declaring what was not declared yet. */
export function outputOf(of: XmlElement, outer: Declared = IN_NO_NAMESPACE): XmlOutput {
  const names = [of, ...of.attributes.filter(({ prefix }) => prefix !== '' && prefix !== 'xml')]
  const news = new Map(names.map(({ prefix, namespace }) => [prefix, namespace]))
  const added = [...news].filter(([prefix, namespace]) => outer.get(prefix) !== namespace)
  const declared = added.length === 0 ? outer : new Map([...outer, ...added])
  return {
    name: spelled(of.prefix, of.name),
    attributes: Object.fromEntries([
      ...added.map(([prefix, namespace]) => [prefix === '' ? 'xmlns' : `xmlns:${prefix}`, namespace]),
      ...of.attributes.map(({ prefix, name, value }) => [spelled(prefix, name), value]),
    ]),
    children: contentOf(of).map(child => (typeof child === 'string' ? child : outputOf(child, declared))),
  }
}
