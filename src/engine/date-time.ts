/** A moment as the draft's DateTime writes it, in UTC and whole seconds: `20061122T08:00:00Z`. */
export function formatDateTime(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replaceAll('-', '')}Z`
}
