import { existsSync, readFileSync } from "node:fs"
import { dirname } from "node:path"
import { z } from "zod"
import { makeFolder } from "./make-folder.ts"
import { replaceFile } from "./replace-file.ts"

/** What was measured on this machine: JSON files in the cache of compiled graphs, an entry by pack and machine. */

/** The fastest device (devices.ts), and the fastest number of threads (threads.ts). */
export const [DEVICES_FILE, THREADS_FILE] = ["devices.json", "threads.json"]

/** What is remembered; nothing where the file is missing or damaged. */
export function readMeasured<T>(path: string, value: z.ZodType<T>): Record<string, T> {
  try {
    return existsSync(path) ? z.record(z.string(), value).parse(JSON.parse(readFileSync(path, "utf8"))) : {}
  } catch {
    return {}
  }
}

/** Adds `entry` to what is remembered; where the disk does not take it, it is measured again next time. */
export function remember<T>(path: string, value: z.ZodType<T>, key: string, entry: T): void {
  try {
    makeFolder(dirname(path))
    replaceFile(path, JSON.stringify({ ...readMeasured(path, value), [key]: entry }, null, 2))
  } catch {}
}
