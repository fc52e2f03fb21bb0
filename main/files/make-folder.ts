import { mkdirSync, statSync } from "node:fs"
import { dirname } from "node:path"

/**
 * Makes a folder and those above it that are missing. Node's own way says "not found" of a disk that is read-only, and
 * never returns under /proc.
 * @param mode of those that are made
 * @throws what the system says
 */
export function makeFolder(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
    const above = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || above === path) throw error
    makeFolder(above, mode)
    mkdirSync(path, { mode })
  }
}
