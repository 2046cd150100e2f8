import { isMainThread, type MessagePort, parentPort } from 'node:worker_threads'
import type { Answer, LeaseAnswer, Numbered, Request } from './messages.ts'
import { DatabaseWriter, WriterEnded } from './writer.ts'

if (!isMainThread && parentPort !== null) serve(parentPort)

/** Answers every request, one at a time. */
function serve(port: MessagePort): void {
  const say = (answer: Answer) => port.postMessage(answer)
  let writer: DatabaseWriter | undefined

  const answer = (request: Request): LeaseAnswer => {
    if (request.kind === 'open') {
      writer = new DatabaseWriter(request.path, request.generation, message => say({ kind: 'warning', message }))
      return undefined
    }
    if (writer === undefined) throw new WriterEnded('the database is not open')
    return writer.serve(request)
  }

  port.on('message', ({ id, request }: Numbered) => {
    try {
      say({ kind: 'done', id, value: answer(request) })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      say({ kind: 'failed', id, message, forGood: error instanceof WriterEnded })
    }
    if (request.kind === 'close') port.close()
    else writer?.afterAnswer()
  })
}
