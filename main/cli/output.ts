import { renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { basename, dirname, extname, join } from "node:path"

/** FILE for one result; FILE-1.ext, FILE-2.ext … for several. */
export function outputNames(out: string, count: number): string[] {
  if (count === 1) return [out]
  const ext = extname(out)
  return Array.from({ length: count }, (_, i) => join(dirname(out), `${basename(out, ext)}-${i + 1}${ext}`))
}

/** Writes a file as a whole or not at all: a full disk leaves what was there before. @throws Error, one line */
export function writeWhole(path: string, bytes: Uint8Array): void {
  // A device or a pipe is written to as it is; putting a file in its place would replace it.
  const device = statSync(path, { throwIfNoEntry: false })?.isFile() === false
  const temporary = `${path}.${process.pid}.part`
  try {
    writeFileSync(device ? path : temporary, bytes)
    if (!device) renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    const code = (error as NodeJS.ErrnoException).code
    const why = code === "ENOSPC" ? "the disk is full" : code
    throw new Error(`${path} cannot be written (${why}); nothing that was there before has changed`)
  }
}
