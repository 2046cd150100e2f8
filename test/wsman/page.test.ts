import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { HYPERV_ADMIN, startSimHyperv } from '../support/sim-hyperv.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const LIBRARY = join(ROOT, 'src', 'protocols', 'wsman', 'index.ts')

/** The examples of the page as one program: the later ones go on within the first. */
function program(url: string): string {
  const page = readFileSync(join(ROOT, 'docs', 'wsman.md'), 'utf8')
  const [first = '', ...others] = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code)
  const whole = first
    .replace("'polyvisor/wsman'", JSON.stringify(LIBRARY))
    .replace('hv1.example', new URL(url).host)
    .replace('web-%', 'vm-%')
    .replace('for (const row of rows)', 'const id = rows[0].string("Name")\n  $&')
    .replace(
      '} finally {',
      `console.log(job, returnValue)\n{ ${others.join('\n')}\nconsole.log(returnValue, values) }\n$&`,
    )
  return `
    import { defineClass, defineMethod, instanceOf } from ${JSON.stringify(LIBRARY)}
    const readPassword = () => ${JSON.stringify(HYPERV_ADMIN.password)}
    ${whole}`
}

test('the examples of docs/wsman.md do what they say, put together and run against a simulated host', async () => {
  const sim = await startSimHyperv('--vms', '3', '--seed', '1')
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      program(sim.urls[0] ?? ''),
    ])

    const [first, second, third, ...rest] = stdout.split('\n')
    assert.deepEqual([first, second, third], ['vm-0001 2', 'vm-0002 3', 'vm-0003 2'])
    assert.match(rest.join('\n'), /32775[^]*^0 \{\n {2}ResultingResourceSettings: \[\n/m)
  } finally {
    await sim.stop()
  }
})
