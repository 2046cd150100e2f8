import { WsmanReplyError } from './error.ts'
import { WsmanFault } from './fault.ts'
import type { Target } from './filter.ts'
import { EMPTY_PULLS_MAX, ITEMS_MAX, PULL_TIMEOUTS_MAX, RELEASE_TIMEOUT_MS, RETRIES_MAX } from './limits.ts'
import { ACTION, NAMESPACE } from './names.ts'
import {
  type EnumerationMode,
  type Item,
  type Page,
  readPage,
  writeEnumerate,
  writePull,
  writeRelease,
} from './page.ts'
import { readReply, readReplyOf } from './reply.ts'
import type { CallOptions, Requests } from './requests.ts'
import { isLost, pauseBefore } from './retry.ts'

/** Whom to ask, for what, and how. */
export interface Enumeration {
  readonly requests: Requests
  readonly target: Target
  readonly mode: EnumerationMode
  readonly options: CallOptions
}

/** Begins an enumeration: its first items, and what the rest is asked for with. */
export async function startEnumeration({ requests, target, mode, options }: Enumeration): Promise<Page> {
  const draft = { action: ACTION.enumerate, resourceUri: target.resourceUri, body: writeEnumerate(target.filter, mode) }
  return requests.send(draft, 'read', options, (answer, messageId) =>
    readPage(readReplyOf(answer, messageId, NAMESPACE.n, 'EnumerateResponse'), mode),
  )
}

/** Asks for more of an enumeration. The context is used up by that, whatever comes of it. */
export async function pullMore({ requests, target, mode, options }: Enumeration, context: string): Promise<Page> {
  const draft = { action: ACTION.pull, resourceUri: target.resourceUri, body: writePull(context) }
  return requests.send(draft, 'pull', options, (answer, messageId) =>
    readPage(readReplyOf(answer, messageId, NAMESPACE.n, 'PullResponse'), mode, context),
  )
}

/** Tells the host that nobody will ask for the rest. Hosts allow a user few enumerations at once. */
export async function releaseEnumeration({ requests, target, options }: Enumeration, context: string): Promise<void> {
  const draft = { action: ACTION.release, resourceUri: target.resourceUri, body: writeRelease(context) }
  await requests.send(draft, 'once', { timeoutMs: RELEASE_TIMEOUT_MS, ...options }, readReply)
}

/**
 * The items of an enumeration as they come. Whoever stops early, aborts or fails leaves nothing behind on the host. An
 * answer that is lost ends it with the error, for items would be missing.
 */
export async function* walk(of: Enumeration): AsyncGenerator<Item, void, undefined> {
  for await (const items of pages(of, await startEnumeration(of))) yield* items
}

/** All items of an enumeration, which is begun anew where an answer is lost, or the host has lost the enumeration. */
export async function collect(of: Enumeration): Promise<readonly Item[]> {
  const { requests, options } = of
  const { retries = RETRIES_MAX } = requests.retry
  for (let retry = 0; ; retry++) {
    const first = await startEnumeration(of)
    try {
      const items: Item[] = []
      for await (const more of pages(of, first)) {
        for (const item of more) items.push(item)
      }
      return items
    } catch (error) {
      const isWorthwhile = isLost(error) || (error instanceof WsmanFault && error.kind === 'invalid-context')
      if (retry >= retries || !isWorthwhile) throw error
    }
    await pauseBefore(retry, requests.retry, options.signal)
  }
}

/** The items of a page, and of all that follow it. */
async function* pages(of: Enumeration, first: Page): AsyncGenerator<readonly Item[], void, undefined> {
  let context = first.context
  let isToBeAwaited = true
  try {
    yield first.items
    let [count, empty] = [first.items.length, 0]
    while (context !== undefined) {
      const page: Page = await pullPatiently(of, context)
      context = page.context
      count += page.items.length
      empty = page.items.length === 0 ? empty + 1 : 0
      if (count > ITEMS_MAX) throw new WsmanReplyError('limit', `more than ${ITEMS_MAX} items`)
      if (empty > EMPTY_PULLS_MAX) throw new WsmanReplyError('limit', `${empty} answers without an item`)
      yield page.items
    }
  } catch (error) {
    isToBeAwaited = false // Whoever aborts, or asks a host that has failed, is not to wait for it.
    throw error
  } finally {
    if (context !== undefined) {
      // Not with the options of the call: it may have been aborted, which the host has yet to hear.
      const farewell = of.requests.remember(releaseEnumeration({ ...of, options: {} }, context))
      if (isToBeAwaited) await farewell
    }
  }
}

/** A host that finds nothing in time says so, and may be asked again. Source: DSP0226, "wsman:TimedOut". */
async function pullPatiently(of: Enumeration, context: string): Promise<Page> {
  for (let timeouts = 1; ; timeouts++) {
    try {
      return await pullMore(of, context)
    } catch (error) {
      const isTimeout = error instanceof WsmanFault && error.kind === 'timed-out'
      if (!isTimeout || timeouts > PULL_TIMEOUTS_MAX) throw error
    }
  }
}
