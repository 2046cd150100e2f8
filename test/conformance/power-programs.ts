import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConnectOptions } from '../../src/drivers/driver.ts'

const NOTE = "require('node:fs').appendFileSync(process.argv[1], process.argv[2] + '\\n')"
const LOG = 'deeds.log'

/** Programs for the power of the machine that only note in `folder` what they were run for. */
export function powerPrograms(folder: string): NonNullable<ConnectOptions['hostPower']> {
  // The blank and the dollar would not survive a shell.
  const program = (deed: string) => [process.execPath, '-e', NOTE, join(folder, LOG), `${deed} $HOME`]
  return { shutdown: program('shutdown'), reboot: program('reboot') }
}

/** What they were run for, in order. */
export async function readPowerDeeds(folder: string): Promise<readonly string[]> {
  const log = await readFile(join(folder, LOG), 'utf8').catch(() => '')
  return log
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.replace(/ \$HOME$/, ''))
}
