import { stripVTControlCharacters } from 'node:util'

/** Columns with aligned edges, two spaces apart. What could play with the terminal is taken out of the cells. */
export function formatTable(headings: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const lines = [headings, ...rows.map(row => row.map(safeText))]
  const widths = headings.map((_, column) => Math.max(...lines.map(line => width(line[column] ?? ''))))
  return lines
    .map(line =>
      line
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A text without control characters: names come from guests and hosts. */
export const safeText = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}/gu, '\u{FFFD}')

const width = (text: string): number => Array.from(text).length

const pad = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - width(text)))
