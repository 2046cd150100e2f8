import { writeFile } from 'node:fs/promises'

/** How a guest behaves: as it should, not caring for the power button, or crashing after two seconds. */
export type Mood = 'obedient' | 'deaf' | 'crashing'

/** `boot-sector.asm`, assembled: the code up to its last byte that is not zero. */
const CODE = [
  '+vwx247bjtO8AHzqEHwAAL76fK08/3QKuvgDAMKI4O7r8boEBu0MAe+6Aga4AAHvvgZ96KoAoHUEBDDorQCwCuioAPv0ugAG7fbEAXQLgD79fWR1',
  'PLgAAe+hbASJwSsOJX2D+RJyBqMlfehKALr9A+yoAXTOuvgD7DxwdBQ8cnQoPHN0GzxjdCY8aHW2+vTr/L4VfehJALoEBrgAIO/r7boEBrgAKO/r',
  '5LD+5mTr3roFBbAB7uvWuyJ9/geAPzl2CsYHMEuB+x99c+++Gn3oDwCAPv19Y3UHgD4ifTJz0MOsCMB0BegDAOv2w1C6/QPsqCB0+1i6+APuwwEA',
  'A4AAAQEAAwP//0JPT1QtT0sKRElTS1MgAEJZRQoAVElDSyAwMDAwCg==',
].join('')

const SECTOR_BYTES = 512
const MOOD_OFFSET = 509
const SIGNATURE = 0xaa55
const IMAGE_BYTES = 1_048_576
const MOODS: Readonly<Record<Mood, string>> = { obedient: 'o', deaf: 'd', crashing: 'c' }

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
