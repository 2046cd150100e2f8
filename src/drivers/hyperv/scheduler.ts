import { type DomainId, DriverError, type Scheduling, type SchedulerOps } from '../driver.ts'
import type { BackEnd } from './back-end.ts'
import type { Directory, Entry } from './directory.ts'
import type { Events } from './events.ts'
import type { Gate } from './gate.ts'
import { notesWith } from './kept-definition.ts'
import type { Locks } from './locks.ts'
import { LIMIT_MAX, schedulingOf, sharesOf, WEIGHT_MAX_OF_HOST } from './quantities.ts'
import type { SchedulingBackEnd, Shares } from './scheduling-back-end.ts'
import { assertState } from './states.ts'
import { takeBack, type Undo } from './undo.ts'

/** What the group needs of a connection. */
export interface SchedulerParts {
  readonly scheduling: SchedulingBackEnd
  readonly backEnd: BackEnd
  readonly directory: Directory
  readonly events: Events
  readonly locks: Locks
}

/** The largest weight of the contract. */
const WEIGHT_MAX = 65_535

/**
 * What machines get of processors. The name and parameters of its own are those by which libvirt knows Hyper-V's.
 * Source: "New features for Hyper-V driver", virDomainGetSchedulerType and virDomainGetSchedulerParameters.
 */
export function schedulerOps(parts: SchedulerParts, gate: Gate): SchedulerOps {
  const { scheduling, directory, locks } = parts
  return {
    own: {
      name: 'allocation',
      parameters: id =>
        gate.pass(async () => {
          const { limit, reservation, weight } = await scheduling.shares((await directory.get(id)).machine.guid)
          return [
            { name: 'limit', type: 'ullong', value: BigInt(limit) },
            { name: 'reservation', type: 'ullong', value: BigInt(reservation) },
            { name: 'weight', type: 'uint', value: BigInt(weight) },
          ]
        }),
      changed,
    },
    set(id, wanted) {
      const kept = structuredClone(wanted)
      return gate.pass(() => locks.run(id, () => set(parts, id, kept)))
    },
  }
}

/** What a definition says whose machine has these shares, in the units of a host. */
function changed(now: Scheduling | undefined, values: ReadonlyMap<string, bigint>): Scheduling {
  for (const [name, value] of values) {
    const max = LARGEST.get(name)
    if (name === 'reservation') throw new DriverError('refused', 'what Hyper-V keeps of processors is not changed here')
    if (max === undefined) throw new DriverError('refused', `Hyper-V has no parameter ${name} of processors`)
    if (value >= 1n && value <= max) continue
    throw new DriverError('refused', `${name} is from 1 to ${max}, not ${value}`)
  }
  const before = sharesOf(now)
  const weight = Number(values.get('weight') ?? before.weight)
  const limit = Number(values.get('limit') ?? before.limit)
  return schedulingOf({ weight, limit }) ?? EVERYBODYS
}

/** The largest value of each parameter that is changed. */
const LARGEST: ReadonlyMap<string, bigint> = new Map([
  ['weight', BigInt(WEIGHT_MAX_OF_HOST)],
  ['limit', BigInt(LIMIT_MAX)],
])

const EVERYBODYS: Scheduling = { weight: 256, capPercent: null, affinity: null }

/** Changes the living machine first, which hosts refuse most, then what was written down; what fails is taken back. */
async function set(parts: SchedulerParts, id: DomainId, wanted: Scheduling): Promise<void> {
  const entry = await parts.directory.get(id)
  assertState(entry, 'schedule', ['running', 'paused'])
  assertPossible(wanted)
  const undo = await share(parts, entry, wanted)
  try {
    await writeDown(parts, entry, wanted)
  } catch (error) {
    await takeBack(undo, error, 'the shares of the machine remain changed')
    throw error
  }
  parts.events.saw(entry)
}

/** Gives a machine other shares; gives what takes it back. */
async function share({ scheduling }: SchedulerParts, entry: Entry, wanted: Scheduling): Promise<Undo> {
  const now = await scheduling.shares(entry.machine.guid)
  const shares = sharesOf(wanted)
  if (isSame(now, shares)) return async () => {}
  if (!scheduling.isOnline) {
    throw new DriverError(
      'refused',
      'Hyper-V before Windows Server 2016 changes weight and cap of no machine that is on',
    )
  }
  await scheduling.setShares(now.processorId, shares)
  return () => scheduling.setShares(now.processorId, now)
}

/** The definition that was kept says the same from now on; of a machine that somebody else has made, none was. */
async function writeDown({ backEnd }: SchedulerParts, entry: Entry, wanted: Scheduling): Promise<void> {
  const config = entry.note?.config
  const notes = config === undefined ? undefined : notesWith(entry, { ...config, scheduling: wanted })
  if (notes !== undefined) await backEnd.change(entry.machine.guid, { notes })
}

const isSame = (one: Pick<Shares, 'weight' | 'limit'>, other: Pick<Shares, 'weight' | 'limit'>): boolean =>
  one.weight === other.weight && one.limit === other.limit

function assertPossible(wanted: Scheduling): void {
  const { weight, capPercent, affinity } = wanted
  if (affinity !== null) throw new DriverError('refused', 'Hyper-V binds no domain to CPUs of the host')
  if (!(Number.isSafeInteger(weight) && weight >= 1 && weight <= WEIGHT_MAX)) {
    throw new DriverError('refused', `a weight is from 1 to ${WEIGHT_MAX}, not ${weight}`)
  }
  const shares = sharesOf(wanted)
  if (shares.weight > WEIGHT_MAX_OF_HOST)
    throw new DriverError('refused', `a weight of ${weight} is more than Hyper-V has`)
  if (capPercent !== null && !(shares.limit > 0)) {
    throw new DriverError('refused', `a cap leaves more than nothing, not ${capPercent} percent`)
  }
}
