import { VIR_ERR_INVALID_ARG } from './error-numbers.ts'
import type { FunctionName } from './flag-check.ts'
import type { Host } from './host.ts'

/** More than there are CPUs in any host. */
const MAP_OCTETS_MAX = 8_192
/** CPUs in an octet. */
const CPUS_PER_OCTET = 8

/** The numbers of all CPUs of a host. */
const allCpus = (host: Host): readonly number[] => host.info.cpus.map(({ number }) => number)

/**
 * The CPUs of these numbers, or all of the host, as libvirt maps them: bit `n % 8` of octet `n / 8` is that of CPU `n`. The
 * map has room for all CPUs of the host, or is of `octets`.
 */
export function cpuMap(host: Host, cpus: readonly number[] | null, octets?: number): Uint8Array {
  const all = allCpus(host)
  const needed = Math.max(0, ...all.map(number => Math.floor(number / CPUS_PER_OCTET) + 1))
  const map = new Uint8Array(octets ?? needed)
  for (const number of cpus ?? all) {
    const at = Math.floor(number / CPUS_PER_OCTET)
    const octet = map[at]
    if (octet !== undefined) map[at] = octet | (1 << (number % CPUS_PER_OCTET))
  }
  return map
}

/** Demands that a map of so many octets is one that can be. Throws `VIR_ERR_INVALID_ARG`. */
export function assertMapLength(host: Host, name: FunctionName, maplen: number | undefined): void {
  if (maplen === undefined || (Number.isSafeInteger(maplen) && maplen >= 0 && maplen <= MAP_OCTETS_MAX)) return
  throw host.error(VIR_ERR_INVALID_ARG, `maplen in ${name} must be from 0 to ${MAP_OCTETS_MAX}`)
}

/** The CPUs of a host that a map has; null where it has all of them. Those that the host has not are left out. */
export function cpusIn(host: Host, map: Uint8Array): readonly number[] | null {
  const all = allCpus(host)
  const cpus = all.filter(number => {
    const octet = map[Math.floor(number / CPUS_PER_OCTET)] ?? 0
    return (octet & (1 << (number % CPUS_PER_OCTET))) !== 0
  })
  return cpus.length === all.length ? null : cpus
}
