import assert from 'node:assert/strict'
import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import type { Reply } from './world.ts'

// What answers say, found by the prefixes and places that Windows' clients look at.

export function bodyOf({ root }: Reply): XmlElement {
  const body = root.element('Body')
  assert.ok(body)
  return body
}

/** The one element in the body. */
export function contentOf(reply: Reply): XmlElement {
  const [content, ...others] = bodyOf(reply).elements()
  assert.ok(content, reply.text)
  assert.equal(others.length, 0)
  return content
}

export interface FaultSeen {
  /** Of a:Action, the last part but one: `wsman`, `addressing` and so on. */
  readonly action: string
  readonly who: string
  readonly subcode: string
  /** The last part of w:FaultDetail. */
  readonly detail: string
  readonly code: number
  readonly reason: string
  /** What is said in the details. */
  readonly message: string
}

/** The fault of an answer, in whichever form. Fails where the answer is none. */
export function faultOf(reply: Reply): FaultSeen {
  assert.equal(reply.status, 500, reply.text)
  const fault = contentOf(reply)
  assert.equal(fault.name, 'Fault', reply.text)
  const code = fault.element('Code')
  const detail = fault.element('Detail')
  const wsman = detail?.element('WSManFault')
  const wmi = detail?.element('MSFT_WmiError')
  const inner = wsman?.element('Message')?.element('ProviderFault')?.element('WSManFault')
  const action = reply.root.element('Header')?.element('Action')?.text() ?? ''
  return {
    action: action.split('/').at(-2) ?? '',
    who: code?.element('Value')?.text() ?? '',
    subcode: code?.element('Subcode')?.element('Value')?.text() ?? '',
    detail: detail?.element('FaultDetail')?.text().split('/').at(-1) ?? '',
    code: Number(wsman?.attribute('Code') ?? wmi?.element('error_Code')?.text() ?? Number.NaN),
    reason: fault.element('Reason')?.element('Text')?.text() ?? '',
    message: (inner ?? wsman)?.element('Message')?.text() ?? wmi?.element('Message')?.text() ?? '',
  }
}

export interface Batch {
  /** '' or absent at the end. */
  readonly context: string
  readonly items: readonly XmlElement[]
  readonly isEnd: boolean
}

/** What an EnumerateResponse or a PullResponse brings. */
export function batchOf(reply: Reply): Batch {
  assert.equal(reply.status, 200, reply.text)
  const content = contentOf(reply)
  return {
    context: content.element('EnumerationContext')?.text() ?? '',
    items: content.element('Items')?.elements() ?? [],
    isEnd: content.element('EndOfSequence') !== undefined,
  }
}
