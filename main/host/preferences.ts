import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { dirname } from "node:path"
import { Preferences } from "../../contract/app.ts"
import { replaceFile } from "../files/replace-file.ts"

/** The person's settings, in one JSON file; what is missing or damaged takes its default. */
export function readPreferences(path: string): Preferences {
  if (!existsSync(path)) return Preferences.parse({})
  try {
    return Preferences.parse(JSON.parse(readFileSync(path, "utf8")))
  } catch {
    return Preferences.parse({})
  }
}

export function writePreferences(path: string, preferences: Preferences): void {
  mkdirSync(dirname(path), { recursive: true })
  replaceFile(path, `${JSON.stringify(preferences, null, 2)}\n`)
}
