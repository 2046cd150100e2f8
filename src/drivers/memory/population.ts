import type { DomainConfig } from '../driver.ts'
import type { Random } from './random.ts'

const ROLES = ['web', 'db', 'cache', 'mail', 'build', 'queue', 'proxy', 'search', 'metrics', 'files'] as const
const STAGES = ['prod', 'staging', 'test', 'dev'] as const
const VCPUS = [1, 1, 2, 2, 4, 8] as const
const MEMORY_MIB = [512, 1024, 2048, 4096, 8192] as const
const MIB = 1_048_576

/** Domains as an estate has them, `web-prod-01` and the like; no two have the same name. */
export function populate(random: Random, count: number): DomainConfig[] {
  const namesakes = new Map<string, number>()
  return Array.from({ length: count }, () => {
    const kind = `${random.pick(ROLES)}-${random.pick(STAGES)}`
    const number = (namesakes.get(kind) ?? 0) + 1
    namesakes.set(kind, number)
    return {
      id: random.uuid(),
      name: `${kind}-${String(number).padStart(2, '0')}`,
      description: '',
      memoryBytes: random.pick(MEMORY_MIB) * MIB,
      vcpus: random.pick(VCPUS),
      boot: { kind: 'firmware', device: 'disk' },
      disks: [],
    } satisfies DomainConfig
  })
}
