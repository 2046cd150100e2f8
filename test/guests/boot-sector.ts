import { writeFile } from 'node:fs/promises'

/** How a guest behaves: as it should, not caring for the power button, or crashing after two seconds. */
export type Mood = 'obedient' | 'deaf' | 'crashing'

/** `boot-sector.asm`, assembled: the code up to its last byte that is not zero. */
const CODE = [
  '+vwx247bjtO8AHzqEHwAAL7tfK08/3QKuvgDAMKI4O7r8boEBu0MAe+6Aga4AAHvvvl86J0AoHUEBDDooACwCuibAPv0ugAG7fbEAXQLgD79',
  'fWR1OLgAAe+hbASJwSsOGH2D+RJyBqMYfeg9ALr9A+yoAXTOuvgD7DxwdBA8cnQbPGN0HTxodbr69Ov8vgh96EAAugQGuAAg7+vtsP7mZOvn',
  'ugUFsAHu69+7FX3+B4A/OXYKxgcwS4H7En1z774NfegPAIA+/X1jdQeAPhV9MnPQw6wIwHQF6AMA6/bDULr9A+yoIHT7WLr4A+7DAQADgAAB',
  'AQADA///Qk9PVC1PSwpESVNLUyAAQllFCgBUSUNLIDAwMDAK',
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
