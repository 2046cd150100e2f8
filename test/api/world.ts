import assert from 'node:assert/strict'
import { after } from 'node:test'
import { MADE_BY_HOSTS, WITHOUT_OBJECTS } from '../draft/extensions.ts'
import { FIELDS } from '../draft/table.ts'
import { ApiClient, type Session } from '../support/client.ts'
import { ADMIN, type Server, type ServerOptions, startServer } from '../support/server.ts'
import type { Value } from '../support/value.ts'
import { parseXml } from '../support/xml.ts'

/** A server that ends with the test file, and an administrator logged in to it. */
export interface World {
  readonly server: Server
  readonly client: ApiClient
  readonly root: Session
}

/** How the world of a test file is made and ended. */
export interface WorldOptions extends ServerOptions {
  readonly connectionsMax?: number
  /** Ends the server without waiting for what it is still at. */
  readonly isCutOff?: boolean
}

/** Starts the world of a test file. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const server = await startServer(options)
  const client = new ApiClient(server.http, options.connectionsMax)
  after(async () => {
    client.close()
    if (options.isCutOff === true) await server.kill()
    else assert.equal(await server.stop(), 0, server.log())
    // Clients are promised which errors each message answers.
    assert.doesNotMatch(server.log(), /an error that is not declared/)
  })
  const root = await client.login(ADMIN.name, ADMIN.password)
  return { server, client, root }
}

/** The classes whose objects clients can see. */
export const CLASSES: readonly string[] = Object.keys(FIELDS).filter(of => !WITHOUT_OBJECTS.has(of))

/** The classes whose objects clients make. */
export const MADE_BY_CLIENTS: readonly string[] = CLASSES.filter(of => !MADE_BY_HOSTS.has(of))

/** One object of every class, each new where clients can make it. */
export type Objects = Readonly<Record<string, string>>

const MIB = 1024n * 1024n
let made = 0

/** Makes one object of every class; none of them refers to another but to what it cannot do without. */
export async function makeObjects(session: Session): Promise<Objects> {
  const first = async (of: string) => (await session.list(`${of}.get_all`))[0] ?? assert.fail(`there is no ${of}`)
  const objects: Record<string, string> = { host: await first('host'), host_cpu: await first('host_cpu') }
  for (const of of MADE_BY_CLIENTS) objects[of] = await make(session, of)
  return objects
}

/** Makes an object of a class, with as little said of it as will do. */
export async function make(
  session: Session,
  of: string,
  values: Readonly<Record<string, Value>> = {},
): Promise<string> {
  made += 1
  const least: Readonly<Record<string, object>> = {
    VM: { name_label: `vm ${made}`, memory_static_max: String(64n * MIB) },
    SR: { name_label: `repository ${made}`, type: 'memory', location: `shelf-${made}` },
    VDI: { name_label: `disk ${made}`, virtual_size: '2048' },
    user: { short_name: `user-${made}` },
  }
  return session.text(`${of}.create`, { ...least[of], ...values })
}

/** What to_XML says of every object: class, reference, field, and its value as a simple string. */
export type Snapshot = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>

/** All objects of the system as they are now. */
export async function snapshot(session: Session): Promise<Snapshot> {
  const classes = await Promise.all(
    CLASSES.map(async of => {
      const refs = await session.list(`${of}.get_all`)
      const objects = await Promise.all(refs.map(async ref => [ref, await fieldsOf(session, of, ref)] as const))
      return [of, Object.fromEntries(objects)] as const
    }),
  )
  return Object.fromEntries(classes)
}

async function fieldsOf(session: Session, of: string, ref: string): Promise<Readonly<Record<string, string>>> {
  const root = parseXml(await session.text(`${of}.to_XML`, ref))
  assert.equal(root.name, of)
  return Object.fromEntries(root.children.map(({ name, text }) => [name, text]))
}

/** Runs `body` and demands that no field of any object is another afterwards. */
export async function changesNothing(session: Session, body: () => Promise<void>): Promise<void> {
  const before = await snapshot(session)
  await body()
  assert.deepEqual(await snapshot(session), before)
}

/** A reference that names nothing. */
export const NOBODY = '00000000-0000-4000-8000-000000000000'
