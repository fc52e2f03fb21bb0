import { mkdtempSync, readFileSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Item } from "../../contract/app.ts"
import { Library } from "../../main/host/library.ts"
import type { Random } from "./random.ts"

/** What one part of the torture found. `faults`: what must not be, each in a line. */
export type Found = { what: string; count: number; details: string; faults: string[] }
export type Part = (random: Random, until: number) => Promise<Found>

export const root = join(import.meta.dirname, "../..")
export const parity = (name: string) => join(root, "test/parity", name)
export const folder = (name: string) => mkdtempSync(join(tmpdir(), `megabyte-torture-${name}-`))
export const isOver = (until: number) => Date.now() >= until
/** One sentence for a person: a line, with an end, without a stack or a library's words. */
export const isSentence = (text: string) =>
  /^[^\n]{8,600}[.)]$/.test(text) && !/\bat \w+ \(|undefined|\[object|ENOENT:|Error:/.test(text)

/** What is wrong with a library on the disk: bits beside their bytes, entries that can be read. */
export function wrongWith(library: string): string[] {
  const opened = new Library(library)
  const wrong = opened.unreadable.map((name) => `${name} cannot be read`)
  for (const { id, bytes, given } of opened.list()) {
    const read = opened.read(id)
    if (read.bytes.length !== bytes) wrong.push(`${id}: ${read.bytes.length} bytes, its entry says ${bytes}`)
    const bits = statSync(join(library, id, "bits.f32")).size / 4
    if (bits !== bytes) wrong.push(`${id}: ${bits} bits beside ${bytes} bytes`)
    if (read.bits.subarray(given).some(Number.isNaN) && bits < bytes) wrong.push(`${id}: bits are missing`)
    Item.parse(JSON.parse(readFileSync(join(library, id, "item.json"), "utf8")))
  }
  return wrong
}
