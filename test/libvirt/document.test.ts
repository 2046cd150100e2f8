import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

test('the session of the document does what it shows, as it stands there', async () => {
  const text = await readFile(join(ROOT, 'docs', 'libvirt.md'), 'utf8')
  const [, session = ''] = /```ts\n([^]*?)```/.exec(text) ?? []
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-session-'))
  try {
    const source = pathToFileURL(join(ROOT, 'src', 'libvirt', 'index.ts')).href
    await writeFile(join(folder, 'session.ts'), session.replace('polyvisor/libvirt', source))

    const { stdout } = await run(process.execPath, [join(folder, 'session.ts')])

    assert.deepEqual(stdout.trim().split('\n').toSorted(), [
      'TEST 2',
      'web 524288 2',
      'web: event 0, detail 0',
      'web: event 2, detail 0',
      'web: event 3, detail 0',
      'web: event 4, detail 0',
      'web: event 5, detail 1',
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})
