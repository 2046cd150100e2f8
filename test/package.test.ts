import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '..')
const run = promisify(execFile)

describe('the package as it is published', () => {
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'polyvisor-package-'))
    await run(process.execPath, [join(ROOT, 'tools', 'build.mjs'), join(folder, 'dist')])
    await cp(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true })
    await cp(join(ROOT, 'package.json'), join(folder, 'package.json'))
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  it('tells its version', async () => {
    const { version }: { readonly version: string } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))

    const { stdout } = await run(process.execPath, [join(folder, 'bin', 'polyvisor.mjs'), '--version'])

    assert.equal(stdout, `${version}\n`)
  })

  it('has what its exports name', async () => {
    const {
      exports,
    }: { readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>> } =
      JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))

    for (const { types, default: code } of Object.values(exports)) {
      assert.match(await readFile(join(folder, types), 'utf8'), /export/)
      assert.notEqual(Object.keys(await import(pathToFileURL(join(folder, code)).href)).length, 0)
    }
  })

  it('brings the simulated host with its classes', async () => {
    const classes = join(folder, 'dist', 'sim', 'hyperv', 'cim', 'schema.js')
    const { loadSchema } = await import(pathToFileURL(classes).href)
    const { stdout } = await run(process.execPath, [join(folder, 'bin', 'polyvisor-sim-hyperv.mjs'), '--help'])

    assert.equal(loadSchema('root\\virtualization\\v2', 20348).find('msvm_computersystem').name, 'Msvm_ComputerSystem')
    assert.match(stdout, /^Usage: polyvisor-sim-hyperv /)
  })
})
