import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectQmp, type QmpClient } from '../../protocols/qmp/client.ts'
import { QmpConnectionError } from '../../protocols/qmp/error.ts'
import { DriverError } from '../driver.ts'
import type { Accelerator } from './accelerator.ts'
import { CHILD_ENVIRONMENT, type Installation } from './installation.ts'

/** The CPU with all that QEMU can offer here. Under KVM that is what the host has. */
export const modelOf = (accelerator: Accelerator): 'host' | 'max' => (accelerator === 'kvm' ? 'host' : 'max')

/** Which flags of a CPU a guest can have on this host, by QEMU's names. Asked once, of a QEMU without a machine. */
export class CpuOffer {
  readonly #installation: Installation
  readonly #accelerator: Accelerator
  readonly #root: string
  #flags: Promise<ReadonlySet<string>> | undefined

  /** `root` is a folder for the socket. */
  constructor(installation: Installation, accelerator: Accelerator, root: string) {
    this.#installation = installation
    this.#accelerator = accelerator
    this.#root = root
  }

  /** Rejects as `unreachable` where QEMU does not tell; the next who asks has it tried again. */
  flags(): Promise<ReadonlySet<string>> {
    this.#flags ??= this.#ask().catch((error: unknown) => {
      this.#flags = undefined
      throw new DriverError('unreachable', `QEMU does not tell which CPU it offers: ${String(error)}`, { cause: error })
    })
    return this.#flags
  }

  async #ask(): Promise<ReadonlySet<string>> {
    const socket = join(this.#root, `probe-${process.pid}.sock`)
    const machine = ['-machine', 'none', '-accel', this.#accelerator, '-nodefaults', '-no-user-config', '-S']
    const monitor = ['-chardev', `socket,id=qmp,path=${socket.replaceAll(',', ',,')},server=on,wait=off`]
    const args = [...machine, '-display', 'none', ...monitor, '-mon', 'chardev=qmp,mode=control']
    const child = spawn(this.#installation.qemu, args, { stdio: 'ignore', env: CHILD_ENVIRONMENT })
    const exited = once(child, 'exit')
    exited.catch(() => undefined)
    try {
      const qmp = await this.#reach(socket)
      try {
        const model = { name: modelOf(this.#accelerator) }
        const offered = await qmp.execute(
          'query-cpu-model-expansion',
          { type: 'static', model },
          { timeoutMs: PROBE_MS },
        )
        return new Set(offered)
      } finally {
        qmp.close()
      }
    } finally {
      child.kill('SIGKILL')
      await exited.catch(() => undefined)
      await rm(socket, { force: true })
    }
  }

  async #reach(socket: string): Promise<QmpClient> {
    const deadline = performance.now() + PROBE_MS
    for (;;) {
      try {
        return await connectQmp(socket, { timeoutMs: PROBE_MS, onEvent: () => undefined, onClose: () => undefined })
      } catch (error) {
        const isTooEarly = error instanceof QmpConnectionError && error.failure === 'absent'
        if (!isTooEarly || performance.now() > deadline) throw error
        await sleep(POLL_MS)
      }
    }
  }
}

/** How long QEMU may take to come up and to answer. */
const PROBE_MS = 30_000
const POLL_MS = 10
