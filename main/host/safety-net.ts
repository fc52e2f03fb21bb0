import { detailsOf } from "./errors.ts"
import type { Log } from "./log.ts"

/** Milliseconds within which the same fault is told once. */
const REPEATED = 10_000

/**
 * The last net below everything: whatever is thrown in a timer, a socket or a child's pipe and caught nowhere becomes a
 * line in the log and a notice, not the end of the app.
 * @param tell shows a sentence with details to every window
 * @returns what takes the net away again
 */
export function spreadSafetyNet(log: Log, tell: (text: string, details: string) => void): () => void {
  let last = { details: "", at: 0 }
  const caught = (context: string) => (error: unknown) => {
    const details = detailsOf(error)
    // A fault in a timer would come many times a second.
    const now = Date.now()
    if (details === last.details && now - last.at < REPEATED) return
    last = { details, at: now }
    log.write(context, details)
    try {
      tell("Something went wrong inside the app; it goes on, and what was made is kept.", details)
    } catch {} // the net itself must hold
  }
  const exception = caught("uncaught exception")
  const rejection = caught("unhandled rejection")
  process.on("uncaughtException", exception)
  process.on("unhandledRejection", rejection)
  return () => {
    process.off("uncaughtException", exception)
    process.off("unhandledRejection", rejection)
  }
}
