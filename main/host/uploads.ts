import { appendFileSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

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
      if (offset === 0) {
        mkdirSync(this.folder, { recursive: true })
        writeFileSync(this.path(file), bytes)
      } else if (statSync(this.path(file)).size === offset) appendFileSync(this.path(file), bytes)
      else throw new Error("pieces are missing")
    } catch (error) {
      this.remove(file)
      const { code, message } = error as NodeJS.ErrnoException
      throw new Error(
        `The file cannot be copied to ${this.folder} (${code ?? message}); nothing has changed, drop it again.`,
      )
    }
  }

  remove(file: string): void {
    rmSync(this.path(file), { force: true })
  }

  clear(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
