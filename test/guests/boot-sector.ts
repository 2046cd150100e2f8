import { writeFile } from 'node:fs/promises'

/**
 * How a guest behaves: as it should, not caring for the power button, never idle, or crashing, resetting itself or
 * suspending itself (ACPI S4) two seconds after each boot.
 */
export type Mood = 'obedient' | 'deaf' | 'busy' | 'crashing' | 'rebooting' | 'suspending'

/** `boot-sector.asm`, assembled: the code up to its last byte that is not zero. */
const CODE = [
  '+vwx247bjtO8AHzqEHwAAL7/fK08/3QKuvgDAMKI4O7r8boEBu0MAe+6Aga4AAHvvgt96K8AoHUEBDDosgCwCuitAPuAPv19YnQB9LoABu32xAF0C4A+',
  '/X1kdUi4AAHvoWwEicErDip9g/kSchKjKn3oVgCAPid9MnIFoP196wy6/QPsqAF0u7r4A+w8cHQUPHJ0KDxzdBs8Y3QmPGh1o/r06/y+Gn3oOwC6BAa4',
  'ACDv6+26BAa4ACjv6+Sw/uZk6966BQWwAe7r1rsnff4HgD85dgrGBzBLgfskfXPvvh996AEAw6wIwHQF6AMA6/bDULr9A+yoIHT7WLr4A+7DAQADgAAB',
  'AQADA///Qk9PVC1PSwpESVNLUyAAQllFCgBUSUNLIDAwMDAK',
].join('')

const SECTOR_BYTES = 512
const MOOD_OFFSET = 509
const SIGNATURE = 0xaa55
const IMAGE_BYTES = 1_048_576
const MOODS: Readonly<Record<Mood, string>> = {
  obedient: 'o',
  deaf: 'd',
  busy: 'b',
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
