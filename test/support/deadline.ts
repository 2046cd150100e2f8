/** Ends a file of tests that takes too long, for the runner's own bound is for tests and would wait forever for what they
 * have left running. Loaded before each file; see tools/test.mjs. */

const FILE_MS = 12 * 60_000

// The runner itself loads this too, and runs as long as all files together.
if (process.env['NODE_TEST_CONTEXT'] !== undefined) setTimeout(end, FILE_MS).unref()

function end(): void {
  const open = process.getActiveResourcesInfo().join(', ')
  console.error(`${process.argv[1]}: not ended after ${FILE_MS / 60_000} minutes; still open: ${open}`)
  process.exit(1)
}
