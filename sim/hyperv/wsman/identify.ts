import { bodyOf, type HostFacts } from './envelope.ts'
import { isStack3 } from './limits.ts'
import * as names from './names.ts'

/** Every Windows since Server 2012 R2's successor calls itself 10.0. */
const VERSIONS: Readonly<Record<number, string>> = { 6001: '6.0', 7600: '6.1', 7601: '6.1', 9200: '6.2', 9600: '6.3' }
const SERVICE_PACKS: Readonly<Record<number, string>> = { 6001: '1.0', 7601: '1.0' }
const UNKNOWN_SYSTEM = 'OS: 0.0.0 SP: 0.0'

/** How clients may log in, as Identify says it. */
export const SPNEGO_KERBEROS = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/spnego-kerberos'

/**
 * The answer to Identify. Those who did not log in are not told which Windows it is.
 * Source: answers of a Server 2012 R2, as administrators published them; Microsoft Learn, "Detecting Whether a Remote
 * Computer Supports WS-Management Protocol".
 */
export function writeIdentity(host: HostFacts, profiles: readonly string[], isAuthenticated: boolean): string {
  const { build } = host
  const system = `OS: ${VERSIONS[build] ?? '10.0'}.${build} SP: ${SERVICE_PACKS[build] ?? '0.0'}`
  const version = `${isAuthenticated ? system : UNKNOWN_SYSTEM} Stack: ${isStack3(build) ? '3.0' : '2.0'}`
  const profileNames = profiles.map(each => `<wsmid:SecurityProfileName>${each}</wsmid:SecurityProfileName>`).join('')
  const security = isStack3(build) ? `<wsmid:SecurityProfiles>${profileNames}</wsmid:SecurityProfiles>` : ''
  return (
    `<s:Envelope xml:lang="${host.locale}" xmlns:s="${names.SOAP}"><s:Header></s:Header>` +
    bodyOf(
      `<wsmid:IdentifyResponse xmlns:wsmid="${names.IDENTITY}"><wsmid:ProtocolVersion>${names.WSMAN}` +
        '</wsmid:ProtocolVersion><wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>' +
        `<wsmid:ProductVersion>${version}</wsmid:ProductVersion>${security}</wsmid:IdentifyResponse>`,
    )
  )
}
