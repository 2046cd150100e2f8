import type { Driver } from './driver.ts'

/** What a driver is given to connect with. */
export interface ConnectOptions {
  readonly uri: URL
  /** The server's data directory; a driver keeps what it must below a folder of its own name. */
  readonly dataDir: string
  /** Something worth an operator's notice that no call can report. */
  readonly warn: (message: string, details?: Readonly<Record<string, unknown>>) => void
  readonly signal?: AbortSignal
}

type Connect = (options: ConnectOptions) => Promise<Driver>

/** URI scheme to driver. A new driver is one folder beside this file and one line here. */
export const drivers: Readonly<Record<string, Connect>> = {
  memory: async options => (await import('./memory/index.ts')).connect(options),
  qemu: async options => (await import('./qemu/index.ts')).connect(options),
}
