import { readFileSync } from "node:fs"
import { dirname } from "node:path"
import { Preferences } from "../../contract/app.ts"
import { makeFolder } from "../files/make-folder.ts"
import { replaceFile } from "../files/replace-file.ts"

/** The person's settings, in one JSON file; each that is missing or damaged takes its default, the others stay. */
export function readPreferences(path: string): Preferences {
  let found: unknown
  try {
    found = JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return Preferences.parse({})
  }
  const whole = Object.entries(Preferences.shape).flatMap(([name, schema]) => {
    const read = schema.safeParse((found as Record<string, unknown> | null)?.[name])
    return read.success ? [[name, read.data]] : []
  })
  return Preferences.parse(Object.fromEntries(whole))
}

export function writePreferences(path: string, preferences: Preferences): void {
  makeFolder(dirname(path), 0o700)
  replaceFile(path, `${JSON.stringify(preferences, null, 2)}\n`)
}
