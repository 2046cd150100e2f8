import { integerMember, JsonShapeError, stringMember, toJsonObject } from '../../protocols/qmp/json.ts'
import type { NetworkConfig } from '../driver.ts'
import type { Switch } from './network-back-end.ts'

/** What the notes of a switch begin with that is a network of ours: a host chooses the GUIDs of its switches too. */
export const NETWORK_MARK = '[polyvisor] '

/** The notes of a switch. Its name and its card are the host's to tell. */
export function writeNetworkNote({ id, vlan, gateway, netmask }: NetworkConfig): string {
  return `${NETWORK_MARK}${JSON.stringify({ id, vlan: vlan ?? 0, gateway, netmask })}`
}

/** The network that a switch is; under its own GUID where somebody else made it. */
export function networkOf({ guid, name, notes, uplink: nic, hasHost = false }: Switch): NetworkConfig {
  const noted = readNote(notes) ?? { id: guid.toLowerCase(), vlan: null, gateway: '', netmask: '' }
  return { ...noted, name, nic, ...(hasHost && { hasHost }) }
}

function readNote(notes: string): Omit<NetworkConfig, 'name' | 'nic'> | undefined {
  if (!notes.startsWith(NETWORK_MARK)) return undefined
  try {
    const note = toJsonObject(JSON.parse(notes.slice(NETWORK_MARK.length)), 'the note')
    const vlan = integerMember(note, 'vlan')
    return {
      id: stringMember(note, 'id'),
      vlan: vlan === 0 ? null : vlan,
      gateway: stringMember(note, 'gateway'),
      netmask: stringMember(note, 'netmask'),
    }
  } catch (error) {
    // Whoever has changed the note has made the switch theirs.
    if (error instanceof SyntaxError || error instanceof JsonShapeError) return undefined
    throw error
  }
}
