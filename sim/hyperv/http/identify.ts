import { parseXml } from '../../../src/wire/xml/tree.ts'
import { XmlError } from '../../../src/wire/xml/error.ts'

const SOAP_ENVELOPE = 'http://www.w3.org/2003/05/soap-envelope'
const IDENTITY = 'http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd'
/** An Identify says nothing but its name. */
const LIMITS = { maxBytes: 8 * 1024, maxDepth: 8, maxElements: 32, maxAttributes: 32, maxNameBytes: 256 }

/** So much of a body is read for somebody who has not said who they are. */
export const IDENTIFY_BYTES_MAX = LIMITS.maxBytes

/** Whether this asks what the host is, which is told to everybody, and nothing else. Source: DSP0226, §11. */
export function isIdentify(envelope: Buffer): boolean {
  try {
    const root = parseXml(envelope, LIMITS)
    const body = root.name === 'Envelope' ? root.element('Body', SOAP_ENVELOPE) : undefined
    const [asked, ...others] = body?.elements() ?? []
    return others.length === 0 && asked?.name === 'Identify' && asked.namespace === IDENTITY
  } catch (error) {
    if (error instanceof XmlError) return false
    throw error
  }
}
