/** How much of a document is read before it is refused with an XmlError of kind `limit`. */
export interface XmlLimits {
  readonly maxBytes: number
  /** Elements open at once, the root included. */
  readonly maxDepth: number
  /** Elements in the whole document. */
  readonly maxElements: number
  /** Attributes of one element, namespace declarations included. */
  readonly maxAttributes: number
  /** Length of one element's or attribute's name, prefix included, in bytes. */
  readonly maxNameBytes: number
}

/** What a document may measure unless its reader says otherwise: ample for a SOAP envelope or a domain's definition. */
export const DEFAULT_XML_LIMITS: XmlLimits = {
  maxBytes: 16 * 1024 * 1024,
  maxDepth: 64,
  maxElements: 200_000,
  maxAttributes: 256,
  maxNameBytes: 256,
}
