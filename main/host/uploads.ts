import { randomUUID } from "node:crypto"
import { appendFileSync, existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { LARGEST_FILE } from "../../contract/files.ts"
import { makeFolder } from "../files/make-folder.ts"
import { systemReason } from "../files/system-reason.ts"

/** Files that arrive at once, from all windows. */
const MOST_FILES = 16

/** Files that arrive from windows piece by piece, on disk: a recording of hours is never in memory. */
export class Upload {
  /** @param folder for these files alone; what was left in it half way is removed */
  constructor(readonly folder: string) {
    this.clear()
  }

  path(file: string): string {
    return join(this.folder, file)
  }

  /**
   * Takes the next bytes of a file; those at offset 0 begin it anew.
   * @throws Error with a line for a person, also where bytes before them are missing
   */
  take(file: string, offset: number, bytes: Uint8Array): void {
    try {
      if (offset + bytes.length > LARGEST_FILE) throw new Error("it is larger than 8 GB")
      if (offset === 0) {
        makeFolder(this.folder, 0o700)
        if (!existsSync(this.path(file)) && readdirSync(this.folder).length >= MOST_FILES)
          throw new Error("too many files are on their way")
        writeFileSync(this.path(file), bytes, { mode: 0o600 })
      } else if (statSync(this.path(file)).size === offset) appendFileSync(this.path(file), bytes)
      else throw new Error("pieces are missing")
    } catch (error) {
      this.remove(file)
      const why = systemReason(error) ?? (error as Error).message
      throw new Error(`The file cannot be copied to ${this.folder}: ${why}. Drop it again.`)
    }
  }

  /** Takes over all that has arrived in another place, as one folder. Returns what that is called here. */
  takeOver(other: Upload): string {
    const name = randomUUID()
    makeFolder(this.folder, 0o700)
    if (existsSync(other.folder)) renameSync(other.folder, this.path(name))
    return name
  }

  /** Removes a file, or a folder that was taken over. */
  remove(file: string): void {
    rmSync(this.path(file), { recursive: true, force: true })
  }

  clear(): void {
    try {
      rmSync(this.folder, { recursive: true, force: true })
    } catch {} // a read-only disk, or a file where the folder's folder should be: `take` tells
  }
}
