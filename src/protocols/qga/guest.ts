import { isJsonObject } from '../qmp/json.ts'
import { connectQga } from './client.ts'
import { QgaError } from './error.ts'

/** What the agent says of itself and its guest; what is absent it did not say, or not in a form that can be shown. */
export interface GuestFacts {
  /** Of the agent, such as `7.2.22`. */
  readonly agentVersion: string
  /** Such as `Debian GNU/Linux 12 (bookworm)`. */
  readonly osName?: string
  /** Such as `6.1.0-56-cloud-amd64`. */
  readonly kernelRelease?: string
}

/** No longer text of a guest's is shown to anybody, and none with other characters than those of ASCII. */
const SHOWN = /^[\u0020-\u007e]{1,128}$/

/**
 * Asks the agent behind a socket which it is and what it runs in, all within the time given. Rejects with QgaError where
 * there is none, or it does not say its version.
 * Source: QEMU qga/qapi-schema.json, guest-info and guest-get-osinfo.
 */
export async function readGuestFacts(path: string, timeoutMs: number): Promise<GuestFacts> {
  const deadline = performance.now() + timeoutMs
  const leftMs = () => Math.max(1, deadline - performance.now())
  const client = await connectQga(path, leftMs())
  try {
    const agentVersion = member(await client.execute('guest-info', {}, leftMs()), 'version')
    if (agentVersion === undefined) throw new QgaError('garbage', `${path}: the agent names no version`)
    // Older agents do not know it.
    const os = await client.execute('guest-get-osinfo', {}, leftMs()).catch(unlessRefused)
    const [osName, kernelRelease] = [member(os, 'pretty-name'), member(os, 'kernel-release')]
    return {
      agentVersion,
      ...(osName !== undefined && { osName }),
      ...(kernelRelease !== undefined && { kernelRelease }),
    }
  } finally {
    client.close()
  }
}

function unlessRefused(error: unknown): undefined {
  if (!(error instanceof QgaError && (error.failure === 'refused' || error.failure === 'unable'))) throw error
}

function member(answer: unknown, name: string): string | undefined {
  const value = isJsonObject(answer) ? answer[name] : undefined
  return typeof value === 'string' && SHOWN.test(value) ? value : undefined
}
