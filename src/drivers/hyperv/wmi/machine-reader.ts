import type { Machine } from '../back-end.ts'
import type { Link } from './link.ts'
import { type MachineWords, oneMachine, someMachines } from './machines.ts'

type Asked = Map<string, PromiseWithResolvers<Machine | undefined>>

/**
 * Reads single machines; undefined of one that the host has not. Those that are asked for in one turn of the event loop are one
 * question to the host: who asks a thousand domains for their states side by side does not ask the host a thousand times.
 */
export function machineReader(link: Link, words: MachineWords): (guid: string) => Promise<Machine | undefined> {
  let asked: Asked = new Map()
  return guid => {
    const already = asked.get(guid)
    if (already !== undefined) return already.promise
    if (asked.size === 0) {
      setImmediate(() => {
        const now = asked
        asked = new Map()
        void answer(link, words, now)
      })
    }
    const mine = Promise.withResolvers<Machine | undefined>()
    asked.set(guid, mine)
    return mine.promise
  }
}

async function answer(link: Link, words: MachineWords, asked: Asked): Promise<void> {
  try {
    const found = asked.size === 1 ? [] : await someMachines(link, words, [...asked.keys()])
    const machines = new Map(found.map(machine => [machine.guid, machine]))
    // Where one of many is gone, a host may tell nothing of the others.
    const settle = async (guid: string, { resolve, reject }: PromiseWithResolvers<Machine | undefined>) => {
      try {
        resolve(machines.get(guid) ?? (await oneMachine(link, words, guid)))
      } catch (error) {
        reject(error)
      }
    }
    await Promise.all(Array.from(asked, ([guid, mine]) => settle(guid, mine)))
  } catch (error) {
    for (const { reject } of asked.values()) reject(error)
  }
}
