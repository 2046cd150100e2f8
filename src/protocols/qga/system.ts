import { objectIn, objectsIn, textIfIn, textIn, wholeAnswer, wholeIn } from './answers.ts'
import type { QgaClient } from './client.ts'

/** The operating system of a guest, in its maker's words. */
export interface QgaSystem {
  readonly id?: string
  readonly name?: string
  readonly prettyName?: string
  readonly version?: string
  readonly versionId?: string
  readonly variant?: string
  readonly variantId?: string
  readonly machine?: string
  readonly kernelRelease?: string
  readonly kernelVersion?: string
}

/** The time zone of a guest. */
export interface QgaTimezone {
  readonly name?: string
  readonly offsetSeconds: number
}

/** Somebody who is logged in. */
export interface QgaUser {
  readonly name: string
  readonly domain?: string
  readonly loginMs: number
}

const USERS_MAX = 1_024
const DAY_S = 86_400
const MS_PER_S = 1_000
/** Nanoseconds have nine digits more than JavaScript's numbers have exactly in 2200; what is lost is below a microsecond. */
const TIME_NS_MAX = 2 ** 63

/** What the guest calls itself. Rejects with QgaError, like all that follows. Source: guest-get-host-name. */
export async function readHostName(client: QgaClient, timeoutMs: number): Promise<string> {
  const command = 'guest-get-host-name'
  return textIn(objectIn(await client.execute(command, {}, timeoutMs), command), 'host-name', command)
}

/** Source: QEMU qga/qapi-schema.json, guest-get-osinfo, of which every member may be missing. */
export async function readSystem(client: QgaClient, timeoutMs: number): Promise<QgaSystem> {
  const command = 'guest-get-osinfo'
  const told = objectIn(await client.execute(command, {}, timeoutMs), command)
  const members = {
    id: textIfIn(told, 'id'),
    name: textIfIn(told, 'name'),
    prettyName: textIfIn(told, 'pretty-name'),
    version: textIfIn(told, 'version'),
    versionId: textIfIn(told, 'version-id'),
    variant: textIfIn(told, 'variant'),
    variantId: textIfIn(told, 'variant-id'),
    machine: textIfIn(told, 'machine'),
    kernelRelease: textIfIn(told, 'kernel-release'),
    kernelVersion: textIfIn(told, 'kernel-version'),
  }
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
  )
}

/** Source: QEMU qga/qapi-schema.json, guest-get-timezone. */
export async function readTimezone(client: QgaClient, timeoutMs: number): Promise<QgaTimezone> {
  const command = 'guest-get-timezone'
  const told = objectIn(await client.execute(command, {}, timeoutMs), command)
  const name = textIfIn(told, 'zone')
  return { ...(name !== undefined && { name }), offsetSeconds: wholeIn(told, 'offset', command, [-DAY_S, DAY_S]) }
}

/** Source: QEMU qga/qapi-schema.json, guest-get-users, whose times are in seconds. */
export async function readUsers(client: QgaClient, timeoutMs: number): Promise<readonly QgaUser[]> {
  const command = 'guest-get-users'
  return objectsIn(await client.execute(command, {}, timeoutMs), command, USERS_MAX).map(entry => {
    const domain = textIfIn(entry, 'domain')
    const seconds = entry['login-time']
    const login = { ms: typeof seconds === 'number' ? Math.round(seconds * MS_PER_S) : undefined }
    return {
      name: textIn(entry, 'user', command),
      ...(domain !== undefined && { domain }),
      loginMs: wholeIn(login, 'ms', command),
    }
  })
}

/** What its clock says, in nanoseconds since 1970. Source: QEMU qga/qapi-schema.json, guest-get-time. */
export async function readTime(client: QgaClient, timeoutMs: number): Promise<bigint> {
  const command = 'guest-get-time'
  return BigInt(wholeAnswer(await client.execute(command, {}, timeoutMs), command, [0, TIME_NS_MAX]))
}

/** Sets it, in nanoseconds since 1970; or to what the clock of the machine says. Source: guest-set-time. */
export async function writeTime(client: QgaClient, time: bigint | 'rtc', timeoutMs: number): Promise<void> {
  await client.execute('guest-set-time', time === 'rtc' ? {} : { time: Number(time) }, timeoutMs)
}
