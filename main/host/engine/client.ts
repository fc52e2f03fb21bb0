import "../../files/no-telemetry.ts"
import { fileURLToPath } from "node:url"
import {
  type AlternativesInput,
  EngineEvent,
  type EngineRequest,
  type GenerateInput,
  type LoadInput,
  type ProbeInput,
  type ScoreInput,
} from "../../../contract/engine.ts"
import { type ChildPort, forkChild } from "../child.ts"

/** The engine died or reported a failure. The message is one line for a person. */
export class EngineError extends Error {
  override name = "EngineError"
}

/** The engine was silent for so long that it was ended. */
export class EngineHung extends EngineError {
  override name = "EngineHung"
}

/** Seconds of silence after which an engine counts as hung: while it writes, and while it loads or reads. */
const SILENCE = { writing: 20, otherwise: 180 }
/** Times the longest silence between two patches so far that is waited for, on a slow machine. */
const PATIENCE = 30
/** Milliseconds after a cancel in which an engine that does not heed it is ended. */
const HEED = 900

/** A running engine process. */
export type EnginePort = Omit<ChildPort, "send"> & { send(request: EngineRequest): void }

/** Starts an engine. `cache`: folder for compiled graphs; `quiet`: what a driver prints while it is tried is not shown. */
export type StartEngine = (cache: string, quiet?: boolean) => EnginePort

/** Starts the engine as a child process of Node. */
export const forkEngine: StartEngine = (cache, quiet = false) => {
  // The sources run as they are through tsx; a build has an engine.js beside the bundle instead.
  const source = import.meta.url.endsWith(".ts")
  const entry = fileURLToPath(new URL(source ? "../../engine/main.ts" : "./engine.js", import.meta.url))
  return forkChild(entry, { env: { MEGABYTE_CACHE: cache }, quiet })
}

type Started = Extract<EngineEvent, { type: "started" }>
type Patch = Extract<EngineEvent, { type: "patch" }>
type Done = Extract<EngineEvent, { type: "done" }>
type Scored = Extract<EngineEvent, { type: "scored" }>
type Alternatives = Extract<EngineEvent, { type: "alternatives" }>
type Request<T> = Omit<T, "type" | "id">

export type GenerateListener = {
  loaded?(ms: number): void
  started?(event: Started): void
  patch(event: Patch): void
  /** The device failed and the CPU goes on: one line for a person. */
  fallback?(message: string): void
}

/** Requests and their events over one engine process. */
export class EngineClient {
  private nextId = 1
  private dead: EngineError | undefined
  private readonly listeners = new Map<number, (event: EngineEvent) => void>()
  private readonly failures = new Map<number, (error: EngineError) => void>()
  /** Seconds since the engine was heard, by a clock that sleeps with the machine; the longest while it wrote. */
  private silent = 0
  private longest = 0
  /** Requests that write by now. */
  private readonly writing = new Set<number>()
  private watch: NodeJS.Timeout | undefined

  /** @param silence seconds after which the engine counts as hung */
  constructor(
    private readonly port: EnginePort,
    private readonly silence = SILENCE,
  ) {
    port.onMessage((message) => {
      if (this.writing.size) this.longest = Math.max(this.longest, this.silent)
      this.silent = 0
      const parsed = EngineEvent.safeParse(message)
      if (!parsed.success) return // nothing that waits is told by it
      const event = parsed.data
      if (event.type === "started") this.writing.add(event.id)
      if (event.type === "error") this.failures.get(event.id)?.(new EngineError(event.message))
      else this.listeners.get(event.id)?.(event)
    })
    port.onExit((code, signal) => {
      const why = signal ?? `code ${code}`
      this.fail(
        new EngineError(`The engine stopped unexpectedly (${why}); what was generated so far is kept. Try again.`),
      )
    })
  }

  /** From here on there is no engine: whoever waits is told why. */
  private fail(why: EngineError): void {
    this.dead ??= why
    clearInterval(this.watch)
    this.watch = undefined
    for (const fail of [...this.failures.values()]) fail(this.dead)
  }

  /** Looks once a second whether the engine is heard, for as long as somebody waits. */
  private watchOver(): void {
    if (this.watch || this.dead) return
    this.silent = 0
    this.watch = setInterval(() => {
      if (!this.failures.size) {
        clearInterval(this.watch)
        this.watch = undefined
        return
      }
      this.silent++
      const limit = this.writing.size ? Math.max(this.silence.writing, PATIENCE * this.longest) : this.silence.otherwise
      if (this.silent < limit) return
      this.port.kill()
      this.fail(new EngineHung(`The engine did not answer for ${this.silent} seconds and was ended.`))
    }, 1000)
    this.watch.unref()
  }

  /** Asks for an end, and sees to it: what does not heed it is ended. Whoever waits then gets what `ended` does. */
  private cancel(id: number, ended: () => void): void {
    this.port.send({ type: "cancel", id })
    setTimeout(() => {
      if (!this.failures.has(id)) return
      ended()
      this.port.kill()
      this.fail(new EngineError("The engine was ended, as it did not stop."))
    }, HEED).unref()
  }

  private request<T>(
    message:
      | (Request<GenerateInput> & { type: "generate" })
      | (Request<ScoreInput> & { type: "score" })
      | (Request<ProbeInput> & { type: "probe" })
      | (Request<LoadInput> & { type: "load" })
      | (Request<AlternativesInput> & { type: "alternatives" }),
    listen: (event: EngineEvent, resolve: (value: T) => void) => void,
  ): { id: number; result: Promise<T>; settle: (value: T) => void } {
    const id = this.nextId++
    let settle = (_: T) => {}
    const result = new Promise<T>((resolve, reject) => {
      settle = resolve
      if (this.dead) return reject(this.dead)
      this.watchOver()
      this.listeners.set(id, (event) => listen(event, resolve))
      this.failures.set(id, reject)
      this.port.send({ ...message, id } as EngineRequest)
    }).finally(() => {
      this.listeners.delete(id)
      this.failures.delete(id)
      this.writing.delete(id)
    })
    return { id, result, settle }
  }

  /** Generates; `listener.patch` gets every finished patch. `cancel` ends it within one patch, or within a second. */
  generate(request: Request<GenerateInput>, listener: GenerateListener): { result: Promise<Done>; cancel(): void } {
    const { id, result, settle } = this.request<Done>({ type: "generate", ...request }, (event, resolve) => {
      if (event.type === "loaded") listener.loaded?.(event.loadMs)
      else if (event.type === "started") listener.started?.(event)
      else if (event.type === "patch") listener.patch(event)
      else if (event.type === "fallback") listener.fallback?.(event.message)
      else if (event.type === "done") resolve(event)
    })
    const ended = () => settle({ type: "done", id, reason: "cancelled", decodeMs: 0 })
    return { result, cancel: () => this.cancel(id, ended) }
  }

  /** Log-probability and entropy of every byte, in nats. `progress` is told the bytes done. */
  score(
    request: Request<ScoreInput>,
    progress?: (bytes: number) => void,
    fallback?: (message: string) => void,
  ): { result: Promise<Scored>; cancel(): void } {
    const { id, result, settle } = this.request<Scored>({ type: "score", ...request }, (event, resolve) => {
      if (event.type === "progress") progress?.(event.bytes)
      else if (event.type === "fallback") fallback?.(event.message)
      else if (event.type === "scored") resolve(event)
    })
    const nothing = new Float32Array()
    const ended = () => settle({ type: "scored", id, logprob: nothing, entropy: nothing, scoreMs: 0 })
    return { result, cancel: () => this.cancel(id, ended) }
  }

  /** Makes a pack ready, when nothing else is to be done. */
  load(request: Request<LoadInput>): Promise<void> {
    return this.request<void>({ type: "load", ...request }, (event, resolve) => {
      if (event.type === "ready") resolve()
    }).result
  }

  /** The `count` likeliest bytes at each place of the last patch, with their shares. */
  alternatives(request: Request<AlternativesInput>): Promise<Alternatives> {
    return this.request<Alternatives>({ type: "alternatives", ...request }, (event, resolve) => {
      if (event.type === "alternatives") resolve(event)
    }).result
  }

  /** Tries a device. @throws EngineError that says why it does not work */
  probe(request: Request<ProbeInput>): Promise<{ msPerPatch?: number | undefined }> {
    return this.request<{ msPerPatch?: number | undefined }>({ type: "probe", ...request }, (event, resolve) => {
      if (event.type === "probed") resolve(event)
    }).result
  }

  /** Whether the process has ended; a host then starts another. */
  get isDead(): boolean {
    return this.dead !== undefined
  }

  close(): void {
    this.port.kill()
  }
}
