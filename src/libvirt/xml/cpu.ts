import type { CpuConfig } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_ERR_XML_ERROR } from '../error-numbers.ts'
import type { HostKind } from './host-kind.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

/**
 * Features of CPUs that libvirt calls as the draft does, but in lower case. Of the last line, libvirt has no name.
 * Source: Xen Management API rev 0.2, §2.3.3, cpu_feature; libvirt, src/cpu_map/x86_features.xml.
 */
const ALIKE =
  'FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 PN ACPI MMX FXSR HT IA64 SYSCALL NX MMXEXT ' +
  'LM 3DNOWEXT 3DNOW TM2 CID CX16 XTPR XSTORE XCRYPT LAHF_LM CMP_LEGACY EST ' +
  'MP RECOVERY LONGRUN LRTI CXMMX K6_MTRR CYRIX_ARR CENTAUR_MCR K8 K7 P3 P4 FXSAVE_LEAK'

/** libvirt's names by the draft's. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ...ALIKE.split(' ').map(name => [name, name.toLowerCase()] as const),
  ...Object.entries({
    CLFLSH: 'clflush',
    DTES: 'ds',
    XMM: 'sse',
    XMM2: 'sse2',
    XMM3: 'pni',
    SELFSNOOP: 'ss',
    ACC: 'tm',
    CONSTANT_TSC: 'invtsc',
    MWAIT: 'monitor',
    DSCPL: 'ds_cpl',
    XSTORE_EN: 'xstore-en',
    XCRYPT_EN: 'xcrypt-en',
  }),
])
const DRAFT_NAMES = new Map([...NAMES].map(([draft, name]) => [name, draft]))

/** libvirt's name of a feature. */
export const featureName = (draft: string): string => NAMES.get(draft) ?? draft.toLowerCase()

const HOST_MODES = ['host-passthrough', 'host-model', 'maximum'] as const

/**
 * Reads `<cpu>`: what the host can offer, with features required (`require`), forced on (`force`) or off (`disable`). A CPU
 * of mode `custom` without a model has, of these features, those that are `optional` and no others. Models by name,
 * vendors, caches, topologies and NUMA nodes are refused; where CPUs are emulated also those like the host's.
 */
export function readCpu(domain: Reading, { cpuMode }: HostKind): CpuConfig | undefined {
  const cpu = domain.child('cpu')
  if (cpu === undefined) return undefined
  const mode = cpu.word('mode', ['custom', ...HOST_MODES]) ?? 'custom'
  const isEmulated = cpuMode === 'maximum'
  if (isEmulated && mode !== 'custom' && mode !== cpuMode) {
    cpu.refuse('/@mode', mode, `CPUs are emulated here; one of mode ${cpuMode} has all that can be`)
  }
  cpu.word('match', mode === 'custom' ? ['exact'] : ['exact', 'minimum'])
  cpu.word('check', ['none', 'partial'])
  cpu.word('migratable', ['on']) // What could not go with a guest, hosts here keep from it.
  readModel(cpu, mode === 'custom')
  readTopology(cpu)
  const features = cpu.children('feature').map(readFeature)
  const named = (policy: string) => features.filter(each => each.policy === policy).map(each => each.name)
  const config = {
    required: named('require'),
    canUse: named('optional'),
    forceOn: named('force'),
    forceOff: named('disable'),
  }
  if (config.canUse.length > 0 && mode !== 'custom') {
    cpu.refuse('/feature/@policy', 'optional', 'a feature that is optional is one of a CPU without a model')
  }
  return features.length === 0 && !(isEmulated && mode === cpuMode) ? undefined : config
}

/** Of a CPU like the host's, libvirt writes how close a model may come to it. */
function readModel(cpu: Reading, isCustom: boolean): void {
  const model = cpu.child('model')
  if (model === undefined) return
  if (isCustom || model.text() !== '') model.refuse('', model.text(), 'CPUs here are like the host’s')
  model.word('fallback', ['allow', 'forbid'])
}

/** Of one virtual CPU, one socket with one core is all there can be. */
function readTopology(cpu: Reading): void {
  const topology = cpu.child('topology')
  for (const name of ['sockets', 'dies', 'clusters', 'cores', 'threads']) {
    const value = topology?.attribute(name) ?? '1'
    if (value !== '1') topology?.refuse(`/@${name}`, value, 'how CPUs are grouped is the host’s to decide')
  }
}

function readFeature(feature: Reading): { readonly policy: string; readonly name: string } {
  const name = feature.attribute('name') ?? ''
  if (name === '') return feature.fail(VIR_ERR_XML_ERROR, `missing name in ${feature.path}`)
  const draft = DRAFT_NAMES.get(name) ?? feature.refuse('/@name', name)
  const policy = feature.attribute('policy') ?? 'require'
  if (policy === 'forbid') return feature.refuse('/@policy', policy)
  if (!['require', 'optional', 'force', 'disable'].includes(policy)) return feature.invalid('/@policy', policy)
  return { policy, name: draft }
}

/** `<cpu>` of a domain; undefined where nothing is told of it. */
export function writeCpu(cpu: CpuConfig | undefined, { cpuMode, usualCpu }: HostKind): XmlOutput | undefined {
  const { required = [], canUse = [], forceOn = [], forceOff = [] } = cpu ?? {}
  const features = [
    ...named(required, 'require'),
    ...named(canUse, 'optional'),
    ...named(forceOn, 'force'),
    ...named(forceOff, 'disable'),
  ]
  if (canUse.length > 0) return element('cpu', { mode: 'custom', match: 'exact' }, features)
  const isWhole = cpu !== undefined && cpuMode === 'maximum'
  const mode = features.length > 0 || isWhole ? cpuMode : usualCpu
  if (mode === undefined) return undefined
  const isPassed = usualCpu !== undefined && mode === 'host-passthrough'
  return element('cpu', isPassed ? { mode, check: 'none', migratable: 'on' } : { mode }, features)
}

const named = (names: readonly string[], policy: string): readonly XmlOutput[] =>
  names.map(name => element('feature', { policy, name: featureName(name) }))
