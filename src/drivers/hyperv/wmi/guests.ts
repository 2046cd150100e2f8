import { defineMethod, wql } from '../../../protocols/wsman/index.ts'
import { settle } from './jobs.ts'
import type { Link } from './link.ts'

const INITIATE_SHUTDOWN = defineMethod('Msvm_ShutdownComponent', 'InitiateShutdown', {
  input: { Force: 'boolean', Reason: 'string' },
  output: {},
})

/** What a guest is told of the reason, and may log. */
const REASON = 'Polyvisor'

/**
 * Asks the guest to shut down; false where none answers, or none does yet: a host has the component only while one does.
 * Programs of the guest may object. Source: Microsoft Learn, "Msvm_ShutdownComponent".
 */
export async function shutDownGuest(link: Link, guid: string): Promise<boolean> {
  const query = wql`SELECT * FROM Msvm_ShutdownComponent WHERE SystemName = ${guid}`
  for await (const { reference } of link.client.enumerateNamed(query)) {
    const { returnValue } = await link.client.call(reference, INITIATE_SHUTDOWN, { Force: false, Reason: REASON })
    await settle(link, { returnValue, values: { Job: undefined } }, 'shut the guest down')
    return true
  }
  return false
}
