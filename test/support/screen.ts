import { EventEmitter, once } from 'node:events'
import type { Readable } from 'node:stream'

/** What a stream has shown so far, as text. */
export class Screen {
  readonly #news = new EventEmitter()
  #text = ''
  #isOver = false

  constructor(stream: Pick<Readable, 'on'>) {
    stream.on('data', (piece: Buffer) => {
      this.#text += piece.toString('latin1')
      this.#news.emit('news')
    })
    for (const end of ['end', 'close']) {
      stream.on(end, () => {
        this.#isOver = true
        this.#news.emit('news')
      })
    }
  }

  get text(): string {
    return this.#text
  }

  /** Resolves once this was shown. Rejects where the stream ends first. */
  async shows(wanted: string): Promise<void> {
    while (!this.#text.includes(wanted)) {
      if (this.#isOver) throw new Error(`the stream ended without ${wanted}, with: ${this.#text}`)
      await once(this.#news, 'news')
    }
  }

  /** Everything to the end. */
  async untilEnd(): Promise<string> {
    while (!this.#isOver) await once(this.#news, 'news')
    return this.#text
  }
}
