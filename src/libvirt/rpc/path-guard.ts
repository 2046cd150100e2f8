import type {
  BootConfig,
  DeviceOps,
  DiskConfig,
  Domain,
  DomainConfig,
  DomainId,
  DomainOps,
  Driver,
  DumpOps,
  RepositoryConfig,
  SavedFileOps,
  StorageOps,
  SuspensionOps,
} from '../../drivers/driver.ts'
import { DriverError } from '../../drivers/driver.ts'
import type { Company } from '../company.ts'
import { sharePast } from '../domain-past.ts'
import { VIR_ERR_OPERATION_DENIED } from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'
import type { PoolKeeper } from '../kept-pools.ts'
import type { ManagedHost } from './managed-host.ts'
import type { PathRule, PathUse } from './path-rule.ts'

/** What a definition names. */
interface NamedPath {
  readonly path: string
  readonly use: PathUse
}

/** The storage pools of a host, as far as their places count. */
type Places = Pick<PoolKeeper, 'list'>

/** As the host is, but that clients name no file that the operator does not allow. */
export interface GuardedHost {
  readonly driver: Driver
  readonly company: Company
}

/** By the driver that each is in front of: who listens to a driver tells it by what it is. */
const guards = new WeakMap<Driver, GuardedHost>()

/**
 * A host whose files are this machine's, behind the operator's rules. What lies in a storage pool is allowed, for the
 * pool was, and so is what a definition names already. Everything else that a client names by its path is refused with
 * `VIR_ERR_OPERATION_DENIED`, before anything is changed.
 */
export function guarded({ driver, company, paths }: ManagedHost): GuardedHost {
  if (paths === undefined) return { driver, company }
  const known = guards.get(driver) ?? guardOf(driver, company, paths)
  guards.set(driver, known)
  return known
}

function guardOf(driver: Driver, company: Company, rule: PathRule): GuardedHost {
  const guard = new PathGuard(rule, company.pools)
  const { devices, dumps, storage, suspension } = driver
  const groups = {
    domains: over(driver.domains, domainsBehind(driver.domains, guard)),
    ...(devices && { devices: over(devices, devicesBehind(devices, guard)) }),
    ...(dumps && { dumps: over(dumps, dumpsBehind(dumps, guard)) }),
    ...(storage && { storage: over(storage, storageBehind(storage, guard)) }),
    ...(suspension && { suspension: over(suspension, suspensionBehind(suspension, guard)) }),
  }
  const { pools } = company
  const kept = pools && { pools: over(pools, poolsBehind(pools, guard)) }
  const behind = over(driver, groups)
  sharePast(behind, driver)
  return { driver: behind, company: { ...company, ...kept } }
}

/** Says no. */
class PathGuard {
  readonly #rule: PathRule
  readonly #places: Places | undefined

  constructor(rule: PathRule, places: Places | undefined) {
    this.#rule = rule
    this.#places = places
  }

  /** Throws LibvirtError for a path that may not be named. */
  check({ path, use }: NamedPath): void {
    const pools = this.#places?.list() ?? []
    const reason = this.#rule(
      path,
      use,
      pools.map(({ location }) => location),
    )
    if (reason !== undefined) throw new LibvirtError(VIR_ERR_OPERATION_DENIED, reason)
  }

  /** Throws LibvirtError for a definition that names such a path, and did not `before`. */
  checkConfig(config: DomainConfig, before?: DomainConfig): void {
    const known = new Set(before === undefined ? [] : namedPaths(before).map(({ path }) => path))
    for (const named of namedPaths(config)) if (!known.has(named.path)) this.check(named)
  }
}

function namedPaths({ boot, disks }: DomainConfig): readonly NamedPath[] {
  return [...bootPaths(boot), ...disks.flatMap(diskPaths)]
}

/** A drive without a medium names nothing. */
const diskPaths = ({ location, kind }: Pick<DiskConfig, 'location' | 'kind'>): readonly NamedPath[] =>
  location === '' ? [] : [{ path: location, use: kind === 'cdrom' ? 'drive' : 'file' }]

function bootPaths(boot: BootConfig): readonly NamedPath[] {
  if (boot.kind !== 'kernel') return []
  return [boot.kernel, boot.initrd].flatMap(path => (path === null ? [] : [file(path)]))
}

const file = (path: string): NamedPath => ({ path, use: 'file' })

function domainsBehind(domains: DomainOps, guard: PathGuard): Partial<DomainOps> {
  const amend = domains.amend?.bind(domains)
  return {
    async define(config, options) {
      guard.checkConfig(config, await configOf(domains, config.id))
      return domains.define(config, options)
    },
    ...(amend !== undefined && {
      amend: (id, change, options) => amend(id, checkedChange(guard, change), options),
    }),
  }
}

/** Its definition; undefined for one that is new. */
async function configOf(domains: DomainOps, id: DomainId): Promise<DomainConfig | undefined> {
  try {
    return await domains.config(id)
  } catch (error) {
    if (error instanceof DriverError && error.kind === 'not-found') return undefined
    throw error
  }
}

type Change = (config: DomainConfig, domain: Domain) => DomainConfig | undefined

function checkedChange(guard: PathGuard, change: Change): Change {
  return (config, domain) => {
    const changed = change(config, domain)
    if (changed !== undefined) guard.checkConfig(changed, config)
    return changed
  }
}

function devicesBehind(devices: DeviceOps, guard: PathGuard): Partial<DeviceOps> {
  return {
    async attachDisk(id, disk) {
      diskPaths(disk).forEach(named => guard.check(named))
      return devices.attachDisk(id, disk)
    },
    async changeMedium(id, drive, medium) {
      if (medium !== null) guard.check({ path: medium.location, use: 'drive' })
      return devices.changeMedium(id, drive, medium)
    },
  }
}

function dumpsBehind(dumps: DumpOps, guard: PathGuard): Partial<DumpOps> {
  return {
    async dump(id, options) {
      if (options?.location !== undefined) guard.check(file(options.location))
      return dumps.dump(id, options)
    },
  }
}

function suspensionBehind(suspension: SuspensionOps, guard: PathGuard): Partial<SuspensionOps> {
  const { files } = suspension
  const changeSaved = suspension.changeSaved?.bind(suspension)
  return {
    ...(files && { files: savedFilesBehind(files, guard) }),
    ...(changeSaved !== undefined && {
      async changeSaved(id, changes) {
        if (changes.config !== undefined) guard.checkConfig(changes.config, (await suspension.saved?.(id))?.config)
        return changeSaved(id, changes)
      },
    }),
  }
}

/** What a file says of its domain may have been written by anybody. */
function savedFilesBehind(files: SavedFileOps, guard: PathGuard): SavedFileOps {
  return {
    async save(id, location, options) {
      guard.check(file(location))
      return files.save(id, location, options)
    },
    async read(location) {
      guard.check(file(location))
      return files.read(location)
    },
    async change(location, changes) {
      guard.check(file(location))
      if (changes.config !== undefined) guard.checkConfig(changes.config)
      return files.change(location, changes)
    },
    async restore(location, options) {
      guard.check(file(location))
      guard.checkConfig(options?.config ?? (await files.read(location)).config)
      return files.restore(location, options)
    },
  }
}

function storageBehind(storage: StorageOps, guard: PathGuard): Partial<StorageOps> {
  const openVolume = storage.openVolume?.bind(storage)
  const wipeVolume = storage.wipeVolume?.bind(storage)
  const shrinkVolume = storage.shrinkVolume?.bind(storage)
  const allocateVolume = storage.allocateVolume?.bind(storage)
  const checkPlace = ({ location }: RepositoryConfig) => guard.check(file(location))
  return {
    async openRepository(repository) {
      checkPlace(repository)
      return storage.openRepository(repository)
    },
    async createVolume(repository, volume, options) {
      checkPlace(repository)
      return storage.createVolume(repository, volume, options)
    },
    async copyVolume(location, repository, copy, options) {
      guard.check(file(location))
      checkPlace(repository)
      return storage.copyVolume(location, repository, copy, options)
    },
    async resizeVolume(location, virtualBytes) {
      guard.check(file(location))
      return storage.resizeVolume(location, virtualBytes)
    },
    async deleteVolume(location) {
      guard.check(file(location))
      return storage.deleteVolume(location)
    },
    ...(openVolume !== undefined && {
      async openVolume(location, mode) {
        guard.check(file(location))
        return openVolume(location, mode)
      },
    }),
    ...(shrinkVolume !== undefined && {
      async shrinkVolume(location, virtualBytes) {
        guard.check(file(location))
        return shrinkVolume(location, virtualBytes)
      },
    }),
    ...(allocateVolume !== undefined && {
      async allocateVolume(location, bytes) {
        guard.check(file(location))
        return allocateVolume(location, bytes)
      },
    }),
    ...(wipeVolume !== undefined && {
      async wipeVolume(location, options) {
        guard.check(file(location))
        return wipeVolume(location, options)
      },
    }),
  }
}

function poolsBehind(pools: PoolKeeper, guard: PathGuard): Partial<PoolKeeper> {
  return {
    async define(pool) {
      guard.check(file(pool.location))
      return pools.define(pool)
    },
    async create(pool) {
      guard.check(file(pool.location))
      return pools.create(pool)
    },
  }
}

/** `above` where it has a member, and `below` for the rest, which stays itself. */
function over<T extends object>(below: T, above: Partial<T>): T {
  return new Proxy(below, {
    get(target, name) {
      if (Object.hasOwn(above, name)) return Reflect.get(above, name)
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
