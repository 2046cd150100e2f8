/** How many questions a host is asked at once. */
const SIDE_BY_SIDE_MAX = 8

/** What `ask` says to each of a list, some of them side by side. */
export async function askEach<T, R>(list: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  for (let at = 0; at < list.length; at += SIDE_BY_SIDE_MAX) {
    answers.push(...(await Promise.all(list.slice(at, at + SIDE_BY_SIDE_MAX).map(ask))))
  }
  return answers
}
