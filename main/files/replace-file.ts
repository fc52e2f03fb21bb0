import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs"

/**
 * Writes a file whole or not at all: after a crash in the middle, or with the disk full, the one before is still there.
 * Its owner alone can read it.
 */
export function replaceFile(path: string, data: string | Uint8Array): void {
  const temporary = `${path}.part`
  try {
    const file = openSync(temporary, "w", 0o600)
    try {
      writeFileSync(file, data)
      // Without this a power cut may leave the new name on an empty file.
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true, recursive: true })
    throw Object.assign(error as Error, { path }) // a person knows the file by its name
  }
}
