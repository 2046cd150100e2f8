import type { Scheduling } from '../drivers/driver.ts'

/** What a domain gets of the host's CPUs of which nothing is said. */
export const EVERYBODYS: Scheduling = { weight: 256, capPercent: null, affinity: null }
