import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'

/** A body in one piece; undefined, and the connection closed, as soon as there are more than `bytesMax`. */
export async function readBody(response: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    const piece: Buffer = chunk
    bytes += piece.length
    if (bytes > bytesMax) return undefined // Leaving the loop destroys the response.
    chunks.push(piece)
  }
  return Buffer.concat(chunks)
}
