import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Paths, USUAL_FOLDERS } from '../../src/engine/paths.ts'

const folder = await realpath(await mkdtemp(join(tmpdir(), 'polyvisor-paths-')))
after(() => rm(folder, { recursive: true, force: true }))
const inFolder = (...names: readonly string[]) => join(folder, ...names)
await mkdir(inFolder('open', 'deep'), { recursive: true })
await mkdir(inFolder('open-too'))
await mkdir(inFolder('data', 'sr'), { recursive: true })
await writeFile(inFolder('open', 'kernel'), '')
await writeFile(inFolder('secret'), '')
await symlink(inFolder('secret'), inFolder('open', 'link-out'))
await symlink(folder, inFolder('open', 'folder-out'))
await symlink(inFolder('nothing'), inFolder('open', 'dangling'))
await symlink(inFolder('open', 'loop'), inFolder('open', 'loop'))
await symlink(inFolder('open', 'kernel'), inFolder('link-in'))

const paths = new Paths({ dataDir: inFolder('data'), allowed: [`${inFolder('open')}/`] })

const refuses = (path: string, by = paths) =>
  assert.throws(() => by.check('kernel_kernel', path), { code: 'PATH_NOT_ALLOWED' }, path)

test('what lies in an allowed folder is allowed, there or not there yet, and answered as what it really is', () => {
  assert.equal(paths.check('f', inFolder('open', 'kernel')), inFolder('open', 'kernel'))
  assert.equal(paths.check('f', inFolder('open')), inFolder('open'))
  assert.equal(paths.check('f', inFolder('open', 'deep', 'new', 'newer')), inFolder('open', 'deep', 'new', 'newer'))
  assert.equal(paths.check('f', `${inFolder('open')}//./deep/`), inFolder('open', 'deep'))
  assert.equal(paths.check('f', inFolder('link-in')), inFolder('open', 'kernel'))
})

test('what lies elsewhere is refused, however it is called', () => {
  for (const path of ['/etc/passwd', '/', inFolder('secret'), inFolder('open-too'), inFolder('open-too', 'x')])
    refuses(path)
  for (const name of ['link-out', 'folder-out/secret', 'folder-out', 'dangling', 'dangling/x', 'loop', 'kernel/x'])
    refuses(inFolder('open', name))
  for (const path of [
    '',
    'open/kernel',
    `${inFolder('open')}/../secret`,
    `${inFolder('open')}/deep/../kernel`,
    'json:{}',
  ])
    refuses(path)
  refuses(`${inFolder('open')}/a\0b`)
})

test('the refusal names the field, the path, and what is allowed', () => {
  const params = [
    'kernel_kernel',
    '/etc/passwd',
    `${inFolder('data', 'sr')}, ${inFolder('data', 'boot')}, ${inFolder('open')}`,
  ]
  assert.throws(() => paths.check('kernel_kernel', '/etc/passwd'), { code: 'PATH_NOT_ALLOWED', params })
})

test('of the data directory, only the clients’ own folders are open, even where all of it is allowed', async () => {
  const generous = new Paths({ dataDir: inFolder('data'), allowed: ['/'] })
  assert.equal(generous.check('f', '/etc/hostname'), '/etc/hostname')
  for (const by of [paths, generous]) {
    assert.equal(by.check('f', inFolder('data', 'sr', 'x')), inFolder('data', 'sr', 'x'))
    assert.equal(by.check('f', inFolder('data', 'boot', 'vmlinuz')), inFolder('data', 'boot', 'vmlinuz'))
    for (const name of ['', 'state.db', 'qemu', 'sr-2', 'local-secret']) refuses(inFolder('data', name), by)
  }
  await symlink(inFolder('data', 'state.db'), inFolder('data', 'sr', 'link'))
  await writeFile(inFolder('data', 'state.db'), '')
  refuses(inFolder('data', 'sr', 'link'), generous)
})

test('without a word from the operator, the usual folders are open, and the drives to virtual CD drives alone', () => {
  const usual = new Paths({ dataDir: inFolder('data') })
  for (const known of [...USUAL_FOLDERS, folder]) usual.check('location', join(known, 'x'))
  for (const field of ['bios_cdrom', 'bios/cdrom']) usual.check(field, '/dev/sr17')
  assert.throws(() => usual.check('kernel_kernel', '/dev/sr17'), { code: 'PATH_NOT_ALLOWED' })
  assert.throws(() => usual.check('bios_cdrom', '/dev/null'), { code: 'PATH_NOT_ALLOWED' })
  assert.throws(() => paths.check('bios_cdrom', '/dev/sr17'), { code: 'PATH_NOT_ALLOWED' })
  new Paths({ dataDir: inFolder('data'), allowed: ['/dev/sr17'] }).check('bios_cdrom', '/dev/sr17')
})

test('what lies in a folder that was allowed before is allowed, as what it really is', () => {
  const refusal = (path: string, folders: readonly string[]) => paths.refusal('path', path, folders)

  assert.equal(refusal(inFolder('open-too', 'image'), [inFolder('open-too')]), undefined)
  assert.equal(refusal(inFolder('open', 'kernel'), []), undefined)
  for (const path of [inFolder('open', 'link-out'), inFolder('secret'), 'relative', '']) {
    assert.match(refusal(path, [inFolder('open-too'), inFolder('data')]) ?? '', /^the operator does not allow/)
  }
  const own = `clients may name what lies in these alone: ${inFolder('data', 'sr')}, ${inFolder('data', 'boot')}`
  for (const path of [inFolder('data'), inFolder('data', 'saved')]) {
    assert.equal(
      refusal(path, [inFolder('data')]),
      `${path} is the server's own: of its data directory, ${own}`,
      'not that the very folder is allowed which is named',
    )
  }
  assert.match(
    refusal('/etc/shadow', []) ?? '',
    new RegExp(`name /etc/shadow; .* [(]--allow-path[)]: .*${inFolder('open')}`),
  )
})
