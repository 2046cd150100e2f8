import { type CimInstance, WsmanFault, wql } from '../../../protocols/wsman/index.ts'
import { untilAnswered } from '../again.ts'
import type { Glance, Machine } from '../back-end.ts'
import { settingsIdOf, settingsOf } from './classes.ts'
import { stateOf } from './enabled-state.ts'
import type { Link } from './link.ts'
import { GET_SUMMARY } from './methods.ts'
import { RETURN, SUMMARY } from './names.ts'
import { settle } from './jobs.ts'

/** VirtualSystemType of what a machine has, as against its snapshots. Source: as real hosts have it, v2. */
const REALIZED = 'Microsoft:Hyper-V:System:Realized'

const WANTED = Object.values(SUMMARY)

/**
 * Lists every machine: in one round trip, by the summary of all; where that was once larger than an answer may be, by two
 * enumerations, which come in as many answers as it takes.
 */
export function machineLister(link: Link): () => Promise<readonly Machine[]> {
  let isTooLarge = false
  return async () => {
    if (isTooLarge) return enumerated(link)
    try {
      return await summaries(link, {})
    } catch (error) {
      if (!(error instanceof WsmanFault) || error.kind !== 'too-large') throw error
      isTooLarge = true
      return enumerated(link)
    }
  }
}

/** One machine; undefined where the host has none of this GUID. */
export async function oneMachine(link: Link, guid: string): Promise<Machine | undefined> {
  try {
    const found = await summaries(link, { SettingData: [settingsOf(guid)] })
    return found.find(machine => machine.guid === guid)
  } catch (error) {
    // Whether a host says so of a reference to nothing, or tells an empty name, its documents leave open.
    if (error instanceof WsmanFault && error.kind === 'not-found') return undefined
    throw error
  }
}

/** The state of every machine, and when its definition was last changed. */
export async function allGlances(link: Link, signal: AbortSignal): Promise<readonly Glance[]> {
  const query = wql`SELECT Name, EnabledState, TimeOfLastConfigurationChange FROM Msvm_ComputerSystem WHERE Name <> ${hostNameOf(link)}`
  const rows = await link.client.query(query, { signal })
  return rows.map(row => ({
    guid: guidIn(row),
    state: stateOf(row.number('EnabledState')),
    revision: row.datetime('TimeOfLastConfigurationChange')?.toIso() ?? '',
  }))
}

/** The host is a Msvm_ComputerSystem too, under its own name. */
export const hostNameOf = ({ service }: Link): string => service.key('SystemName') ?? ''

async function summaries(link: Link, about: { SettingData?: ReturnType<typeof settingsOf>[] }): Promise<Machine[]> {
  const input = { ...about, RequestedInformation: WANTED }
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
  }))
}

async function enumerated(link: Link): Promise<Machine[]> {
  const systems = wql`SELECT Name, ElementName, EnabledState FROM Msvm_ComputerSystem WHERE Name <> ${hostNameOf(link)}`
  const settings = wql`SELECT InstanceID, Notes FROM Msvm_VirtualSystemSettingData WHERE VirtualSystemType = ${REALIZED}`
  const [rows, owned] = await Promise.all([link.client.query(systems), link.client.query(settings)])
  const notes = new Map(owned.map(row => [row.string('InstanceID')?.toUpperCase(), row.strings('Notes')[0] ?? '']))
  return rows.map(row => ({
    guid: guidIn(row),
    name: row.string('ElementName') ?? '',
    state: stateOf(row.number('EnabledState')),
    notes: notes.get(settingsIdOf(guidIn(row)).toUpperCase()) ?? '',
  }))
}

const guidIn = (row: CimInstance): string => (row.string('Name') ?? '').toUpperCase()
