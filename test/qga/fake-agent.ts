import type { Socket } from 'node:net'

/** A command as an agent reads it. */
export interface Command {
  readonly execute: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** An agent in a guest; what `answer` gives is sent as it is. */
export function agent(answer: (command: Command, socket: Socket) => string | Buffer | undefined) {
  return (socket: Socket) => {
    let text = ''
    socket.on('data', chunk => {
      text += chunk.toString('latin1').replaceAll('\u00ff', '')
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        const command: Command = JSON.parse(line)
        const given = answer(command, socket)
        if (given !== undefined) socket.write(given)
      }
    })
  }
}

/** A line that answers with this. */
export const returned = (value: unknown): string => `${JSON.stringify({ return: value })}\n`

/** The answer to what is asked first; undefined to anything else. */
export const synced = ({ execute, arguments: { id } }: Command): Buffer | undefined =>
  execute === 'guest-sync-delimited' ? Buffer.concat([Buffer.of(0xff), Buffer.from(returned(id))]) : undefined
