import { writeFile } from 'node:fs/promises'

/**
 * How a guest behaves: as it should, not caring for the power button, or crashing, resetting itself or suspending itself
 * (ACPI S4) two seconds after each boot.
 */
export type Mood = 'obedient' | 'deaf' | 'crashing' | 'rebooting' | 'suspending'

/** `boot-sector.asm`, assembled: the code up to its last byte that is not zero. */
const CODE = [
  '+vwx247bjtO8AHzqEHwAAL74fK08/3QKuvgDAMKI4O7r8boEBu0MAe+6Aga4AAHvvgR96KgAoHUEBDDoqwCwCuimAPv0ugAG7fbEAXQLgD79fWR1',
  'SLgAAe+hbASJwSsOI32D+RJyEqMjfehWAIA+IH0ycgWg/X3rDLr9A+yoAXTCuvgD7DxwdBQ8cnQoPHN0GzxjdCY8aHWq+vTr/L4Tfeg7ALoEBrgA',
  'IO/r7boEBrgAKO/r5LD+5mTr3roFBbAB7uvWuyB9/geAPzl2CsYHMEuB+x19c+++GH3oAQDDrAjAdAXoAwDr9sNQuv0D7KggdPtYuvgD7sMBAAOA',
  'AAEBAAMD//9CT09ULU9LCkRJU0tTIABCWUUKAFRJQ0sgMDAwMAo=',
].join('')

const SECTOR_BYTES = 512
const MOOD_OFFSET = 509
const SIGNATURE = 0xaa55
const IMAGE_BYTES = 1_048_576
const MOODS: Readonly<Record<Mood, string>> = {
  obedient: 'o',
  deaf: 'd',
  crashing: 'c',
  rebooting: 'r',
  suspending: 's',
}

/** What the guest prints first, and then once a second with a number that grows. */
export const GREETING = 'BOOT-OK'
export const TICK = 'TICK'

/** A raw disk image that boots a guest of this mood. */
export async function writeBootImage(path: string, mood: Mood = 'obedient'): Promise<void> {
  const sector = Buffer.alloc(SECTOR_BYTES)
  sector.write(CODE, 'base64')
  sector.write(MOODS[mood], MOOD_OFFSET, 'latin1')
  sector.writeUInt16LE(SIGNATURE, SECTOR_BYTES - 2)
  await writeFile(path, Buffer.concat([sector, Buffer.alloc(IMAGE_BYTES - SECTOR_BYTES)]))
}
