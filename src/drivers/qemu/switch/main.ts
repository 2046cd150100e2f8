import { rmSync, writeFileSync } from 'node:fs'
import { ControlServer } from './control.ts'
import { Fabric } from './fabric.ts'

/** How long a switch that was just started waits for who started it. */
const LONELY_MS_MAX = 20_000
/** How long a port may be without its QEMU while no controller is there to say what has become of it. */
const ABANDONED_MS = 60_000
const LOOK_EVERY_MS = 5_000

/**
 * The switch as a process of its own, so that guests go on talking to one another while the server is away. It ends by
 * itself when it has neither ports nor a controller. Resolves when controllers may come.
 */
export async function runSwitch(controlPath: string, pidPath: string): Promise<void> {
  process.umask(0o177)
  const fabric = new Fabric()
  const endIfUseless = () => {
    if (!control.isControlled && fabric.ports.length === 0) end()
  }
  const control = new ControlServer(fabric, endIfUseless)
  const end = () => {
    control.close()
    for (const path of [controlPath, pidPath]) rmSync(path, { force: true })
    process.exit(0)
  }
  // What a killed one has left; whoever starts a switch has made sure that no other lives.
  rmSync(controlPath, { force: true })
  await control.listen(controlPath)
  writeFileSync(pidPath, `${process.pid}\n`)
  process.on('SIGTERM', end)
  setTimeout(endIfUseless, LONELY_MS_MAX)
  setInterval(() => {
    if (control.isControlled) return
    for (const { id, lostAtMs = Infinity } of fabric.ports) {
      if (performance.now() - lostAtMs > ABANDONED_MS) fabric.remove(id)
    }
    if (performance.now() > LONELY_MS_MAX) endIfUseless()
  }, LOOK_EVERY_MS)
}

if (import.meta.main) {
  const [, , , pidPath = '', controlPath = ''] = process.argv
  await runSwitch(controlPath, pidPath)
}
