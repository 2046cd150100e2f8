import { join } from 'node:path'

import { type Fields, PythonPeer } from './python-peer.ts'

const SCRIPT = join(import.meta.dirname, 'foreign-client.py')

/** A client of WinRM whose handshakes and seals are none of ours. */
export class ForeignClient extends PythonPeer {
  constructor(environment: Readonly<Record<string, string>> = {}) {
    super(SCRIPT, environment)
  }

  /** Opens a new connection and logs on over it. */
  async logOn(port: number, logon: Fields, isTls = false): Promise<Fields> {
    await this.ask('open', { port, tls: isTls })
    return this.ask('logon', logon)
  }
}
