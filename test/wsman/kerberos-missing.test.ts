import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const KERBEROS = new URL('../../src/protocols/wsman/kerberos.ts', import.meta.url).href

/** What a process says that finds something else where the package koffi is looked for. */
async function failureWhere(koffi: string): Promise<string> {
  const hooks = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve: (name, context, next) => name === 'koffi' ? { url: 'koffi:', shortCircuit: true } : next(name, context),
      load(url, context, next) {
        if (url !== 'koffi:') return next(url, context)
        ${koffi}
      },
    })`
  const script = `
    import { Kerberos } from ${JSON.stringify(KERBEROS)}
    const error = await new Kerberos({ host: 'hv', service: 'HTTP' }).begin().catch(error => error)
    console.log(error.name, error.failure, error.message)`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(hooks)}`, '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return stdout
}

test('without the package koffi, Kerberos is refused by what is missing', async () => {
  const failure = await failureWhere(`throw new Error('Cannot find package koffi')`)

  assert.match(failure, /^AuthError refused Kerberos needs the package koffi/)
})

test('without the system library, Kerberos is refused by what to install', async () => {
  const source = `export const load = () => { throw new Error('no such file') }`
  const failure = await failureWhere(
    `return { format: 'module', shortCircuit: true, source: ${JSON.stringify(source)} }`,
  )

  assert.match(failure, /^AuthError refused Kerberos needs the system's libgssapi_krb5\.so\.2.*libgssapi-krb5-2/)
})
