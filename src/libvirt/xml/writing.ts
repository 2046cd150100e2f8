import { XmlError } from '../../wire/xml/error.ts'
import { writeXml, type XmlOutput } from '../../wire/xml/write.ts'
import { type ErrorDomain, VIR_ERR_XML_ERROR } from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'

type Attributes = Readonly<Record<string, string | number | undefined>>
/** What may stand among children: nothing, one, or several. */
export type Part = XmlOutput | string | undefined | false | readonly Part[]

/** An element; attributes without a value and empty parts are left out. */
export function element(name: string, attributes: Attributes = {}, ...parts: readonly Part[]): XmlOutput {
  const given = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [[key, `${value}`]]))
  return { name, attributes: Object.fromEntries(given), children: parts.flatMap(flat) }
}

/** An element that holds text; undefined where the text is empty. */
export function textElement(name: string, text: string, attributes: Attributes = {}): XmlOutput | undefined {
  return text === '' ? undefined : element(name, attributes, text)
}

/** Parts nest as deep as the functions that make them. */
function flat(part: Part): readonly (XmlOutput | string)[] {
  if (part === undefined || part === false) return []
  return isList(part) ? part.flatMap(flat) : [part]
}

const isList = (part: Exclude<Part, undefined | false>): part is readonly Part[] => Array.isArray(part)

/** The document, with apostrophes where libvirt has them: programs look for its text. Throws LibvirtError, as of `domain`, for what XML has no way to carry. */
export function write(root: XmlOutput, domain: ErrorDomain): string {
  try {
    return writeXml(root, { indent: 2, quote: "'" })
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    const detail = `${root.name} cannot be described: ${error.message}`
    throw new LibvirtError(VIR_ERR_XML_ERROR, detail, { domain, cause: error })
  }
}
