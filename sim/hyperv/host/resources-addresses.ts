import type { Host } from './host.ts'
import type { Settings, Vm } from './model.ts'
import { OperationError, Return } from './operation-error.ts'

import { kindOf, withValues } from './resources-settings.ts'
import { reasonText } from './resources-texts.ts'
import { isTrueIn, textIn } from './settings.ts'

/** What Address reads before a machine with a dynamic address has started for the first time. */
export const NO_ADDRESS = '000000000000'

// A host gives out 256 addresses. Source: MinimumMacAddress and MaximumMacAddress of a new host differ in the last byte.
const POOL_SIZE = 256

/** From where to where a host gives MAC addresses: Microsoft's prefix, two bytes of its own, and any last byte. */
export function addressPool(host: Host): { readonly first: string; readonly last: string } {
  const own = host.state.uuid.replaceAll('-', '').slice(0, 4).toUpperCase().padEnd(4, '0')
  return { first: `00155D${own}00`, last: `00155D${own}FF` }
}

/** Whether a text is a MAC address as settings hold it: twelve hexadecimal digits. */
export const isAddress = (text: string): boolean => /^[0-9A-F]{12}$/i.test(text)

/** Gives each network adapter of a machine that starts the address it lacks. Throws OperationError when none is free. */
export function assignAddresses(host: Host, vm: Vm): void {
  const { configuration } = vm
  if (!configuration.resources.some(one => lacksAddress(host, one))) return
  configuration.resources = configuration.resources.map(one => {
    return lacksAddress(host, one) ? withValues(one, { Address: nextAddress(host) }) : one
  })
  host.touch()
}

/** Whether it is a network adapter that waits for an address. */
function lacksAddress(host: Host, settings: Settings): boolean {
  const kind = kindOf(settings, host.state.build)
  if (kind !== 'syntheticPort' && kind !== 'emulatedPort') return false
  return !isTrueIn(settings, 'StaticMacAddress') && (textIn(settings, 'Address') ?? NO_ADDRESS) === NO_ADDRESS
}

/** The next address that no adapter of the host has. */
export function nextAddress(host: Host): string {
  const prefix = addressPool(host).first.slice(0, -2)
  const used = new Set(host.state.vms.flatMap(vm => vm.configuration.resources.map(one => textIn(one, 'Address'))))
  for (let tries = 0; tries < POOL_SIZE; tries++) {
    const last = host.state.nextMac % POOL_SIZE
    host.state.nextMac = last + 1
    const address = prefix + last.toString(16).toUpperCase().padStart(2, '0')
    if (!used.has(address)) return address
  }
  throw new OperationError(Return.failed, reasonText(host.locale, 'noAddress'))
}
