/**
 * Writes the pages in docs/generated from the declaration and the drivers. `node tools/generate.ts` writes them,
 * `test/docs.test.ts` demands that they are what this writes.
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dtd } from '../src/engine/dtd.ts'
import { classes } from '../src/model/index.ts'
import { classPages } from './docs/classes.ts'
import { errorPage } from './docs/errors.ts'
import { libvirtFunctionsPage } from './docs/libvirt-functions.ts'
import { proofsPage } from './docs/proofs.ts'
import { supportMatrix } from './docs/support-matrix.ts'

/** Every generated page, by file name. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ...classPages(),
    ['errors.md', errorPage()],
    ['libvirt-functions.md', libvirtFunctionsPage()],
    ['proofs.md', proofsPage()],
    ['support-matrix.md', await supportMatrix()],
    ['polyvisor-0.2.dtd', dtd(Object.values(classes))],
  ])
}

/** Where the pages stand. */
export const GENERATED = join(import.meta.dirname, '..', 'docs', 'generated')

if (import.meta.main) {
  await mkdir(GENERATED, { recursive: true })
  for (const [name, text] of await generatedPages()) await writeFile(join(GENERATED, name), text)
}
