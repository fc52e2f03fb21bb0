import { closeSync, constants, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { LARGEST_FILE, tooLarge } from "../../contract/files.ts"
import { fileNameFrom } from "../../contract/title.ts"
import { systemReason } from "../files/system-reason.ts"

/** A file that a command reads: what to call it, and where its bytes lie. */
export type Input = { name: string; path: string }

/**
 * Gives `use` a file that may be read from any place on and more than once: the file itself, or, where it is a pipe or a
 * terminal ("-" is standard input), a copy that is removed afterwards. @throws Error with one line
 */
export async function withInput<T>(given: string, use: (input: Input) => Promise<T>): Promise<T> {
  const name = given === "-" ? "standard input" : fileNameFrom(given)
  if (given !== "-") {
    const found = attempt(name, () => statSync(given))
    if (found.isDirectory()) throw new Error(`${name} cannot be read: it is a folder`)
    if (found.isFile()) {
      attempt(name, () => closeSync(openSync(given, constants.O_RDONLY)))
      return use({ name, path: given })
    }
  }
  const folder = mkdtempSync(join(tmpdir(), "megabyte-input-"))
  try {
    const path = join(folder, "input")
    await copy(name, given === "-" ? process.stdin : createReadStream(given), path)
    return await use({ name, path })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function copy(name: string, from: Readable, path: string): Promise<void> {
  const file = openSync(path, "wx", 0o600)
  let length = 0
  try {
    for await (const piece of from) {
      length += (piece as Buffer).length
      if (length > LARGEST_FILE) throw new Error(tooLarge(name, "8 GB"))
      writeSync(file, piece as Buffer)
    }
  } finally {
    closeSync(file)
  }
}

function attempt<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new Error(`${name} cannot be read: ${systemReason(error) ?? "it is no file"}`)
  }
}
