import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const REALM = 'POLYVISOR.TEST'
export const USER = 'alice'
export const PASSWORD = 'the password of alice'
const START_MS = 30_000
const STARTS_MAX = 5
/** While nobody listens: the tools that fill the database do without. */
const NO_PORT = 1

/** A Kerberos realm of its own, with a real key distribution centre on loopback. */
export class Realm implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'polyvisor-realm-'))
  /** The key of the service `HTTP/localhost`. */
  readonly serviceKeytab = join(this.folder, 'service.keytab')
  /** The key of the user. */
  readonly userKeytab = join(this.folder, 'user.keytab')
  /** What the library has to find in its environment. */
  readonly environment: Readonly<Record<string, string>> = {
    KRB5_CONFIG: join(this.folder, 'krb5.conf'),
    KRB5_KDC_PROFILE: join(this.folder, 'kdc.conf'),
    KRB5CCNAME: `FILE:${join(this.folder, 'cache')}`,
    KRB5RCACHETYPE: 'none',
  }
  #centre: ChildProcess | undefined

  async start(encryption = 'aes256-cts-hmac-sha1-96'): Promise<void> {
    this.#configure(encryption, NO_PORT)
    this.#run('kdb5_util', ['create', '-s', '-r', REALM, '-P', 'master'])
    this.#administer(`addprinc -pw "${PASSWORD}" ${USER}`)
    this.#administer('addprinc -randkey HTTP/localhost')
    this.#administer(`ktadd -k ${this.serviceKeytab} HTTP/localhost`)
    this.#administer(`ktadd -norandkey -k ${this.userKeytab} ${USER}`)
    for (let attempt = 0; attempt < STARTS_MAX; attempt++) {
      this.#configure(encryption, await freePort())
      if (await this.#startCentre()) return
    }
    throw new Error('the key distribution centre does not start')
  }

  /** Whether it runs: it cannot be told to find a free port, and ends where somebody else has taken that meanwhile. */
  async #startCentre(): Promise<boolean> {
    const centre = spawn('/usr/sbin/krb5kdc', ['-n', '-P', join(this.folder, 'pid')], {
      env: { ...process.env, ...this.environment },
      stdio: 'ignore',
    })
    this.#centre = centre
    const log = join(this.folder, 'kdc.log')
    for (const deadline = Date.now() + START_MS; Date.now() < deadline; await sleep(20)) {
      if (existsSync(log) && readFileSync(log, 'utf8').includes('commencing operation')) return true
      if (centre.exitCode !== null) return false
    }
    throw new Error(`the key distribution centre is not ready after ${START_MS} ms`)
  }

  #configure(encryption: string, port: number): void {
    const { folder } = this
    writeFileSync(
      join(folder, 'krb5.conf'),
      `[libdefaults]
 default_realm = ${REALM}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 allow_weak_crypto = true
 allow_rc4 = true
 permitted_enctypes = ${encryption}
[realms]
 ${REALM} = {
  kdc = 127.0.0.1:${port}
 }
[domain_realm]
 localhost = ${REALM}
`,
    )
    writeFileSync(
      join(folder, 'kdc.conf'),
      `[realms]
 ${REALM} = {
  database_name = ${folder}/principal
  key_stash_file = ${folder}/stash
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
  master_key_type = ${encryption}
  supported_enctypes = ${encryption}:normal
 }
[logging]
 kdc = FILE:${folder}/kdc.log
`,
    )
  }

  /** Puts a ticket of the user into the cache, as `kinit` does. */
  login(): void {
    this.#run('kinit', ['-k', '-t', this.userKeytab, USER])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const centre = this.#centre
    if (centre !== undefined && centre.exitCode === null) {
      const ended = new Promise(resolve => centre.once('exit', resolve))
      centre.kill()
      await ended
    }
    rmSync(this.folder, { recursive: true, force: true })
  }

  #administer(command: string): void {
    this.#run('kadmin.local', ['-r', REALM, '-q', command])
  }

  #run(command: string, args: readonly string[]): void {
    const path = `${process.env['PATH'] ?? ''}:/usr/sbin`
    execFileSync(command, args, { env: { ...process.env, ...this.environment, PATH: path }, stdio: 'pipe' })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}
