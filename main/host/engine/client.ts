import "../../files/no-telemetry.ts"
import { fileURLToPath } from "node:url"
import {
  type EngineParams,
  type EngineProtocol,
  type EngineResult,
  engineProtocol,
  type GenerateEvent,
  type ScoreEvent,
} from "../../../contract/engine.ts"
import { CodedError, type ErrorCode } from "../../../contract/errors.ts"
import { RpcClient } from "../../../contract/rpc.ts"
import { type ChildPort, forkChild } from "../../process/child.ts"

/** Seconds of silence after which an engine counts as hung: while it writes, and while it loads or reads. */
const SILENCE = { writing: 20, otherwise: 180 }
/** Times the longest silence between two patches so far that is waited for, on a slow machine. */
const PATIENCE = 30
/** Milliseconds after a cancel in which an engine that does not heed it is ended. */
const HEED = 900

/** Starts an engine. `cache`: folder for compiled graphs; `quiet`: what a driver prints while it is tried is not shown. */
export type StartEngine = (cache: string, quiet?: boolean) => ChildPort

/** Starts the engine as a child process of Node. */
export const forkEngine: StartEngine = (cache, quiet = false) => {
  // The sources run as they are through tsx; a build has an engine.js beside the bundle instead.
  const source = import.meta.url.endsWith(".ts")
  const entry = fileURLToPath(new URL(source ? "../../engine/main.ts" : "./engine.js", import.meta.url))
  return forkChild(entry, { env: { MEGABYTE_CACHE: cache }, quiet })
}

type Of<T extends GenerateEvent["type"]> = Extract<GenerateEvent, { type: T }>
type ScoreListener = { progress?(bytes: number): void; fallback?(message: string): void }

export type GenerateListener = {
  loaded?(ms: number): void
  started?(event: Of<"started">): void
  patch(event: Of<"patch">): void
  /** The device failed and the CPU goes on: one line for a person. */
  fallback?(message: string): void
}

/** A call that can be ended early, with what it has by then. */
type Cancellable<T> = { result: Promise<T>; cancel(): void }

/** Calls to one engine process, and the watch over it. */
export class EngineClient {
  private readonly rpc: RpcClient<EngineProtocol>
  private dead = false
  /** Seconds since the engine was heard, by a clock that sleeps with the machine; the longest while it wrote. */
  private silent = 0
  private longest = 0
  /** How many calls write by now. */
  private writing = 0
  private watch: NodeJS.Timeout | undefined

  /** @param silence seconds after which the engine counts as hung */
  constructor(
    private readonly port: ChildPort,
    private readonly silence = SILENCE,
  ) {
    this.rpc = new RpcClient(port, engineProtocol, {
      heard: () => {
        if (this.writing) this.longest = Math.max(this.longest, this.silent)
        this.silent = 0
      },
    })
    port.onExit((code, signal) => {
      const why = signal ?? `code ${code}`
      this.fail("closed", `The engine stopped unexpectedly (${why}); what was generated so far is kept. Try again.`)
    })
  }

  /** From here on there is no engine: whoever waits is told why. */
  private fail(code: ErrorCode, why: string): void {
    this.dead = true
    clearInterval(this.watch)
    this.watch = undefined
    this.rpc.close(new CodedError(code, why))
  }

  /** Looks once a second whether the engine is heard, for as long as somebody waits. */
  private watchOver(): void {
    if (this.watch || this.dead) return
    this.silent = 0
    this.watch = setInterval(() => {
      if (!this.rpc.pending) {
        clearInterval(this.watch)
        this.watch = undefined
        return
      }
      this.silent++
      const limit = this.writing ? Math.max(this.silence.writing, PATIENCE * this.longest) : this.silence.otherwise
      if (this.silent < limit) return
      this.port.kill()
      this.fail("hung", `The engine did not answer for ${this.silent} seconds and was ended.`)
    }, 1000)
    this.watch.unref()
  }

  /** A call that heeds its cancel; an engine that does not is ended, and whoever waits gets `nothing`. */
  private cancellable<T>(start: (signal: AbortSignal) => Promise<T>, nothing: T): Cancellable<T> {
    const controller = new AbortController()
    let isOver = false
    let giveUp = (_: T) => {}
    const givenUp = new Promise<T>((resolve) => {
      giveUp = resolve
    })
    const result = Promise.race([start(controller.signal), givenUp]).finally(() => {
      isOver = true
    })
    const cancel = () => {
      controller.abort()
      setTimeout(() => {
        if (isOver) return
        giveUp(nothing)
        this.port.kill()
        this.fail("closed", "The engine was ended, as it did not stop.")
      }, HEED).unref()
    }
    return { result, cancel }
  }

  /** Generates; `listener.patch` gets every finished patch. `cancel` ends it within one patch, or within a second. */
  generate(request: EngineParams<"generate">, listener: GenerateListener): Cancellable<EngineResult<"generate">> {
    this.watchOver()
    let isWriting = false
    const writes = (on: boolean) => {
      this.writing += Number(on) - Number(isWriting)
      isWriting = on
    }
    const onEvent = (event: GenerateEvent) => {
      if (event.type === "started" || event.type === "patch") writes(true)
      // The processor loads the model first, which is silent for longer.
      if (event.type === "fallback") writes(false)
      if (event.type === "loaded") listener.loaded?.(event.loadMs)
      else if (event.type === "started") listener.started?.(event)
      else if (event.type === "patch") listener.patch(event)
      else if (event.type === "fallback") listener.fallback?.(event.message)
    }
    const ended = () => writes(false)
    return this.cancellable((signal) => this.rpc.call("generate", request, { onEvent, signal }).finally(ended), {
      reason: "cancelled",
      decodeMs: 0,
    })
  }

  /** Log-probability and entropy of every byte, in nats. `progress` is told the bytes done. */
  score(request: EngineParams<"score">, listener: ScoreListener = {}): Cancellable<EngineResult<"score">> {
    this.watchOver()
    const onEvent = (event: ScoreEvent) => {
      if (event.type === "progress") listener.progress?.(event.bytes)
      else if (event.type === "fallback") listener.fallback?.(event.message)
    }
    const none = new Float32Array()
    return this.cancellable((signal) => this.rpc.call("score", request, { onEvent, signal }), {
      logprob: none,
      entropy: none,
      scoreMs: 0,
    })
  }

  /** Makes a pack ready, when nothing else is to be done. */
  load(request: EngineParams<"load">): Promise<void> {
    this.watchOver()
    return this.rpc.call("load", request)
  }

  /** The `count` likeliest bytes at each place of the last patch, with their shares. */
  alternatives(request: EngineParams<"alternatives">): Promise<EngineResult<"alternatives">> {
    this.watchOver()
    return this.rpc.call("alternatives", request)
  }

  /** Tries a device. @throws CodedError that says why it does not work */
  probe(request: EngineParams<"probe">): Promise<EngineResult<"probe">> {
    this.watchOver()
    return this.rpc.call("probe", request)
  }

  /** Whether the process has ended; a host then starts another. */
  get isDead(): boolean {
    return this.dead
  }

  close(): void {
    this.port.kill()
  }
}
