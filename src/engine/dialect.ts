import { NULL_REF } from '../model/kernel/types.ts'

/**
 * A face of the API on the wire: how it writes references, nulls and integers, and which codec writes the bytes.
 * Names and messages are the model's. Source: Xen Management API rev 0.2, §1.3.
 */
export interface Dialect {
  readonly name: '0.2'
  /** The spelling of strings and dates in XML-RPC. */
  readonly codec: 'draft'
  /** A reference in memory as this dialect writes it. */
  readonly writeRef: (ref: string) => string
  /** What a client wrote as a reference, told back to the form in memory. */
  readonly readRef: (text: string) => string
}

/** Revision 0.2: a reference is the object's UUID, the null reference the empty string. */
export const draft: Dialect = {
  name: '0.2',
  codec: 'draft',
  writeRef: ref => ref,
  readRef: text => (text.trim() === '' ? NULL_REF : text.trim()),
}

/** The dialects that the server speaks, by name. */
export const dialects: Readonly<Record<string, Dialect>> = { '0.2': draft }
