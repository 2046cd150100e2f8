import { type EndpointReference, parseObjectPath, reference, referenceTo, wql } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import { isLost, untilDone } from '../again.ts'
import { takeBack } from '../undo.ts'
import type { Link } from '../wmi/link.ts'
import { V1 } from './names.ts'
import { CREATE_PORT, DELETE_PORT, DISCONNECT_PORT, SWITCH, SWITCH_PORT } from './network-classes.ts'
import { callAtOnce } from './switch-service.ts'

/** The port of this name of a switch. */
export const portAt = (switchGuid: string, name: string): EndpointReference =>
  reference(V1, SWITCH_PORT, {
    CreationClassName: SWITCH_PORT,
    Name: name,
    SystemCreationClassName: SWITCH,
    SystemName: switchGuid,
  })

/** The port that a path names; undefined where it names none. */
export function portOf(path: string): EndpointReference | undefined {
  const parsed = parseObjectPath(path)
  return parsed?.className.toLowerCase() === SWITCH_PORT.toLowerCase() ? referenceTo(parsed, V1) : undefined
}

/** Makes a port that nothing is connected to; by this name, or else by its own, which no other has. */
export async function createPort(link: Link, of: EndpointReference, title?: string): Promise<EndpointReference> {
  const Name = crypto.randomUUID().toUpperCase()
  const input = { VirtualSwitch: of, Name, FriendlyName: title ?? Name, ScopeOfResidence: '' }
  try {
    const { CreatedSwitchPort } = await callAtOnce(link, CREATE_PORT, input, 'make a port of the switch')
    if (CreatedSwitchPort !== undefined) return CreatedSwitchPort
    throw new DriverError('unreachable', 'the host does not name the port that it made')
  } catch (error) {
    await takeBack(() => deleteNamed(link, Name), error, `a port ${Name} of the switch remains`)
    throw error
  }
}

async function deleteNamed(link: Link, name: string): Promise<void> {
  const made = await link.client.queryReferences(wql`SELECT * FROM Msvm_SwitchPort WHERE Name = ${name}`)
  for (const port of made) await deletePort(link, port)
}

/** Takes a port away that nothing is connected to; where the answer is lost, it is there or not. */
export async function deletePort(link: Link, SwitchPort: EndpointReference): Promise<void> {
  const name = SwitchPort.key('Name') ?? ''
  const isGone = async () => {
    const [left] = await link.client.queryReferences(wql`SELECT * FROM Msvm_SwitchPort WHERE Name = ${name}`)
    return left === undefined
  }
  const call = async () =>
    void (await callAtOnce(link, DELETE_PORT, { SwitchPort }, 'take the port of the switch away'))
  await untilDone(call, isGone)
}

/** Takes a port away, and the cable that leads to it. */
export async function disconnectPort(link: Link, SwitchPort: EndpointReference): Promise<void> {
  const unplug = async () => void (await callAtOnce(link, DISCONNECT_PORT, { SwitchPort }, 'unplug the cable'))
  try {
    await unplug()
  } catch (error) {
    if (!isLost(error)) throw error
    // Nothing may be plugged in by now, and the host may say so.
    await unplug().catch(() => undefined)
  }
  await deletePort(link, SwitchPort)
}
