import { setTimeout as sleep } from 'node:timers/promises'
import { command } from '../command.ts'
import { find } from '../find.ts'
import { catchInterrupt } from '../interrupt.ts'

/** How often a VM that prints nothing is looked at. */
const FOLLOW_MS = 300
/** Answers of at most 64 KiB that are read at once: more than any host keeps. */
const READS_MAX = 4096

/** Shows what a VM prints. */
export const serial = command({
  doc: 'Print what a VM has written to its first serial port.',
  args: { vm: { doc: 'UUID or name of the VM' } },
  options: { follow: { doc: 'go on as it writes more, until Ctrl-C' } },
  examples: ['vm serial web-1', 'vm serial web-1 --follow'],
  async run(context, { vm: name, follow }) {
    const client = await context.connect()
    const vm = await find(client, 'VM', name)
    const interrupt = catchInterrupt()
    try {
      let position = 0n
      const readsMax = follow ? Number.POSITIVE_INFINITY : READS_MAX
      for (let reads = 0; !interrupt.signal.aborted && reads < readsMax; reads += 1) {
        const { data, next } = await client.VM.read_serial({ vm, position })
        context.io.stdout.write(data)
        position = next
        if (data === '' && !follow) return
        if (data === '') await sleep(FOLLOW_MS, undefined, { signal: interrupt.signal }).catch(() => undefined)
      }
    } finally {
      interrupt.release()
    }
  },
})
