import "../../engine/no-telemetry.ts"
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

  constructor(private readonly port: EnginePort) {
    port.onMessage((message) => {
      const parsed = EngineEvent.safeParse(message)
      if (!parsed.success) return // nothing that waits is told by it; a heartbeat would notice
      const event = parsed.data
      if (event.type === "error") this.failures.get(event.id)?.(new EngineError(event.message))
      else this.listeners.get(event.id)?.(event)
    })
    port.onExit((code, signal) => {
      const why = signal ?? `code ${code}`
      this.dead = new EngineError(
        `The engine stopped unexpectedly (${why}); what was generated so far is kept. Try again.`,
      )
      for (const fail of [...this.failures.values()]) fail(this.dead)
    })
  }

  private request<T>(
    message:
      | (Request<GenerateInput> & { type: "generate" })
      | (Request<ScoreInput> & { type: "score" })
      | (Request<ProbeInput> & { type: "probe" })
      | (Request<LoadInput> & { type: "load" })
      | (Request<AlternativesInput> & { type: "alternatives" }),
    listen: (event: EngineEvent, resolve: (value: T) => void) => void,
  ): { id: number; result: Promise<T> } {
    const id = this.nextId++
    const result = new Promise<T>((resolve, reject) => {
      if (this.dead) return reject(this.dead)
      this.listeners.set(id, (event) => listen(event, resolve))
      this.failures.set(id, reject)
      this.port.send({ ...message, id } as EngineRequest)
    }).finally(() => {
      this.listeners.delete(id)
      this.failures.delete(id)
    })
    return { id, result }
  }

  /** Generates; `listener.patch` gets every finished patch. `cancel` ends it within one patch. */
  generate(request: Request<GenerateInput>, listener: GenerateListener): { result: Promise<Done>; cancel(): void } {
    const { id, result } = this.request<Done>({ type: "generate", ...request }, (event, resolve) => {
      if (event.type === "loaded") listener.loaded?.(event.loadMs)
      else if (event.type === "started") listener.started?.(event)
      else if (event.type === "patch") listener.patch(event)
      else if (event.type === "fallback") listener.fallback?.(event.message)
      else if (event.type === "done") resolve(event)
    })
    return { result, cancel: () => this.port.send({ type: "cancel", id }) }
  }

  /** Log-probability and entropy of every byte, in nats. `progress` is told the bytes done. */
  score(
    request: Request<ScoreInput>,
    progress?: (bytes: number) => void,
    fallback?: (message: string) => void,
  ): { result: Promise<Scored>; cancel(): void } {
    const { id, result } = this.request<Scored>({ type: "score", ...request }, (event, resolve) => {
      if (event.type === "progress") progress?.(event.bytes)
      else if (event.type === "fallback") fallback?.(event.message)
      else if (event.type === "scored") resolve(event)
    })
    return { result, cancel: () => this.port.send({ type: "cancel", id }) }
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
