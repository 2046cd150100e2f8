/** libvirt's flags and other numbers, by libvirt's names. */

export * from './domain.ts'
export * from './domain-device.ts'
export * from './domain-guest.ts'
export * from './domain-job.ts'
export * from './domain-statistics.ts'
export * from './event.ts'
export * from './network.ts'
export * from './snapshot.ts'
export * from './storage.ts'
