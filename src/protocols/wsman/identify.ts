import { garbage } from './error.ts'
import { NAMESPACE } from './names.ts'
import { readReply } from './reply.ts'

/** Who answers under an address. */
export interface Identity {
  readonly protocolVersion: string
  /** `Microsoft Corporation` of Windows. */
  readonly productVendor: string
  /** `OS: 10.0.20348 SP: 0.0 Stack: 3.0` of Windows; zeros for whoever has not logged on. */
  readonly productVersion: string
  /** The version of Windows in three numbers; undefined where it is not told. */
  readonly osVersion: string | undefined
  /** The version of WinRM: 1.0 (1.x), 2.0 (2008 R2) or 3.0 (2012 and later). */
  readonly stackVersion: string | undefined
  /** How one may log on, as newer hosts tell. */
  readonly securityProfiles: readonly string[]
}

/** Reads the answer to Identify. Source: DSP0226, "Identify"; Microsoft Learn, "Detecting whether a remote computer supports WS-Management". */
export function readIdentity(reply: Uint8Array): Identity {
  const response = readReply(reply)
  if (response?.name !== 'IdentifyResponse' || response.namespace !== NAMESPACE.wsmid) {
    throw garbage('the answer to Identify is none')
  }
  const text = (name: string) => response.element(name, NAMESPACE.wsmid)?.text().trim() ?? ''
  const productVersion = text('ProductVersion')
  const osVersion = /\bOS: (\d+\.\d+\.\d+)/.exec(productVersion)?.[1]
  const profiles = response.element('SecurityProfiles', NAMESPACE.wsmid)
  return {
    protocolVersion: text('ProtocolVersion'),
    productVendor: text('ProductVendor'),
    productVersion,
    osVersion: osVersion === '0.0.0' ? undefined : osVersion,
    stackVersion: /\bStack: (\d+\.\d+)/.exec(productVersion)?.[1],
    securityProfiles:
      profiles?.elements('SecurityProfileName', NAMESPACE.wsmid).map(profile => profile.text().trim()) ?? [],
  }
}
