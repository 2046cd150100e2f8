import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { targetUrl } from '../../src/cli/target.ts'
import { atEnd } from '../support/at-end.ts'

const { stdin, stdout, stderr } = process
const io = { env: {}, stdin, stdout, stderr }

/** A data directory whose server listens there. */
async function dataWith(context: TestContext, urls: readonly string[]): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'pv-'))
  atEnd(context, () => rm(data, { recursive: true, force: true }))
  await writeFile(join(data, 'listeners.json'), JSON.stringify({ pid: 1, listeners: urls.map(url => ({ url })) }))
  return data
}

test('a command goes where the Xen Management API is spoken, and not to listeners of libvirt’s', async context => {
  const libvirt = ['libvirt+unix:///run/s', 'libvirt+tcp://127.0.0.1:1', 'libvirt+tls://0.0.0.0:2']
  const [some, none] = [await dataWith(context, [...libvirt, 'https://0.0.0.0:4443']), await dataWith(context, libvirt)]

  assert.equal(await targetUrl({ data: some }, io), 'https://127.0.0.1:4443')
  assert.equal(await targetUrl({ data: none }, io), `unix://${none}/xenapi.sock`)
})
