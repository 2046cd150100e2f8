import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { MODULES, MODULES_CACHE, ROOT } from './place.mjs'

const stampFile = forTests => join(MODULES_CACHE, forTests ? 'setup-tests' : 'setup-start')

/** Whether a setup found everything, with the same lock file, packages and setup as there are now. */
export function isStamped(forTests) {
  try {
    return fs.readFileSync(stampFile(forTests), 'utf8') === key()
  } catch {
    return false
  }
}

/** Notes that everything is there. A checkout that may not be written to is looked at anew each time. */
export function leaveStamp(forTests) {
  try {
    fs.mkdirSync(MODULES_CACHE, { recursive: true })
    fs.writeFileSync(stampFile(forTests), key())
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error
  }
}

function key() {
  const own = fileURLToPath(new URL('.', import.meta.url))
  const files = [join(ROOT, 'package-lock.json'), join(own, '..', 'setup.mjs')]
  for (const name of fs.readdirSync(own).sort()) files.push(join(own, name))
  const hash = createHash('sha256')
  for (const file of files) hash.update(fs.readFileSync(file))
  hash.update(String(fs.statSync(join(MODULES, '.package-lock.json')).mtimeMs)) // npm writes it at each change.
  return hash.digest('hex')
}
