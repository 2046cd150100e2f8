const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const
const SIZE = /^(\d{1,18})(?:\.(\d{1,6}))?\s*([KMGTPE]?)(?:i?B)?$/i
const LETTERS = 'KMGTPE'
const STEP = 1024n

/** A size for people: `512 MiB`, `1.5 GiB`; at most one decimal. */
export function formatBytes(bytes: bigint): string {
  let power = 0
  while (power + 1 < UNITS.length && bytes >= STEP ** BigInt(power + 1)) power += 1
  const unit = STEP ** BigInt(power)
  const tenths = (bytes * 10n + unit / 2n) / unit
  const isWhole = tenths % 10n === 0n
  return `${tenths / 10n}${isWhole ? '' : `.${tenths % 10n}`} ${UNITS[power]}`
}

/** The bytes of `512M`, `1.5GiB`, `4096`: units are powers of 1024. Undefined for what is no size. */
export function parseBytes(text: string): bigint | undefined {
  const [, whole, fraction = '', letter = ''] = SIZE.exec(text.trim()) ?? []
  if (whole === undefined) return undefined
  const power = letter === '' ? 0 : LETTERS.indexOf(letter.toUpperCase()) + 1
  const unit = STEP ** BigInt(power)
  const parts = fraction === '' ? 0n : (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length)
  return BigInt(whole) * unit + parts
}
