import { type CimInstance, defineMethod, type Wql, WsmanFault, wql } from '../../../protocols/wsman/index.ts'
import type { DomainState } from '../../driver.ts'
import { untilAnswered } from '../again.ts'
import type { Glance, Machine, Usage } from '../back-end.ts'
import { settle } from './jobs.ts'
import { hostNameOf, type Link, settingsIdOf, settingsOf } from './link.ts'
import { RETURN } from './return-codes.ts'

/** What each namespace says of machines in its own way. */
export interface MachineWords {
  readonly stateOf: (enabledState: number | undefined) => DomainState
  /** Selects InstanceID and Notes of what machines have, as against their snapshots. */
  readonly ownSettings: Wql
  readonly notesIn: (settings: CimInstance) => string
}

/** Source: Microsoft Learn, the page of the same name; in both namespaces, no SettingData stands for every machine. */
const GET_SUMMARY = defineMethod('Msvm_VirtualSystemManagementService', 'GetSummaryInformation', {
  input: { SettingData: 'reference[]', RequestedInformation: 'uint32[]' },
  output: { SummaryInformation: 'instance[]' },
})

/** What it is asked for: Name, ElementName, Notes, EnabledState. Source: the same page, the same in both namespaces. */
const WANTED = [0, 1, 3, 100]
/** Of one machine, NumberOfProcessors and MemoryUsage too. */
const WANTED_OF_ONE = [...WANTED, 4, 103]

/**
 * Lists every machine: in one round trip, by the summary of all; where that was once larger than an answer may be, by two
 * enumerations, which come in as many answers as it takes.
 */
export function machineLister(link: Link, words: MachineWords): () => Promise<readonly Machine[]> {
  let isTooLarge = false
  return async () => {
    if (isTooLarge) return enumerated(link, words)
    try {
      return await summaries(link, words, {})
    } catch (error) {
      if (!(error instanceof WsmanFault) || error.kind !== 'too-large') throw error
      isTooLarge = true
      return enumerated(link, words)
    }
  }
}

/** One machine; undefined where the host has none of this GUID. */
export async function oneMachine(link: Link, words: MachineWords, guid: string): Promise<Machine | undefined> {
  try {
    const found = await summaries(link, words, { SettingData: [settingsOf(link, guid)] })
    return found.find(machine => machine.guid === guid)
  } catch (error) {
    // Whether a host says so of a reference to nothing, or tells an empty name, its documents leave open.
    if (error instanceof WsmanFault && error.kind === 'not-found') return undefined
    throw error
  }
}

/** How many machines are summed up in one answer. */
const SUMMED_UP_MAX = 64

/** Machines of these GUIDs, with what they use; where one is gone, others may be left out with it. */
export async function someMachines(
  link: Link,
  words: MachineWords,
  guids: readonly string[],
): Promise<readonly Machine[]> {
  const parts = Array.from({ length: Math.ceil(guids.length / SUMMED_UP_MAX) }, (_, part) =>
    guids.slice(part * SUMMED_UP_MAX, (part + 1) * SUMMED_UP_MAX),
  )
  const sumUp = async (part: readonly string[]): Promise<readonly Machine[]> => {
    try {
      return await summaries(link, words, { SettingData: part.map(guid => settingsOf(link, guid)) })
    } catch (error) {
      if (!(error instanceof WsmanFault)) throw error
      if (error.kind === 'not-found') return []
      // Notes may be long.
      if (error.kind !== 'too-large' || part.length === 1) throw error
      const half = Math.ceil(part.length / 2)
      return (await Promise.all([part.slice(0, half), part.slice(half)].map(sumUp))).flat()
    }
  }
  return (await Promise.all(parts.map(sumUp))).flat()
}

/** The state of every machine, and when its definition was last changed. */
export async function allGlances(
  link: Link,
  { stateOf }: MachineWords,
  signal: AbortSignal,
): Promise<readonly Glance[]> {
  const query = wql`SELECT Name, EnabledState, TimeOfLastConfigurationChange FROM Msvm_ComputerSystem WHERE Name <> ${hostNameOf(link)}`
  const rows = await link.client.query(query, { signal })
  return rows.map(row => ({
    guid: guidIn(row),
    state: stateOf(row.number('EnabledState')),
    revision: row.datetime('TimeOfLastConfigurationChange')?.toIso() ?? '',
  }))
}

async function summaries(
  link: Link,
  { stateOf }: MachineWords,
  about: { SettingData?: ReturnType<typeof settingsOf>[] },
): Promise<Machine[]> {
  const isOfOne = about.SettingData !== undefined
  const input = { ...about, RequestedInformation: isOfOne ? WANTED_OF_ONE : WANTED }
  const answer = await untilAnswered(() => link.client.call(link.service, GET_SUMMARY, input))
  // It never goes on in a job.
  if (answer.returnValue !== RETURN.ok) {
    await settle(link, { returnValue: answer.returnValue, values: { Job: undefined } }, 'sum up the machines')
  }
  // Of what is not there, a host tells an empty name.
  return answer.values.SummaryInformation.filter(row => guidIn(row) !== '').map(row => ({
    guid: guidIn(row),
    name: row.string('ElementName') ?? '',
    state: stateOf(row.number('EnabledState')),
    notes: row.string('Notes') ?? '',
    ...(isOfOne && { usage: usageIn(row) }),
  }))
}

function usageIn(row: CimInstance): Usage {
  return { vcpus: row.number('NumberOfProcessors') ?? 0, memoryMb: row.number('MemoryUsage') }
}

async function enumerated(link: Link, { stateOf, ownSettings, notesIn }: MachineWords): Promise<Machine[]> {
  const systems = wql`SELECT Name, ElementName, EnabledState FROM Msvm_ComputerSystem WHERE Name <> ${hostNameOf(link)}`
  const [rows, owned] = await Promise.all([link.client.query(systems), link.client.query(ownSettings)])
  const notes = new Map(owned.map(row => [row.string('InstanceID')?.toUpperCase(), notesIn(row)]))
  return rows.map(row => ({
    guid: guidIn(row),
    name: row.string('ElementName') ?? '',
    state: stateOf(row.number('EnabledState')),
    notes: notes.get(settingsIdOf(guidIn(row)).toUpperCase()) ?? '',
  }))
}

const guidIn = (row: CimInstance): string => (row.string('Name') ?? '').toUpperCase()
