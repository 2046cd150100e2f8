import { type CpuConfig, type DomainConfig, DriverError, type PlatformConfig } from '../../driver.ts'
import type { Accelerator } from '../accelerator.ts'
import { flagOf } from '../cpu-features.ts'
import { modelOf } from '../cpu-offer.ts'

/**
 * Number and kind of the virtual CPUs. `offered` are the flags that the host can give, for a definition that speaks of
 * them. Throws as `refused`, naming them, where it cannot give what is required or forced on.
 */
export function cpuArguments(
  { vcpus, cpu, platform = {} }: DomainConfig,
  accelerator: Accelerator,
  offered: ReadonlySet<string>,
): string[] {
  const [, model] = modelArguments(vcpus, cpu, accelerator, offered)
  const enlightened = enlightenments(platform, accelerator)
  const chosen = model === undefined ? [] : ['-cpu', [model, ...enlightened].join(',')]
  return ['-accel', accelerator, ...chosen, '-smp', `${vcpus}`]
}

/** As many tries as libvirt's clients have a guest spin before it gives way. Source: QEMU 7.2, docs/system/i386/hyperv.rst. */
const ENLIGHTENMENTS = ['hv-time=on', 'hv-relaxed=on', 'hv-vapic=on', 'hv-spinlocks=0x1fff'] as const

/** Throws as `refused` where KVM is missing, without which there is nothing of the kind. */
function enlightenments({ enlightened = false }: PlatformConfig, accelerator: Accelerator): readonly string[] {
  if (!enlightened) return []
  if (accelerator === 'kvm') return ENLIGHTENMENTS
  throw new DriverError('refused', 'QEMU has what Hyper-V has for its guests with KVM alone')
}

/** Whether a definition says anything about the CPU's features. */
export const speaksOfCpu = ({ cpu }: DomainConfig): boolean =>
  cpu !== undefined && Object.values(cpu).some(features => features.length > 0)

function modelArguments(
  vcpus: number,
  cpu: CpuConfig | undefined,
  accelerator: Accelerator,
  offered: ReadonlySet<string>,
): string[] {
  if (cpu === undefined) return accelerator === 'kvm' ? ['-cpu', modelOf(accelerator)] : []
  const { required, canUse, forceOn, forceOff } = cpu

  const isOffered = (feature: string) => {
    const flag = flagOf(feature)
    // QEMU sets it by itself where there are several CPUs, whatever the model.
    return flag !== undefined && (offered.has(flag) || (flag === 'ht' && vcpus > 1))
  }
  const missing = [...required, ...forceOn].filter(feature => !isOffered(feature))
  if (missing.length > 0) {
    throw new DriverError('refused', `this host cannot offer the CPU features ${[...new Set(missing)].join(', ')}`)
  }
  const flagsOf = (features: readonly string[]) => features.map(flagOf).filter(flag => flag !== undefined)
  const allowed = new Set(flagsOf([...canUse, ...required, ...forceOn]))
  const hidden = canUse.length === 0 ? [] : [...offered].filter(flag => !allowed.has(flag) && !isOfTheMachine(flag))
  const off = new Set([...hidden, ...flagsOf(forceOff)])
  const on = new Set(flagsOf(forceOn).filter(flag => !off.has(flag)))
  const flags = [...[...on].map(flag => `${flag}=on`), ...[...off].map(flag => `${flag}=off`)]
  return ['-cpu', [modelOf(accelerator), ...flags].join(',')]
}

/** What tells a guest that its machine is a virtual one, and is no feature of any CPU. */
const isOfTheMachine = (flag: string): boolean => flag === 'hypervisor' || flag.startsWith('kvm')
