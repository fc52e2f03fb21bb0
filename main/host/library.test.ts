import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { defaultSampling } from "../../contract/sampling.ts"
import { Library } from "./library.ts"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "megabyte-library-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const settings = { pack: "text", length: 10, seed: 1, variations: 1, sampling: defaultSampling, style: 0 }
const item = {
  title: "Once",
  modality: "text",
  file: "output.txt",
  settings,
  variation: 0,
  given: 4,
  bytes: 4,
  bitsPerByte: 0,
  favourite: false,
  status: "running",
} as const

describe("the library", () => {
  it("holds ordinary files that grow as bytes come, and finds them after a restart", () => {
    const library = new Library(folder)
    const { id } = library.add(item, Buffer.from("Once"))
    library.append(id, Buffer.from(" upon"), [1, 2, 3, 4, 5])
    expect(readFileSync(join(folder, id, "output.txt"), "utf8")).toBe("Once upon")
    library.update(id, { status: "done", bytes: 9, title: "A tale" })
    const again = new Library(folder)
    expect(again.list()).toEqual([{ ...library.get(id) }])
    expect([...again.read(id).bits.subarray(4)]).toEqual([1, 2, 3, 4, 5])
  })
  it("after a crash keeps all that was flushed and says that it was interrupted", () => {
    const library = new Library(folder)
    const { id } = library.add(item, Buffer.from("Once"))
    library.append(id, Buffer.from(" up"), [1, 2, 3])
    expect(new Library(folder).get(id)).toMatchObject({ status: "interrupted", bytes: 7 })
  })
  it("undoes a delete, and forgets it for good only when told", () => {
    const library = new Library(folder)
    const { id } = library.add(item, Buffer.from("Once"))
    library.delete(id)
    expect(library.list()).toEqual([])
    library.undelete(id)
    expect(library.list().map((i) => i.id)).toEqual([id])
    library.delete(id)
    library.emptyDeleted()
    expect(() => library.undelete(id)).toThrow()
  })
  it("leaves foreign folders alone and still opens", () => {
    const library = new Library(folder)
    const { id } = library.add(item, Buffer.from("Once"))
    writeFileSync(join(folder, id, "item.json"), "{ half")
    expect(new Library(folder).list()).toEqual([])
    expect(readFileSync(join(folder, id, "output.txt"), "utf8")).toBe("Once")
  })
})
