import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { DriverError, type ImageFormat, type OperationOptions } from '../driver.ts'
import { assertSelfContained } from './backing.ts'
import { CHILD_ENVIRONMENT } from './installation.ts'

/** How long `qemu-img` may take where it writes little. */
const QUICK_MS = 120_000
/** How long a copy of all data may take. */
const COPY_MS = 6 * 3_600_000

/** What is done to images by the program of that name. Each rejects as `refused` with what it complains of. */
export interface QemuImg {
  /** Makes an empty qcow2 image in a file that must not be there yet; durable. */
  readonly create: (path: string, virtualBytes: number, options?: CreateOptions) => Promise<void>
  /**
   * Makes an image that shows another, the base, until it is written to; durable. The base is a name in the same folder
   * and need not be there yet.
   */
  readonly createOverlay: (path: string, virtualBytes: number, base: Base, options?: OperationOptions) => Promise<void>
  readonly resize: (path: string, format: ImageFormat, virtualBytes: number, layout?: Layout) => Promise<void>
  /** Makes an image smaller; what lies beyond is lost. */
  readonly shrink: (path: string, format: ImageFormat, virtualBytes: number) => Promise<void>
  /** Lets a qcow2 image build on another base, or on none, copying what it shows of those in between; durable. */
  readonly rebase: (path: string, base: Base | undefined, options?: OperationOptions) => Promise<void>
  /** Copies what a qcow2 image shows to a new one that needs no other; durable. */
  readonly flatten: (path: string, target: string, options?: OperationOptions) => Promise<void>
  /** Keeps what a qcow2 image shows, goes back to that, or forgets it: a snapshot within the image, by its name; durable. */
  readonly snapshot: (path: string, change: 'create' | 'apply' | 'delete', name: string) => Promise<void>
  /** Copies what an image shows to a new one, of this format, that needs no other; durable. */
  readonly convert: (from: FormattedFile, to: FormattedFile, options?: CreateOptions) => Promise<void>
}

/** How an image is laid out from the start. */
export interface Layout {
  /** `metadata`: the places of all clusters are laid down, the clusters are not. */
  readonly preallocation?: 'metadata' | undefined
}

/** How an image is made. */
export type CreateOptions = OperationOptions & Layout

/** The file of an image, and what its format is. */
export interface FormattedFile {
  readonly path: string
  readonly format: ImageFormat
}

/** An image as overlays name it: relative to themselves, so that a repository can be copied as a whole. */
export interface Base {
  readonly name: string
  readonly format: ImageFormat
}

/** Source: qemu-img(1), `snapshot`. */
const SNAPSHOT_CHANGES = { create: '-c', apply: '-a', delete: '-d' } as const

/** The `qemu-img` at this path. */
export function qemuImgAt(program: string): QemuImg {
  const run = (commandArguments: readonly string[], options: RunOptions = {}) =>
    runProgram(program, commandArguments, options)
  const convert: QemuImg['convert'] = (from, to, { signal, onProgress, preallocation } = {}) =>
    withNewFile(to.path, () => {
      assertSelfContained(from.path, from.format)
      // Without its lock, which would keep a domain from being started; that the image changed is seen afterwards.
      const layout = preallocation === undefined ? [] : ['-o', `preallocation=${preallocation}`]
      const command = ['convert', '-p', '-U', '-f', from.format, '-O', to.format, ...layout, from.path, to.path]
      return run(command, { signal, timeoutMs: COPY_MS, onOutput: text => tellProgress(text, onProgress) })
    })
  return {
    create: (path, virtualBytes, { signal, preallocation } = {}) =>
      withNewFile(path, () => {
        const layout = preallocation === undefined ? [] : ['-o', `preallocation=${preallocation}`]
        return run(['create', '-q', '-f', 'qcow2', ...layout, path, `${virtualBytes}`], { signal })
      }),
    createOverlay: (path, virtualBytes, { name, format }, { signal } = {}) =>
      withNewFile(path, () =>
        run(['create', '-q', '-u', '-f', 'qcow2', '-F', format, '-b', name, path, `${virtualBytes}`], { signal }),
      ),
    resize: (path, format, virtualBytes, { preallocation } = {}) => {
      const layout = preallocation === undefined ? [] : [`--preallocation=${preallocation}`]
      return run(['resize', '-q', '-f', format, ...layout, path, `${virtualBytes}`])
    },
    shrink: (path, format, virtualBytes) =>
      thenSync(path, () => run(['resize', '-q', '--shrink', '-f', format, path, `${virtualBytes}`])),
    rebase: (path, base, { signal } = {}) =>
      thenSync(path, () => {
        const onto = base === undefined ? ['-b', ''] : ['-F', base.format, '-b', base.name]
        return run(['rebase', '-q', '-f', 'qcow2', ...onto, path], { signal, timeoutMs: COPY_MS })
      }),
    snapshot: (path, change, name) =>
      thenSync(path, () => run(['snapshot', '-q', SNAPSHOT_CHANGES[change], name, path], { timeoutMs: COPY_MS })),
    flatten: (path, target, options) => convert({ path, format: 'qcow2' }, { path: target, format: 'qcow2' }, options),
    convert,
  }
}

/** Made by us, so that nobody else may read it, whatever `qemu-img` would say of that. */
const withNewFile = (path: string, fill: () => Promise<void>): Promise<void> => thenSync(path, fill, 'wx')

async function thenSync(path: string, change: () => Promise<void>, flags = 'r+'): Promise<void> {
  const file = await open(path, flags, 0o600)
  try {
    await change()
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Source: qemu-img(1), `-p`: `(12.34/100%)`, each over the one before. */
function tellProgress(text: string, onProgress: OperationOptions['onProgress']): void {
  const percent = [...text.matchAll(/\((\d+\.\d+)\/100%\)/g)].at(-1)?.[1]
  if (percent !== undefined) onProgress?.(Number(percent) / 100)
}

/** How a program is run: until when, and who reads what it prints. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
  readonly onOutput?: (text: string) => void
}

/** Most of a program's complaint that an error shows. */
const COMPLAINT_LENGTH_MAX = 2_000

/** Runs a program and waits for its end; what it complains of becomes the refusal. It is gone when this settles. */
export async function runProgram(
  program: string,
  commandArguments: readonly string[],
  { signal, timeoutMs = QUICK_MS, onOutput }: RunOptions,
): Promise<void> {
  const name = basename(program)
  if (signal?.aborted === true) throw new DriverError('refused', `${name}: aborted`)
  const child = spawn(program, commandArguments, {
    env: CHILD_ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
  })
  let complaint = ''
  child.stderr.on('data', chunk => {
    complaint = `${complaint}${String(chunk)}`.slice(0, COMPLAINT_LENGTH_MAX)
  })
  child.stdout.on('data', chunk => onOutput?.(String(chunk)))
  const { promise: ended, resolve: end } = Promise.withResolvers<unknown>()
  child.once('close', (code, killedBy) => end(code ?? killedBy))
  let failure: unknown
  child.on('error', error => {
    failure = error
    // One that could not be started has no end.
    if (child.pid === undefined) end(error)
  })
  const ending = await ended
  if (ending === 0) return
  const why = complaint.trim() === '' ? String(failure ?? ending) : complaint.trim()
  throw new DriverError('refused', `${name}: ${why}`, { cause: failure })
}
