import { readdir, readFile } from 'node:fs/promises'
import { JsonShapeError } from '../../protocols/qmp/json.ts'
import { type DomainConfig, type DomainId, DriverError } from '../driver.ts'
import { type Definition, parse } from './definition.ts'
import { QemuDomain, type Surroundings } from './domain.ts'
import { systemCode } from './files.ts'
import { removeFolder } from './folder.ts'
import type { ImageKey } from './images.ts'
import { filesOf, isDomainId } from './layout.ts'
import { isOpen } from './open-images.ts'
import { findByPidFile, type FoundProcess } from './process.ts'

/** Domains that are looked at together when a connection is made. */
const AT_ONCE_MAX = 16

/** All domains of the host, by their ids. */
export class Inventory {
  readonly #surroundings: Surroundings
  readonly #domains = new Map<DomainId, QemuDomain>()

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** Reads the definitions, takes over each QEMU that runs one of them, and clears away what dead ones left. */
  async load(): Promise<void> {
    const ids = (await readdir(this.#surroundings.root)).filter(isDomainId)
    const processes = findByPidFile()
    for (let first = 0; first < ids.length; first += AT_ONCE_MAX) {
      await Promise.all(ids.slice(first, first + AT_ONCE_MAX).map(id => this.#loadOne(id, processes)))
    }
  }

  all(): QemuDomain[] {
    return [...this.#domains.values()].filter(domain => domain.isDefined)
  }

  /** Throws as `not-found`. */
  find(id: DomainId): QemuDomain {
    const domain = this.#domains.get(id)
    if (domain === undefined || !domain.isDefined) throw new DriverError('not-found', `no domain ${id}`)
    return domain
  }

  async define(config: DomainConfig): Promise<void> {
    const domain = this.#domains.get(config.id) ?? new QemuDomain(config.id, this.#surroundings)
    // Known from now on, so that whoever defines the same id at once waits for the same lock.
    this.#domains.set(config.id, domain)
    try {
      await domain.define(config)
    } finally {
      this.#dropUnlessNeeded(domain)
    }
  }

  async undefine(id: DomainId): Promise<void> {
    const domain = this.find(id)
    await domain.undefine()
    this.#dropUnlessNeeded(domain)
  }

  /** Whether a domain runs with this image, or somebody reads or writes it as a file. */
  isInUse(image: ImageKey): boolean {
    return isOpen(image) || this.all().some(domain => domain.images.uses(image))
  }

  /** The domains that run with this image. */
  users(image: ImageKey): QemuDomain[] {
    return this.all().filter(domain => domain.images.uses(image))
  }

  /** The domains whose definitions name this image, by whatever path. */
  naming(image: ImageKey): QemuDomain[] {
    return this.all().filter(domain => domain.images.names(image))
  }

  /** Runs `operation` while nothing else is done to these domains. */
  holding<T>(domains: readonly QemuDomain[], operation: () => Promise<T>): Promise<T> {
    // Always in the same order, so that no two wait for each other.
    const [first, ...others] = domains.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return first === undefined ? operation() : first.hold(() => this.holding(others, operation))
  }

  /** Lets definitions that name this image name another instead, in the same folder; durable when it resolves. */
  async relocate(image: ImageKey, place: string): Promise<void> {
    for (const domain of this.naming(image)) await domain.hold(() => domain.relocate(image, place))
  }

  /** Lets go of every QEMU; they go on. */
  detach(): void {
    for (const domain of this.#domains.values()) domain.detach()
  }

  #dropUnlessNeeded(domain: QemuDomain): void {
    if (!domain.isDefined && domain.isIdle) this.#domains.delete(domain.id)
  }

  async #loadOne(id: DomainId, processes: ReadonlyMap<string, FoundProcess>): Promise<void> {
    const files = filesOf(this.#surroundings.root, id)
    const process = processes.get(files.pid)
    const definition = await this.#read(files.definition, id)
    if (definition === 'absent' && process === undefined) return removeFolder(files)
    if (definition === 'absent' || definition === 'unreadable') {
      if (process === undefined) return
      return this.#surroundings.warn(`QEMU runs a domain without a definition, ${id}, and is left alone`)
    }
    const domain = new QemuDomain(id, this.#surroundings, definition)
    this.#domains.set(id, domain)
    await domain.snapshots.load()
    await domain.load(process)
  }

  /** A definition that cannot be read is told of and left as it is, for someone to mend. */
  async #read(path: string, id: DomainId): Promise<Definition | 'absent' | 'unreadable'> {
    try {
      const definition = parse(await readFile(path, 'utf8'))
      if (definition.config.id !== id) throw new JsonShapeError(`it is of domain ${definition.config.id}`)
      return definition
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return 'absent'
      this.#surroundings.warn(`the definition ${path} cannot be read: ${String(error)}`)
      return 'unreadable'
    }
  }
}
