import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { atEnd } from '../support/at-end.ts'

interface Closable {
  close(): Promise<void>
}

const open = new WeakMap<TestContext, Closable[]>()

/** A folder that is gone after the test, when everything given to `closeAfter` is closed. */
export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'polyvisor-store-'))
  atEnd(context, async () => {
    await Promise.all((open.get(context) ?? []).map(each => each.close()))
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Has something closed at the end of the test, and answers it. */
export function closeAfter<T extends Closable>(context: TestContext, closable: T): T {
  open.set(context, [...(open.get(context) ?? []), closable])
  return closable
}
