import type { DomainConfig } from '../../src/drivers/driver.ts'

/** A definition for a memory host, under a name that decides how the guest behaves. */
export function definition(name: string, change: Partial<DomainConfig> = {}): DomainConfig {
  return {
    id: crypto.randomUUID(),
    name,
    description: '',
    memoryBytes: 67_108_864,
    vcpus: 1,
    boot: { kind: 'firmware', device: 'disk' },
    disks: [],
    ...change,
  }
}
