import { appendFileSync, chmodSync, renameSync, rmSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { makeFolder } from "../files/make-folder.ts"

/** Bytes of a log file before it is put aside, and how many of those are kept. */
const LARGEST = 2 ** 20
const KEPT = 3
/** Characters of one entry. */
const LONGEST = 8192

/**
 * A log file in the app's folder for what went wrong: readable by its owner alone, put aside at 1 MB (megabyte.log.1 is the
 * newest of three). Logging never fails: with the disk full a line is lost, not the app.
 */
export class Log {
  readonly path: string

  constructor(home: string) {
    this.path = join(home, "logs", "megabyte.log")
  }

  /** Appends one entry: the time, what was going on, and what happened. */
  write(context: string, details: string): void {
    try {
      makeFolder(dirname(this.path), 0o700)
      this.rotate()
      const entry = `${new Date().toISOString()} ${context}: ${details}`.slice(0, LONGEST)
      // An entry is its first line and what is indented below it.
      appendFileSync(this.path, `${entry.replaceAll("\n", "\n  ")}\n`, { mode: 0o600 })
    } catch {}
  }

  private rotate(): void {
    const size = statSync(this.path, { throwIfNoEntry: false })?.size ?? 0
    if (size < LARGEST) return
    rmSync(`${this.path}.${KEPT}`, { force: true })
    for (let i = KEPT - 1; i >= 0; i--) {
      const from = i ? `${this.path}.${i}` : this.path
      if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${this.path}.${i + 1}`)
    }
    chmodSync(`${this.path}.1`, 0o600)
  }
}
