import { openDocument, type XmlDocument } from '../xml/document.ts'
import { XmlError } from '../xml/error.ts'
import { ExactDecoder } from './exact.ts'
import { LenientDecoder } from './lenient.ts'
import {
  DEFAULT_XMLRPC_LIMITS,
  FAULT,
  NESTING_MAX,
  type WireValue,
  type XmlRpcCall,
  XmlRpcError,
  type XmlRpcLimits,
  type XmlRpcResponse,
} from './value.ts'

/**
 * Decodes a `methodCall`. Throws XmlRpcError, whose `code` is the fault to answer with; its `cause` is the XmlError
 * where XML itself is broken or too large (kind `limit`).
 * Source: XML-RPC Specification (1999); Xen Management API rev 0.2, §1.3.1 and §1.5, for what peers were seen to send.
 */
export function decodeCall(bytes: Uint8Array, limits?: Partial<XmlRpcLimits>): XmlRpcCall {
  return decode(
    bytes,
    limits,
    (document, bounds) => new ExactDecoder(document, bounds).call() ?? new LenientDecoder(document, bounds).call(),
  )
}

/** Decodes a `methodResponse`, a fault as well. Throws as `decodeCall` does. */
export function decodeResponse(bytes: Uint8Array, limits?: Partial<XmlRpcLimits>): XmlRpcResponse {
  return decode(
    bytes,
    limits,
    (document, bounds) =>
      new ExactDecoder(document, bounds).response() ?? new LenientDecoder(document, bounds).response(),
  )
}

/** Decodes a lone `<value>…</value>`, such as `encodeValue` writes. Throws as `decodeCall` does. */
export function decodeValue(bytes: Uint8Array, limits?: Partial<XmlRpcLimits>): WireValue {
  return decode(bytes, limits, (document, bounds) => new LenientDecoder(document, bounds).value())
}

/** The one place where an error of XML becomes one of XML-RPC. */
function decode<T>(
  bytes: Uint8Array,
  limits: Partial<XmlRpcLimits> | undefined,
  read: (document: XmlDocument, bounds: XmlRpcLimits) => T,
): T {
  const given = { ...DEFAULT_XMLRPC_LIMITS, ...limits }
  const bounds = { ...given, maxDepth: Math.min(given.maxDepth, NESTING_MAX) }
  try {
    return read(openDocument(bytes, bounds.maxBytes), bounds)
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    const code = error.kind === 'limit' ? FAULT.invalidRequest : FAULT.parseError
    throw new XmlRpcError(code, error.reason, error.offset, { cause: error })
  }
}
