/** What must and what must not compile of declared classes and methods, and of queries. Nothing here runs. */

import {
  type CimInstance,
  defineClass,
  defineMethod,
  type EndpointReference,
  instanceOf,
  typed,
  valuesOf,
  type WsmanClient,
  Wql,
  wql,
} from '../src/protocols/wsman/index.ts'

const Settings = defineClass('Msvm_X', {
  Name: 'string',
  Size: 'uint64',
  Weight: 'uint16',
  Paths: 'string[]',
  Data: 'uint8[]',
})
const Add = defineMethod('Msvm_Service', 'Add', { input: { Settings: 'instance[]' }, output: { Job: 'reference' } })

/** Calls as programs write them. */
export async function calls(client: WsmanClient, target: EndpointReference, instance: CimInstance, name: string) {
  const settings = instanceOf(Settings, { Name: 'a', Size: 1n, Weight: null, Paths: ['b'], Data: new Uint8Array() })
  const { values, returnValue } = await client.call(target, Add, { Settings: [settings] })
  const job: EndpointReference | undefined = values.Job
  const { Size, Paths } = valuesOf(Settings, instance)
  const [size, paths, value]: [bigint | undefined, readonly string[], number] = [Size, Paths, returnValue]
  await client.query(wql`SELECT * FROM Msvm_X WHERE Name = ${name} AND Size > ${5n} AND ${wql`Weight < ${3}`}`)
  return [job, size, paths, value, typed('uint64', 5)]
}

/** Calls that the compiler refuses. */
export async function refusals(client: WsmanClient, target: EndpointReference, instance: CimInstance, name: string) {
  // @ts-expect-error a property that the class does not declare
  instanceOf(Settings, { Nome: 'a' })
  // @ts-expect-error a value of the wrong type
  instanceOf(Settings, { Name: 5 })
  // @ts-expect-error one value where the class declares several
  instanceOf(Settings, { Paths: 'b' })
  // @ts-expect-error a type that CIM does not have
  defineClass('Msvm_X', { Name: 'text' })
  // @ts-expect-error a parameter that the method does not declare
  await client.call(target, Add, { Setting: [] })
  // @ts-expect-error a string in place of an instance
  await client.call(target, Add, { Settings: ['<INSTANCE/>'] })
  const values = valuesOf(Settings, instance)
  return [
    // @ts-expect-error a property that is not read
    values.Nome,
    // @ts-expect-error a value that may be missing
    values.Name.length,
    // @ts-expect-error a query that is put together by hand
    new Wql(`SELECT * FROM X WHERE Name = '${name}'`),
    // @ts-expect-error a value that may be missing
    wql`SELECT * FROM X WHERE Name = ${values.Name}`,
  ]
}
