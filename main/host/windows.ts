import type { Failure } from "../../contract/errors.ts"
import type { AppEvent } from "../../contract/window.ts"
import { systemReason } from "../files/system-reason.ts"
import { detailsOf, failureOf } from "./errors.ts"
import type { Log } from "./log.ts"
import { spreadSafetyNet } from "./safety-net.ts"

/** Sends one event to a window. */
export type Send = (event: AppEvent) => void

/** Characters of details that come with a notice. */
const DETAILS = 8000

/** The windows that are open, and what all of them are told. */
export class Windows {
  private readonly open = new Set<Send>()

  constructor(private readonly log: Log) {}

  get count(): number {
    return this.open.size
  }

  /** Adds a window; returns what takes it away again. */
  add(send: Send): () => void {
    this.open.add(send)
    return () => void this.open.delete(send)
  }

  each(work: (send: Send) => void): void {
    for (const send of this.open) work(send)
  }

  broadcast(event: AppEvent): void {
    for (const send of this.open) {
      try {
        send(event)
      } catch (error) {
        this.log.write("a window", detailsOf(error)) // the others are told all the same
      }
    }
  }

  /** Tells every window something in one sentence. */
  notice(kind: "info" | "problem", text: string): void {
    this.broadcast({ type: "notice", kind, text })
  }

  /** That a run cannot be saved just now, and what to do. */
  tellUnsaved(error: unknown): void {
    const details = detailsOf(error)
    this.log.write("saving a run", details)
    const why = systemReason(error) ?? "the library cannot be written to"
    const text = `What is being written cannot be saved: ${why}. It waits in memory until that is mended; Stop keeps what is on the disk.`
    this.broadcast({ type: "notice", kind: "problem", text, details: details.slice(0, DETAILS) })
  }

  /** That what could not be saved for a while now is. */
  tellSaved(): void {
    this.notice("info", "What was written is on the disk again.")
  }

  /** What whoever asked is told of an error; what is more than a refusal comes with its details, which go into the log. */
  failureOf(error: unknown, context: string): Failure {
    const { details, ...failure } = failureOf(error)
    if (details === undefined) return failure
    this.log.write(context, details)
    return { ...failure, details: details.slice(0, DETAILS) }
  }

  /** From here on what nobody catches is told and logged, and ends nothing. Returns what undoes that. */
  catchEverything(): () => void {
    return spreadSafetyNet(this.log, (text, details) =>
      this.broadcast({ type: "notice", kind: "problem", text, details: details.slice(0, DETAILS) }),
    )
  }
}
