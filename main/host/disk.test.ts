import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { GenerateEvent, GenerateRequest } from "../../contract/engine.ts"
import { defaultSampling } from "../../contract/sampling.ts"
import { fakeEngine, patchOf, startedWith } from "../../test/support/fake-engine.ts"
import { textItem } from "../../test/support/item.ts"
import { openWindow } from "../../test/support/window.ts"
import { Library } from "./library.ts"
import { Studio } from "./studio.ts"

/** A disk that takes nothing for a while, as where it is full, read-only or away: folders that are moved do the same. */

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "megabyte-disk-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const settings = { pack: "text", length: 8, seed: 1, variations: 1, sampling: defaultSampling, style: 0 }
const shipped = join(import.meta.dirname, "../../native-models")
const patient = { timeout: 30_000, interval: 20 }

/** An app with an engine that writes when it is told to. */
function app() {
  type Asked = { request: GenerateRequest; emit(event: GenerateEvent): void; end(reason: "length" | "cancelled"): void }
  let asked: Asked | undefined
  const nothing = (length: number) => ({ logprob: new Float32Array(length), entropy: new Float32Array(length) })
  const start = () =>
    fakeEngine(() => ({
      probe: ({ pack }) => (pack ? { msPerPatch: 1 } : {}),
      score: ({ bytes }) => ({ ...nothing(bytes.length), scoreMs: 1 }),
      generate: (request, { emit, signal }) =>
        new Promise((resolve) => {
          const end: Asked["end"] = (reason) => {
            asked = undefined
            resolve({ reason, decodeMs: 1 })
          }
          signal.addEventListener("abort", () => end("cancelled"))
          emit(startedWith(request))
          asked = { request, emit, end }
        }),
    }))
  const studio = new Studio({ shipped, home, cache: join(home, "cache") }, start)
  const notices: string[] = []
  const items = new Map<string, { status: string; bytes: number }>()
  const window = openWindow(studio, (event) => {
    if (event.type === "notice") notices.push(event.text)
    if (event.type === "item") items.set(event.item.id, event.item)
  })
  /** Asks; what is refused is told. */
  const ask: typeof window.call = (name, params) =>
    window.call(name, params).catch((error) => void notices.push(error.message) as never)
  const begun = () => vi.waitFor(() => expect(asked).toBeDefined(), patient)
  const write = (text: string) => asked?.emit(patchOf(asked.request, () => Buffer.from(text)))
  const done = () => asked?.end("length")
  const told = (what: RegExp) => vi.waitFor(() => expect(notices.join("\n")).toMatch(what), patient)
  return { studio, ask, begun, write, done, told, notices, items }
}

const library = () => join(home, "library")
const itemsThere = () => readdirSync(library()).filter((name) => !name.startsWith("."))

describe("a run that the disk does not take", () => {
  it("is told, waits in memory until the disk takes it, and is whole then", async () => {
    const { studio, ask, begun, write, done, told } = app()
    const run = ask("generate", { settings, given: new Uint8Array() })
    await begun()
    renameSync(library(), join(home, "away"))
    write("four")
    await told(/^What is being written cannot be saved: the folder or file is gone\. It waits in memory/)
    write("more")
    done()
    renameSync(join(home, "away"), library())
    await run
    await told(/^What was written is on the disk again\.$/m)
    studio.close()
    const [id = ""] = itemsThere()
    const opened = new Library(library())
    expect(opened.read(id).bytes.toString()).toBe("fourmore")
    expect(opened.get(id)).toMatchObject({ status: "done", bytes: 8 })
    expect(statSync(join(library(), id, "bits.f32")).size).toBe(32)
  })
  it("ends when a person has had enough, and the next one finds a place again", async () => {
    const { studio, ask, begun, write, done, told, notices, items } = app()
    const run = ask("generate", { settings, given: new Uint8Array() })
    await begun()
    rmSync(library(), { recursive: true })
    write("lost")
    await told(/cannot be saved/)
    done()
    await ask("stop", {})
    await run
    expect([...items.values()].map(({ status }) => status)).toEqual(["interrupted"])
    const next = ask("generate", { settings, given: new Uint8Array() })
    await vi.waitFor(() => expect(itemsThere()).toHaveLength(1), patient)
    await vi.waitFor(() => expect(items.size).toBe(2), patient)
    await begun()
    write("kept")
    done()
    await next
    studio.close()
    expect(readFileSync(join(library(), itemsThere()[0] ?? "", "output.txt"), "utf8")).toBe("kept")
    expect(notices).toHaveLength(1)
  })
  it("is not lost where it was scored", async () => {
    const { studio, ask, told } = app()
    renameSync(library(), join(home, "away"))
    symlinkSync(join(home, "nowhere"), library()) // there, and takes nothing
    const run = ask("score", { pack: "text", name: "a.txt", given: Buffer.from("Once upon") })
    await told(/cannot be saved/)
    rmSync(library())
    renameSync(join(home, "away"), library())
    await run
    studio.close()
    const [id = ""] = itemsThere()
    const { bytes, bits } = new Library(library()).read(id)
    expect([bytes.toString(), bits.length, bits.every((b) => b === 0)]).toEqual(["Once upon", 9, true])
  })
})

describe("a full disk", () => {
  const isThere = existsSync("/dev/full")
  const item = { ...textItem, settings, given: 0, bytes: 0 }
  it.runIf(isThere)("takes the room of what was deleted, before a run has to wait", () => {
    const opened = new Library(library())
    const [deleted, running] = [0, 1].map(() => opened.add(item, new Uint8Array()).id) as [string, string]
    opened.delete(deleted)
    rmSync(join(library(), running, "output.txt"))
    symlinkSync("/dev/full", join(library(), running, "output.txt"))
    expect(() => opened.append(running, Buffer.from("Once"), [1, 2, 3, 4])).toThrow(/ENOSPC/)
    expect(readdirSync(join(library(), ".deleted"))).toEqual([])
  })
  it("leaves preferences as a person set them, for as long as the app is open", async () => {
    const { studio, ask, told } = app()
    const [other] = [join(home, "other")]
    symlinkSync(join(home, "no/such/folder"), join(home, "preferences.json.part")) // nothing can be written there
    await ask("prefer", { preferences: { library: other } })
    await told(/preferences\.json cannot be used/)
    expect(existsSync(join(other, ".lock"))).toBe(true)
    studio.close()
  })
})
