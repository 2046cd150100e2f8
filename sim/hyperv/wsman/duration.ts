const DURATION = /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.(\d{1,9}))?S)?)?$/

/**
 * Milliseconds of an xs:duration of days, hours, minutes and seconds; undefined for anything else, years and months
 * among it, since they have no fixed length. Source: XML Schema Part 2, §3.2.6.
 */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text.trim())
  if (match === null || text.trim().endsWith('T') || text.trim() === 'P') return undefined
  const [, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = '0'] = match
  const whole = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
  return Math.round((whole + Number(`0.${fraction}`)) * 1000)
}
