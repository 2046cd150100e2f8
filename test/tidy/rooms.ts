import { importsOf } from './imports.ts'
import type { Finding, Source } from './source.ts'

/**
 * Who may import whom: a folder or file, and the folders and files it may see beside itself. What a room does not
 * list, it may not see.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'src/model': [],
  'src/wire': [],
  'src/store': ['src/model'],
  'src/protocols': ['src/wire'],
  'src/drivers': ['src/protocols', 'src/wire'],
  'src/engine': ['src/model', 'src/wire', 'src/store', 'src/drivers/driver.ts', 'src/drivers/registry.ts'],
  'src/handlers': ['src/model', 'src/engine', 'src/drivers/driver.ts'],
  'src/libvirt': ['src/drivers/driver.ts', 'src/drivers/registry.ts', 'src/protocols/libvirt-rpc', 'src/wire'],
  'src/server': ['src/engine', 'src/libvirt', 'src/wire'],
  'src/client': ['src/model', 'src/wire'],
  'src/cli': ['src/client', 'src/model'],
  'src/main.ts': ['src', 'sim'],
  web: ['src/client', 'src/model'],
  sim: ['src/wire/xml'], // A simulator that shared the driver's code would share its mistakes.
  test: ['src', 'sim', 'web', 'bench', 'tools', 'examples'],
  bench: ['src', 'sim', 'web', 'test', 'tools', 'examples'],
  tools: ['src', 'sim', 'web', 'test', 'bench', 'examples'],
  examples: ['src', 'sim', 'web'],
  types: ['src', 'sim', 'web'],
}

/** It puts the rooms together, and nothing builds on it. */
const MAIN = 'src/main.ts'

/** The room that a file is in. */
export function roomOf(path: string): string | undefined {
  return Object.keys(ROOMS).find(room => isWithin(path, room))
}

/** The imports that go through a wall, and files that are in no room. */
export function findBreaches(sources: readonly Source[]): Finding[] {
  return sources.flatMap(source => {
    const room = roomOf(source.path)
    if (room === undefined) {
      return [{ path: source.path, line: 1, message: 'is in no room; move it into one of those in test/tidy/rooms.ts' }]
    }
    return importsOf(source)
      .filter(({ target }) => !maySee(room, target))
      .map(({ target, line }) => ({
        path: source.path,
        line,
        message: `imports ${target}, but ${room} may see only ${ROOMS[room]?.join(', ') || 'itself'}; pass it in instead`,
      }))
  })
}

function maySee(room: string, target: string): boolean {
  if (target === MAIN) return false
  return isWithin(target, room) || (ROOMS[room]?.some(seen => isWithin(target, seen)) ?? false)
}

/** `src/wire/xml` is the folder of that name, and the file. */
function isWithin(path: string, place: string): boolean {
  return path === place || path === `${place}.ts` || path.startsWith(`${place}/`)
}
