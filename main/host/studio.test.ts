import { randomUUID } from "node:crypto"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import sharp from "sharp"
import { afterEach, describe, expect, it } from "vitest"
import { defaultSampling } from "../../contract/sampling.ts"
import { fakeEngine, patchOf, startedWith } from "../../test/support/fake-engine.ts"
import { openWindow } from "../../test/support/window.ts"
import { Studio } from "./studio.ts"

const home = mkdtempSync(join(tmpdir(), "megabyte-studio-"))
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** Engines whose GPU dies after one patch of "gpu ", and whose CPU writes "cpu " to the end. */
const start = () =>
  fakeEngine((dies) => ({
    probe: ({ pack }) => (pack ? { msPerPatch: 1 } : {}),
    generate: async (request, { emit }) => {
      emit(startedWith(request))
      const patch = (text: string) => emit(patchOf(request, () => Buffer.from(text)))
      if (request.device === "webgpu") {
        patch("gpu ")
        await setTimeout(20)
        return dies("SIGSEGV")
      }
      for (let made = 0; made < request.length; made += 4) patch("cpu ")
      return { reason: "length", decodeMs: 1 }
    },
  }))

const places = { shipped: join(import.meta.dirname, "../../native-models"), home, cache: join(home, "cache") }

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** An app and a window of it. */
function app() {
  const studio = new Studio(places, start)
  closing.push(() => studio.close())
  return { studio, ...openWindow(studio) }
}

describe("a dropped file", () => {
  /** What the host says to a file that arrives in pieces of `size` bytes and is opened. */
  async function drop({ call }: ReturnType<typeof app>, name: string, bytes: Buffer, size: number) {
    const file = randomUUID()
    for (let offset = 0; offset < bytes.length; offset += size)
      await call("upload", { file, offset, bytes: bytes.subarray(offset, offset + size) })
    return call("open", { name, pack: "text", file })
  }

  it("arrives in pieces on the disk, is opened, and leaves nothing behind", async () => {
    const story = Buffer.from("Once upon a time there was a little byte.".repeat(10))
    expect(await drop(app(), "story.txt", story, 100)).toMatchObject({
      name: "story.txt",
      modality: "text",
      bytes: new Uint8Array(story),
    })
    expect(readdirSync(join(home, "dropped"))).toEqual([])
  })
  it("of which a piece is missing is not taken", async () => {
    const { call } = app()
    const piece = { file: randomUUID(), bytes: Buffer.from("four") }
    await call("upload", { ...piece, offset: 0 })
    await expect(call("upload", { ...piece, offset: 8 })).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/Drop it again.$/),
    })
  })
  it("that never came, or is no file of a window's, is refused in one line", async () => {
    const window = app()
    await expect(drop(window, "lost.txt", Buffer.alloc(0), 1)).rejects.toThrow(/^lost.txt cannot be read.$/)
    const outside = window.call("upload", { file: "../../outside", offset: 0, bytes: new Uint8Array() })
    await expect(outside).rejects.toMatchObject({ code: "invalid" })
  })
  it("that is a text too large for memory is refused before it is read; what a closed window left is removed", async () => {
    mkdirSync(join(home, "dropped"), { recursive: true })
    const [half, large] = [join(home, "dropped", "half"), join(home, "large.txt")]
    writeFileSync(half, "left by a window that was closed")
    const { studio, send, of } = app()
    expect(existsSync(half)).toBe(false)
    writeFileSync(large, "a".repeat(2 ** 17))
    truncateSync(large, 33 * 2 ** 20)
    await studio.openPath(large, send)
    await Promise.resolve()
    expect(of("notice")).toMatchObject([{ kind: "problem", text: "large.txt is larger than 32 MB." }])
  })
})

describe("the app behind its windows", () => {
  it("keeps what is being written for the next window, until it is in an item", async () => {
    const { studio, call, disconnect } = app()
    const draftOf = async (studio: Studio) => {
      const { of, disconnect } = openWindow(studio)
      await Promise.resolve()
      return { draft: of("state")[0]?.draft, disconnect }
    }
    await call("draft", { text: "Once upon" })
    disconnect()
    const first = await draftOf(studio)
    expect([first.draft, (await draftOf(studio)).draft]).toEqual(["Once upon", ""])
    await call("draft", { text: "" })
    studio.close()
    const later = new Studio(places, start)
    expect((await draftOf(later)).draft).toBe("")
    later.close()
  })
  it("changes the preferences that are named, and no others", async () => {
    const { call } = app()
    // As a window does that has not heard of the first change yet when it sends the second.
    await Promise.all([
      call("prefer", { preferences: { threads: 1 } }),
      call("prefer", { preferences: { device: "cpu" } }),
    ])
    const kept = JSON.parse(readFileSync(join(places.home, "preferences.json"), "utf8"))
    expect(kept).toMatchObject({ threads: 1, device: "cpu", pack: "text" })
    await call("prefer", { preferences: { threads: 0, device: "auto" } })
  })
  it("answers what it does not understand, and goes on; what is asked without end is refused", async () => {
    const { call, channel } = app()
    for (const nonsense of ["nonsense", { type: "call" }, { type: "call", id: 1, method: "constructor" }])
      channel.send(nonsense)
    await expect(call("read", { id: "../../etc" })).rejects.toMatchObject({ code: "invalid" })
    const asked = Array.from({ length: 300 }, () => call("search", { query: "once" }))
    const answered = await Promise.allSettled(asked)
    expect(answered.filter(({ status }) => status === "rejected")).toHaveLength(300 - 256)
    expect(await call("search", { query: "once" })).toEqual([])
  })
  it("begins with what it has already: a document that it opened, an item with another byte after it", async () => {
    const { call, of } = app()
    const settings = { pack: "text", length: 4, seed: 1, variations: 1, sampling: defaultSampling, style: 0 }
    const file = randomUUID()
    await call("upload", { file, offset: 0, bytes: Buffer.from("Once upon a time") })
    const { document } = await call("open", { name: "a.txt", pack: "text", file })
    await call("prefer", { preferences: { device: "cpu" } })
    await call("generate", { settings, given: { document, length: 5 } })
    const made = async () => {
      const item = of("item").at(-1)?.item
      const { bytes } = await call("read", { id: item?.id ?? "" })
      return [item?.given, Buffer.from(bytes).toString()]
    }
    expect(await made()).toEqual([5, "Once cpu "])
    const item = of("item").at(-1)?.item.id ?? ""
    await call("generate", { settings, given: { item, length: 6, next: 33 }, parent: { id: item, at: 6 } })
    expect(await made()).toEqual([7, "Once c!cpu "])
    const none = call("generate", { settings, given: { document: randomUUID(), length: 1 } })
    await expect(none).rejects.toMatchObject({ code: "gone" })
  })
  it("keeps a picture that can be framed otherwise for that, and the few before it", async () => {
    const { call } = app()
    const pixels = Uint8Array.from({ length: 60 * 100 * 3 }, (_, i) => i / 80)
    const photo = await sharp(pixels, { raw: { width: 60, height: 100, channels: 3 } })
      .png()
      .toBuffer()
    const kept: string[] = []
    for (let i = 0; i < 5; i++) {
      const file = randomUUID()
      await call("upload", { file, offset: 0, bytes: photo })
      const { adjustable } = await call("open", { name: "photo.png", pack: "text", file })
      expect(adjustable?.crop || adjustable?.dither).toBe(true)
      kept.push(file)
    }
    expect(readdirSync(join(home, "dropped")).sort()).toEqual(kept.slice(1).sort())
    const [gone = "", there = ""] = kept
    await call("open", { name: "photo.png", pack: "text", file: there, framing: { crop: 0 } })
    const missing = call("open", { name: "photo.png", pack: "text", file: gone })
    await expect(missing).rejects.toMatchObject({ code: "gone", message: "photo.png cannot be read." })
  })
  it("goes on with the processor when the GPU's driver ends the engine, and loses nothing", async () => {
    const { call, of } = app()
    await call("prefer", { preferences: { pack: "text", threads: 0, device: "gpu", library: "" } })
    const settings = { pack: "text", length: 16, seed: 1, variations: 2, sampling: defaultSampling, style: 0 }
    await call("generate", { settings, given: Buffer.from("Once ") })
    expect(of("notice").map(({ text }) => text)).toEqual([
      expect.stringMatching(/^The GPU's driver ended the engine\. The processor continues/),
    ])
    const last = new Map(of("item").map(({ item }) => [item.id, item]))
    expect([...last.values()].map(({ status, bytes, given }) => ({ status, bytes, given }))).toEqual([
      { status: "done", bytes: 21, given: 5 },
      { status: "done", bytes: 21, given: 5 },
    ])
    const contents = await Promise.all([...last.keys()].map((id) => call("read", { id })))
    expect(contents.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([
      "Once gpu cpu cpu cpu ",
      "Once gpu cpu cpu cpu ",
    ])
  })
})
