import type { DomainConfig, ExitActions, PlatformConfig } from '../driver.ts'
import { MTU } from './described-devices.ts'
import { unmetOfDisks } from './disk-demands.ts'
import type { HostFacts } from './host-facts.ts'
import { sharesOf, WEIGHT_MAX_OF_HOST } from './quantities.ts'

/** What of a host demands are held against. */
export type DemandHost = Pick<HostFacts, 'info' | 'build'>

/**
 * What a definition demands that no Hyper-V host has, or this one has not, as a sentence; undefined where there is
 * nothing of the kind. A definition is kept whatever it demands; its machine is not started.
 */
export function unmetDemand(config: DomainConfig, { info: { cpus }, build }: DemandHost): string | undefined {
  const { boot, disks, nics = [], cpu, scheduling, platform = {}, exits } = config
  if (boot.kind !== 'firmware') return 'Hyper-V loads no kernel itself; a domain boots by its firmware'
  if (boot.device === 'network' && !nics.some(({ model }) => model === 'emulated')) {
    return 'a machine of Hyper-V boots from the network by an emulated interface alone'
  }
  const unmetByDisks = unmetOfDisks(disks, build)
  if (unmetByDisks !== undefined) return unmetByDisks
  if (nics.some(({ mtu }) => mtu !== MTU)) return 'the MTU of an interface is for its guest to choose on Hyper-V'
  const features = new Set(cpus[0]?.features)
  const missing = cpu?.required.find(feature => !features.has(feature))
  if (missing !== undefined) return `the host does not tell that its CPUs have ${missing}`
  if ([...(cpu?.canUse ?? []), ...(cpu?.forceOn ?? []), ...(cpu?.forceOff ?? [])].length > 0) {
    return 'Hyper-V neither hides single features of the CPU from guests nor shows them others'
  }
  if (scheduling !== undefined && scheduling.affinity !== null) return 'Hyper-V binds no domain to CPUs of the host'
  if (sharesOf(scheduling).weight > WEIGHT_MAX_OF_HOST)
    return `a weight of ${scheduling?.weight} is more than Hyper-V has`
  return unmetOfPlatform(platform) ?? unmetOfExits(exits)
}

/** Which graphics card is wanted does not count: there is one kind, which every guest knows, and the draft always asks for one. */
function unmetOfPlatform({ serial, audio, tpm, pciDevices = [] }: PlatformConfig): string | undefined {
  if (serial === 'pty') return 'Hyper-V connects no serial port with a pseudo terminal'
  if (audio === true) return 'Hyper-V has no sound card'
  if (tpm === true) return 'a machine of the first generation has no TPM'
  return pciDevices.length > 0 ? 'PCI devices of the host are not given to guests on Hyper-V' : undefined
}

/** A guest that crashes is left by Hyper-V to what it does itself: most restart. */
function unmetOfExits(exits: ExitActions | undefined): string | undefined {
  if (exits?.shutdown === 'restart' || exits?.suspend === 'restart') {
    return 'Hyper-V does not restart a guest that has shut down or suspended itself'
  }
  return exits?.crash === 'hold' ? 'Hyper-V does not hold a guest that has crashed' : undefined
}
