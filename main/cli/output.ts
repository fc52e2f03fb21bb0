import {
  accessSync,
  constants,
  lstatSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, extname, join, resolve } from "node:path"
import { systemReason } from "../files/system-reason.ts"

/** FILE for one result; FILE-1.ext, FILE-2.ext … for several. */
export function outputNames(out: string, count: number): string[] {
  if (count === 1) return [out]
  const ext = extname(out)
  return Array.from({ length: count }, (_, i) => join(dirname(out), `${basename(out, ext)}-${i + 1}${ext}`))
}

/** What is at a path; undefined where there is nothing, also because a file stands where a folder should. */
function found(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

/** What a path leads to, through links. */
function target(path: string): string {
  try {
    return lstatSync(path).isSymbolicLink() ? realpathSync(path) : path
  } catch {
    return path // nothing is there yet; a link to nothing is replaced
  }
}

/** A device or a pipe is written to as it is; putting a file in its place would replace it. */
const isDevice = (path: string) => {
  const at = found(path)
  return at !== undefined && !at.isFile() && !at.isDirectory()
}

/** Checks before the work that a file can be written at its end. @throws Error, one line */
export function assertWritable(path: string): void {
  const file = target(path)
  const fail = (why: string) => new Error(`${path} cannot be written: ${why}`)
  if (isDevice(file)) return
  if (found(file)?.isDirectory()) throw fail("it is a folder")
  const folder = dirname(resolve(file))
  const at = found(folder)
  if (!at) throw fail(`the folder ${folder} is not there`)
  if (!at.isDirectory()) throw fail(`${folder} is not a folder`)
  try {
    accessSync(folder, constants.W_OK)
    const probe = join(folder, `.${basename(file).slice(0, 100)}.${process.pid}.part`)
    writeFileSync(probe, "")
    rmSync(probe)
  } catch (error) {
    throw fail(systemReason(error) ?? "the folder takes no files")
  }
}

/** Writes a file as a whole or not at all: a full disk leaves what was there before. @throws Error, one line */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const file = target(path)
  const device = isDevice(file)
  // Not beside a long name: that and an end more would be too long.
  const temporary = join(dirname(file), `.${basename(file).slice(0, 100)}.${process.pid}.part`)
  try {
    writeFileSync(device ? file : temporary, bytes)
    if (!device) renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    const why = systemReason(error) ?? "the system refuses it"
    const aside = device ? undefined : putAside(basename(file), bytes)
    const kept = aside ? `what was made lies in ${aside}, and what was there before` : "what was there before"
    throw new Error(`${path} cannot be written: ${why}; ${kept} is as it was`)
  }
}

/** Keeps what cannot be written where it was wanted among the system's temporary files; undefined where they are full too. */
function putAside(name: string, bytes: Uint8Array): string | undefined {
  try {
    const path = join(mkdtempSync(join(tmpdir(), "megabyte-")), name)
    writeFileSync(path, bytes, { mode: 0o600 })
    return path
  } catch {
    return undefined
  }
}
