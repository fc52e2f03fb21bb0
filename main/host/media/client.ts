import { fileURLToPath } from "node:url"
import { type MediaProtocol, mediaProtocol, type Prompt } from "../../../contract/media.ts"
import type { Pack } from "../../../contract/pack.ts"
import { RpcClient } from "../../../contract/rpc.ts"
import { fileNameFrom } from "../../../contract/title.ts"
import { type ChildPort, forkChild } from "../../process/child.ts"
import { MediaError } from "./error.ts"
import type { Reading } from "./index.ts"
import { MOST_TIME, MOST_WORK } from "./limits.ts"

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

/** The process, the calls to it, and the file that it reads. */
type Running = { port: ChildPort; rpc: RpcClient<MediaProtocol>; name: string }

/**
 * Reads files of people in a process of their own, one after the other. A file that takes more time or memory than it
 * may, or ends its decoder, costs a sentence; the next one gets a fresh process.
 */
export class MediaReader {
  private running: Running | undefined
  private queue: Promise<unknown> = Promise.resolve()
  private idle: NodeJS.Timeout | undefined
  private closed = false

  /** @param limit milliseconds by the clock for one file */
  constructor(
    private readonly start: StartMedia = forkMedia,
    private readonly limit = MOST_TIME,
  ) {}

  /** What a file is. @throws MediaError for one that cannot be read here */
  async detect(name: string, path: string): Promise<"image" | "audio" | "text"> {
    const { modality, problem } = await this.ask(name, (rpc, name) => rpc.call("detect", { name, path }))
    if (!modality) throw new MediaError(`${fileNameFrom(name)} ${problem ?? "cannot be read."}`)
    return modality
  }

  /** A file as a prompt for `pack`. @throws MediaError with one line */
  read(name: string, path: string, pack: Pack, how: Reading = {}): Promise<Prompt> {
    return this.ask(name, (rpc, name) => rpc.call("read", { name, path, pack, ...how }))
  }

  close(): void {
    this.closed = true
    this.end()
  }

  private ask<T>(name: string, call: Ask<T>): Promise<T> {
    const answer = this.queue.then(() => this.answer(name, call))
    this.queue = answer.catch(() => {})
    return answer
  }

  private async answer<T>(given: string, call: Ask<T>): Promise<T> {
    const name = fileNameFrom(given)
    if (this.closed) throw new MediaError(`${name} was not read, as the app is closing.`)
    clearTimeout(this.idle)
    this.running ??= this.begin()
    const { rpc } = this.running
    this.running.name = name
    const timer = setTimeout(() => {
      rpc.close(tooLong(name, this.limit))
      this.end()
    }, this.limit)
    try {
      const { value, held } = await call(rpc, name)
      if (held > HELD) this.end()
      return value
    } finally {
      clearTimeout(timer)
      if (this.running) {
        this.idle = setTimeout(() => this.end(), IDLE)
        this.idle.unref()
      }
    }
  }

  private begin(): Running {
    const port = this.start()
    const running = { port, rpc: new RpcClient(port, mediaProtocol), name: "" }
    port.onExit((code, signal) => {
      if (this.running === running) this.running = undefined
      if (signal === "SIGXCPU" || code === 152) return running.rpc.close(tooLong(running.name, MOST_WORK))
      const isMemory = signal === "SIGKILL" || signal === "SIGABRT" || code === 134
      const why = isMemory ? "it takes more than 1 GB of memory" : "it is damaged, and ended its decoder"
      running.rpc.close(new MediaError(`${running.name} cannot be read: ${why}.`))
    })
    return running
  }

  /** Ends the process; whoever waits for it is told by its own timer or by the process's end. */
  private end(): void {
    clearTimeout(this.idle)
    const { running } = this
    this.running = undefined
    running?.port.kill()
  }
}

const tooLong = (name: string, limit: number) =>
  new MediaError(`${name} takes longer to read than ${limit / 1000} seconds; make it shorter or smaller first.`)

/** A call; the file is called by its name in one line. */
type Ask<T> = (rpc: RpcClient<MediaProtocol>, name: string) => Promise<{ value: T; held: number }>
