import assert from 'node:assert/strict'
import { makeRequest, type RequestParts } from './requests.ts'
import { VMS } from './world.ts'

/** A request with something wrong, and what it is answered with. */
export interface Wrong {
  readonly what: string
  readonly request: string | Uint8Array
  /** `SUBCODE CODE DETAIL`, the last where there is one. */
  readonly fault: string
}

export const SCHEMA = 'w:SchemaValidationError 2150858817'
export const UNREACHABLE = 'a:DestinationUnreachable'

export const VM = { CreationClassName: 'Msvm_ComputerSystem', Name: VMS[0] }
export const STAR = 'http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/*'
export const DMTF = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2'
export const GOOD = makeRequest('Get', 'Msvm_ComputerSystem', { selectors: VM })

export const get = (parts: RequestParts = {}, className = 'Msvm_ComputerSystem'): string =>
  makeRequest('Get', className, { selectors: VM, ...parts })
export const enumerate = (parts: RequestParts = {}): string => makeRequest('Enumerate', 'Msvm_ComputerSystem', parts)
export const call = (input: string): string =>
  makeRequest('RequestStateChange', 'Msvm_ComputerSystem', { selectors: VM, input })
export const without = (pattern: RegExp): string => {
  const text = GOOD.replace(pattern, '')
  assert.notEqual(text, GOOD)
  return text
}
export const filter = (dialect: string, content: string, parts: RequestParts = {}): string =>
  enumerate({ input: `<w:Filter Dialect="${dialect}">${content}</w:Filter>`, ...parts })
export const WQL = 'http://schemas.microsoft.com/wbem/wsman/1/WQL'
export const SELECTOR_FILTER = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter'
export const ASSOCIATION_FILTER = 'http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter'
