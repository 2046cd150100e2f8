import type { Definition } from '../definition.ts'
import type { DomainFiles } from '../layout.ts'
import { AGENT, placeOf } from '../slots.ts'
import { device, doubleCommas } from './option.ts'

/** QEMU's name of the port. */
export const AGENT_PORT = 'agent-port'

/** The port on which QEMU's guest agent listens by default, if one runs in the guest. */
export function agentArguments({ slots }: Definition, { agent }: DomainFiles): string[] {
  const port = { driver: 'virtserialport', id: AGENT_PORT, bus: `${AGENT}.0`, chardev: 'agent' }
  return [
    ['-chardev', `socket,id=agent,path=${doubleCommas(agent)},server=on,wait=off`],
    device({ driver: 'virtio-serial-pci', id: AGENT, ...placeOf(slots, AGENT) }),
    device({ ...port, name: 'org.qemu.guest_agent.0' }),
  ].flat()
}
