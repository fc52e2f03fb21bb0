import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { titleFrom } from "../../contract/title.ts"
import { textItem } from "../../test/support/item.ts"
import { Library } from "./library.ts"
import { lockLibrary } from "./lock.ts"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "megabyte-library-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe("the library", () => {
  it("holds ordinary files that grow as bytes come, and finds them after a restart", () => {
    const library = new Library(folder)
    const { id } = library.add(textItem, Buffer.from("Once"))
    library.append(id, Buffer.from(" upon"), [1, 2, 3, 4, 5])
    expect(readFileSync(join(folder, id, "output.txt"), "utf8")).toBe("Once upon")
    library.update(id, { status: "done", bytes: 9, title: "A tale" })
    const again = new Library(folder)
    expect(again.list()).toEqual([{ ...library.get(id) }])
    expect([...again.read(id).bits.subarray(4)]).toEqual([1, 2, 3, 4, 5])
  })
  it("after a crash keeps all that was flushed and says that it was interrupted", () => {
    const library = new Library(folder)
    const { id } = library.add(textItem, Buffer.from("Once"))
    library.append(id, Buffer.from(" up"), [1, 2, 3])
    expect(new Library(folder).get(id)).toMatchObject({ status: "interrupted", bytes: 7 })
  })
  it("undoes a delete, and forgets it for good only when told", () => {
    const library = new Library(folder)
    const { id } = library.add(textItem, Buffer.from("Once"))
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
    const { id } = library.add(textItem, Buffer.from("Once"))
    writeFileSync(join(folder, id, "item.json"), "{ half")
    expect(new Library(folder).list()).toEqual([])
    expect(readFileSync(join(folder, id, "output.txt"), "utf8")).toBe("Once")
  })
  it("shows the other items where one is damaged, foreign or of a name that is too long", () => {
    const library = new Library(folder)
    const ids = ["a", "b", "c", "d"].map((title) => library.add({ ...textItem, title }, Buffer.from("Once")).id)
    writeFileSync(join(folder, ids[0] as string, "item.json"), "")
    const json = JSON.parse(readFileSync(join(folder, ids[1] as string, "item.json"), "utf8"))
    writeFileSync(join(folder, ids[1] as string, "item.json"), JSON.stringify({ ...json, title: "n".repeat(255) }))
    rmSync(join(folder, ids[2] as string, "output.txt"))
    writeFileSync(join(folder, "note.txt"), "mine")
    mkdirSync(join(folder, "x"))
    mkdirSync(join(folder, "y", "item.json"), { recursive: true })
    const again = new Library(folder)
    expect(
      again
        .list()
        .map((i) => i.title.length)
        .sort(),
    ).toEqual([1, 200])
    expect(again.unreadable.sort()).toEqual([ids[0], ids[2], "y"].sort())
  })
  it("keeps bits beside their bytes after an end between two appends, and tells the mean of what is known", () => {
    for (const [bytes, bits] of [
      [9, 7],
      [7, 9],
    ] as const) {
      const library = new Library(folder)
      const { id } = library.add(textItem, Buffer.from("Once"))
      library.append(id, Buffer.from(" upon"), [1, 2, 3, 4, 5])
      truncateSync(join(folder, id, "output.txt"), bytes)
      truncateSync(join(folder, id, "bits.f32"), 4 * bits - (bits === 7 ? 2 : 0)) // in the middle of a number too
      const again = new Library(folder)
      expect(again.get(id)).toMatchObject({ status: "interrupted", bytes })
      expect(statSync(join(folder, id, "bits.f32")).size).toBe(4 * bytes)
      again.append(id, Buffer.from("!"), [9])
      const read = again.read(id)
      expect([read.bytes.length, read.bits.length, read.bits[bytes]]).toEqual([bytes + 1, bytes + 1, 9])
      expect(again.get(id).bitsPerByte).toBeCloseTo(bytes === 9 ? 1.5 : 2)
      rmSync(join(folder, id), { recursive: true })
    }
  })
  it("appends bytes and bits both or neither, and leaves nothing of an item that could not be written", () => {
    const library = new Library(folder)
    const { id } = library.add(textItem, Buffer.from("Once"))
    rmSync(join(folder, id, "bits.f32"))
    mkdirSync(join(folder, id, "bits.f32")) // the second write fails, as on a full disk
    expect(() => library.append(id, Buffer.from(" upon"), [1, 2, 3, 4, 5])).toThrow()
    expect(readFileSync(join(folder, id, "output.txt"), "utf8")).toBe("Once")
    const count = new Library(folder).list().length
    expect(() => library.add({ ...textItem, file: "no/such/folder.txt" } as never, Buffer.from("x"))).toThrow()
    expect(new Library(folder).list().length).toBe(count)
  })
  it("is its owner's alone", () => {
    if (process.platform === "win32") return
    const library = new Library(join(folder, "own"))
    const { id } = library.add(textItem, Buffer.from("Once"))
    appendFileSync(join(folder, "own", id, "output.txt"), "")
    expect(statSync(join(folder, "own")).mode & 0o777).toBe(0o700)
    for (const name of ["item.json", "output.txt", "bits.f32"])
      expect(statSync(join(folder, "own", id, name)).mode & 0o777).toBe(0o600)
  })
})

describe("a title", () => {
  it.each([
    ["a\u0000b\nc\td", "a b c d"],
    ["photo\u202egnp.exe", "photognp.exe"],
    ["\u2066\u200b", "Untitled"],
    ["half \ud83d", "half \ufffd"],
    ["", "Untitled"],
    ["😀".repeat(150), `${"😀".repeat(99)}…`],
    ["n".repeat(255), `${"n".repeat(199)}…`],
    ["日本".repeat(100), "日本".repeat(100)],
  ])("of any text is one line that can be kept: %j", (text, title) => expect(titleFrom(text)).toBe(title))
})

describe("a library that is open", () => {
  it("is opened by no second program, and taken over from one that has ended", () => {
    const unlock = lockLibrary(folder)
    expect(() => lockLibrary(folder)).toThrow(/^The app is open already with this library \(process \d+\)/)
    unlock()
    const gone = { pid: 2 ** 22 - 3, host: hostname(), began: "1", since: "then" }
    writeFileSync(join(folder, ".lock"), JSON.stringify(gone))
    lockLibrary(folder)()
    writeFileSync(join(folder, ".lock"), "{ half")
    lockLibrary(folder)()
    // Its number belongs to another process by now.
    writeFileSync(join(folder, ".lock"), JSON.stringify({ ...gone, pid: process.ppid, began: "1" }))
    if (process.platform === "linux") lockLibrary(folder)()
  })
})
