import type { ConnectOptions, Driver } from './driver.ts'

type Connect = (options: ConnectOptions) => Promise<Driver>

/** URI scheme to driver. A new driver is one folder beside this file and one line here. */
export const drivers: Readonly<Record<string, Connect>> = {
  memory: async options => (await import('./memory/index.ts')).connect(options),
  hyperv: async options => (await import('./hyperv/index.ts')).connect(options),
  qemu: async options => (await import('./qemu/index.ts')).connect(options),
}
