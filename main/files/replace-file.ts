import { renameSync, writeFileSync } from "node:fs"

/** Writes a file whole or not at all: after a crash in the middle the one before is still there. */
export function replaceFile(path: string, data: string | Uint8Array): void {
  writeFileSync(`${path}.part`, data)
  renameSync(`${path}.part`, path)
}
