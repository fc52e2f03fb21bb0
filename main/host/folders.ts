import { mkdtempSync, rmdirSync } from "node:fs"
import { homedir, userInfo } from "node:os"
import { isAbsolute, join } from "node:path"
import { makeFolder } from "../files/make-folder.ts"
import { systemReason } from "../files/system-reason.ts"

/** A folder of the person's that cannot be found or written. The message is one line for a person. */
export class FolderError extends Error {
  override name = "FolderError"
}

/** Where a system keeps what programs write: the variable that names it, else a folder of the person's. */
const usual = {
  win32: { data: ["APPDATA", "AppData/Roaming"], cache: ["LOCALAPPDATA", "AppData/Local"] },
  darwin: { data: [undefined, "Library/Application Support"], cache: [undefined, "Library/Caches"] },
  linux: { data: ["XDG_DATA_HOME", ".local/share"], cache: ["XDG_CACHE_HOME", ".cache"] },
} as const

/** The app's folder for what is the person's own, or for what can be made again. @throws FolderError */
export function usualFolder(kind: "data" | "cache"): string {
  const { platform, env } = process
  const [variable, below] = usual[platform === "win32" || platform === "darwin" ? platform : "linux"][kind]
  const named = variable && env[variable]
  return join(named && isAbsolute(named) ? named : join(homeFolder(), below), "megabyte-studio")
}

/** The person's home folder, also where HOME is unset or empty. @throws FolderError where the system knows none */
function homeFolder(): string {
  for (const find of [homedir, () => userInfo().homedir])
    try {
      const folder = find()
      if (isAbsolute(folder)) return folder
    } catch {
      // No HOME, or no line for this user in the system's list.
    }
  throw new FolderError("you have no home folder here; set MEGABYTE_HOME and MEGABYTE_CACHE to folders of yours")
}

/**
 * Makes sure that `folder` is there and that files can be written into it.
 * @param variable the environment variable that moves it
 * @throws FolderError
 */
export function checkWritable(folder: string, variable: "MEGABYTE_HOME" | "MEGABYTE_CACHE"): void {
  try {
    // Only the person's own: texts, pictures and sounds are private.
    makeFolder(folder, 0o700)
    // Rights alone do not tell: the disk may be read-only, or full.
    rmdirSync(mkdtempSync(join(folder, ".writable-")))
  } catch (error) {
    const why = systemReason(error) ?? (error as Error).message
    throw new FolderError(`${folder} cannot be written: ${why}; set ${variable} to a folder that can be`)
  }
}
