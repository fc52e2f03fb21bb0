import { fileURLToPath } from "node:url"
import type { z } from "zod"
import { MediaAnswer, MediaKind, type MediaQuestion, Prompt } from "../../../contract/media.ts"
import type { Pack } from "../../../contract/pack.ts"
import { fileNameFrom } from "../../../contract/title.ts"
import { type ChildPort, forkChild } from "../child.ts"
import { MediaError } from "./error.ts"
import type { Reading } from "./index.ts"
import { MOST_TIME } from "./limits.ts"

/** Starts the process that reads files of people. */
export type StartMedia = () => ChildPort

/** Starts it as a child process of Node. */
export const forkMedia: StartMedia = () => {
  const source = import.meta.url.endsWith(".ts")
  const entry = fileURLToPath(new URL(source ? "./process.ts" : "./media.js", import.meta.url))
  // What decoders print is for programmers; what a person is told comes as an answer.
  return forkChild(entry, { execArgv: ["--max-old-space-size=512"], quiet: true })
}

/** Milliseconds after which a process that has nothing to do is let go. */
const IDLE = 60_000
/** Bytes beyond which a process is not used for another file. */
const HELD = 2 ** 29

type Question = MediaQuestion extends infer R ? (R extends MediaQuestion ? Omit<R, "id"> : never) : never
type Waiting = {
  id: number
  name: string
  port: ChildPort
  settle(answer: MediaAnswer): void
  fail(error: Error): void
}

/**
 * Reads files of people in a process of their own, one after the other. A file that takes more time or memory than it
 * may, or ends its decoder, costs a sentence; the next one gets a fresh process.
 */
export class MediaReader {
  private port: ChildPort | undefined
  private nextId = 1
  private waiting: Waiting | undefined
  private queue: Promise<unknown> = Promise.resolve()
  private idle: NodeJS.Timeout | undefined
  private closed = false

  /** @param limit milliseconds for one file */
  constructor(
    private readonly start: StartMedia = forkMedia,
    private readonly limit = MOST_TIME,
  ) {}

  /** What a file is. @throws MediaError for one that cannot be read here */
  async detect(name: string, path: string): Promise<"image" | "audio" | "text"> {
    const { modality, problem } = await this.ask({ type: "detect", name, path }, MediaKind)
    if (!modality) throw new MediaError(`${fileNameFrom(name)} ${problem ?? "cannot be read."}`)
    return modality
  }

  /** A file as a prompt for `pack`. @throws MediaError with one line */
  read(name: string, path: string, pack: Pack, how: Reading = {}): Promise<Prompt> {
    return this.ask({ type: "read", name, path, pack, ...how }, Prompt)
  }

  close(): void {
    this.closed = true
    this.end()
  }

  private ask<T>(question: Question, result: z.ZodType<T>): Promise<T> {
    const answer = this.queue.then(() => this.answer(question, result))
    this.queue = answer.catch(() => {})
    return answer
  }

  private async answer<T>(question: Question, result: z.ZodType<T>): Promise<T> {
    if (this.closed) throw new MediaError(`${question.name} was not read, as the app is closing.`)
    clearTimeout(this.idle)
    const port = this.running()
    const id = this.nextId++
    const name = fileNameFrom(question.name)
    let timer: NodeJS.Timeout | undefined
    try {
      const given = await new Promise<MediaAnswer>((resolve, reject) => {
        this.waiting = { id, name, port, settle: resolve, fail: reject }
        timer = setTimeout(() => {
          reject(
            new MediaError(
              `${name} takes longer to read than ${this.limit / 1000} seconds; make it shorter or smaller first.`,
            ),
          )
          this.end()
        }, this.limit)
        port.send({ ...question, id, name })
      })
      if (given.type === "refused")
        throw new MediaError(given.message, given.details === undefined ? {} : { cause: given.details })
      if (given.held > HELD) this.end()
      return result.parse(given.result)
    } finally {
      clearTimeout(timer)
      this.waiting = undefined
      if (this.port) {
        this.idle = setTimeout(() => this.end(), IDLE)
        this.idle.unref()
      }
    }
  }

  private running(): ChildPort {
    if (this.port) return this.port
    const port = this.start()
    this.port = port
    port.onMessage((message) => {
      const parsed = MediaAnswer.safeParse(message)
      if (parsed.success && parsed.data.id === this.waiting?.id) this.waiting.settle(parsed.data)
    })
    port.onExit((code, signal) => {
      if (this.port === port) this.port = undefined
      const { waiting } = this
      if (waiting?.port !== port) return
      const isMemory = signal === "SIGKILL" || signal === "SIGABRT" || code === 134
      const why = isMemory ? "it takes more than 1 GB of memory" : "it is damaged, and ended its decoder"
      waiting.fail(new MediaError(`${waiting.name} cannot be read: ${why}.`))
    })
    return port
  }

  /** Ends the process; whoever waits for it is told by its own timer or by the process's end. */
  private end(): void {
    clearTimeout(this.idle)
    const { port } = this
    this.port = undefined
    port?.kill()
  }
}
