/** The middle of some measurements. */
export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The measurement that this share of all is below: 0.99 for p99. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const found = sorted[Math.floor(sorted.length * share)]
  if (found === undefined) throw new TypeError('nothing was measured')
  return found
}

/** Prints a row: what was measured, and its figures by name. */
export function print(row: { readonly bench: string; readonly [figure: string]: string | number }): void {
  process.stdout.write(`${JSON.stringify(row)}\n`)
}
