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
import { afterEach, describe, expect, it } from "vitest"
import { type AppEvent, Settings } from "../../contract/app.ts"
import { defaultSampling } from "../../contract/sampling.ts"
import { fakeEngine, patchOf, startedWith } from "../../test/support/fake-engine.ts"
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

describe("a dropped file", () => {
  /** What the host answers to a file that arrives in pieces of `size` bytes and is opened. */
  async function drop(studio: Studio, name: string, file: Buffer, size: number) {
    const answers: AppEvent[] = []
    const say = (message: unknown) => studio.receive(message, (event) => void answers.push(event))
    const key = randomUUID()
    for (let offset = 0; offset < file.length; offset += size) {
      const bytes = file.subarray(offset, offset + size)
      await say({ type: "upload", file: key, offset, bytes })
    }
    await say({ type: "open", name, pack: "text", file: key })
    return answers
  }

  it("arrives in pieces on the disk, each told to be taken, is opened, and leaves nothing behind", async () => {
    const studio = new Studio(places, start)
    const story = Buffer.from("Once upon a time there was a little byte.".repeat(10))
    const answers = await drop(studio, "story.txt", story, 100)
    const opened = answers.pop()
    expect(answers.map((a) => a.type)).toEqual(Array.from({ length: 5 }, () => "taken"))
    expect(opened).toMatchObject({
      type: "opened",
      name: "story.txt",
      modality: "text",
      bytes: new Uint8Array(story),
    })
    expect(readdirSync(join(home, "dropped"))).toEqual([])
    studio.close()
  })
  it("of which a piece is missing is not taken", async () => {
    const studio = new Studio(places, start)
    const answers: AppEvent[] = []
    const key = randomUUID()
    for (const offset of [0, 8]) {
      const message = { type: "upload", file: key, offset, bytes: Buffer.from("four") }
      await studio.receive(message, (event) => void answers.push(event))
    }
    expect(answers).toMatchObject([
      { type: "taken", kept: true },
      { type: "taken", kept: false },
      { type: "notice", text: expect.stringMatching(/Drop it again.$/) },
    ])
    studio.close()
  })
  it("that never came, or is no file of a window's, is refused in one line", async () => {
    const studio = new Studio(places, start)
    expect(await drop(studio, "lost.txt", Buffer.alloc(0), 1)).toMatchObject([
      { type: "notice", kind: "problem", text: "lost.txt cannot be read." },
    ])
    const answers: AppEvent[] = []
    const outside = { type: "upload", file: "../../outside", offset: 0, bytes: new Uint8Array() }
    await studio.receive(outside, (event) => void answers.push(event))
    expect(answers).toMatchObject([{ type: "notice", text: expect.stringMatching(/^That was not understood/) }])
    studio.close()
  })
  it("that is a text too large for memory is refused before it is read; what a closed window left is removed", async () => {
    mkdirSync(join(home, "dropped"), { recursive: true })
    const [half, large] = [join(home, "dropped", "half"), join(home, "large.txt")]
    writeFileSync(half, "left by a window that was closed")
    const studio = new Studio(places, start)
    expect(existsSync(half)).toBe(false)
    writeFileSync(large, "a".repeat(2 ** 17))
    truncateSync(large, 33 * 2 ** 20)
    const answers: AppEvent[] = []
    await studio.openPath(large, (event) => void answers.push(event))
    expect(answers).toMatchObject([{ type: "notice", kind: "problem", text: "large.txt is larger than 32 MB." }])
    studio.close()
  })
})

describe("the app behind its windows", () => {
  it("keeps what is being written for the next window, until it is in an item", async () => {
    const studio = new Studio(places, start)
    const draftOf = (studio: Studio) => {
      let draft = "no state yet"
      const leave = studio.connect((event) => {
        if (event.type === "state") draft = event.draft
      })
      return { draft, leave }
    }
    await studio.receive({ type: "draft", text: "Once upon" }, () => {})
    const first = draftOf(studio)
    expect([first.draft, draftOf(studio).draft]).toEqual(["Once upon", ""])
    first.leave()
    await studio.receive({ type: "draft", text: "" }, () => {})
    studio.close()
    const later = new Studio(places, start)
    expect(draftOf(later).draft).toBe("")
    later.close()
  })
  it("changes the preferences that are named, and no others", async () => {
    const studio = new Studio(places, start)
    // As a window does that has not heard of the first change yet when it sends the second.
    await studio.receive({ type: "prefer", preferences: { threads: 1 } }, () => {})
    await studio.receive({ type: "prefer", preferences: { device: "cpu" } }, () => {})
    const kept = JSON.parse(readFileSync(join(places.home, "preferences.json"), "utf8"))
    expect(kept).toMatchObject({ threads: 1, device: "cpu", pack: "text" })
    await studio.receive({ type: "prefer", preferences: { threads: 0, device: "auto" } }, () => {})
    studio.close()
  })
  it("goes on with the processor when the GPU's driver ends the engine, and loses nothing", async () => {
    const studio = new Studio(places, start)
    const events: AppEvent[] = []
    studio.connect((event) => void events.push(event))
    const preferences = { pack: "text", threads: 0, device: "gpu", library: "" }
    await studio.receive({ type: "prefer", preferences }, () => {})
    const settings = Settings.parse({
      pack: "text",
      length: 16,
      seed: 1,
      variations: 2,
      sampling: defaultSampling,
      style: 0,
    })
    await studio.receive({ type: "generate", settings, given: Buffer.from("Once ") }, () => {})
    const notices = events.flatMap((e) => (e.type === "notice" ? [e.text] : []))
    expect(notices).toEqual([expect.stringMatching(/^The GPU's driver ended the engine\. The processor continues/)])
    const last = new Map(events.flatMap((e) => (e.type === "item" ? [[e.item.id, e.item] as const] : [])))
    expect([...last.values()].map(({ status, bytes, given }) => ({ status, bytes, given }))).toEqual([
      { status: "done", bytes: 21, given: 5 },
      { status: "done", bytes: 21, given: 5 },
    ])
    const contents: string[] = []
    for (const id of last.keys())
      await studio.receive({ type: "read", id }, (event) => {
        if (event.type === "content") contents.push(Buffer.from(event.bytes).toString())
      })
    expect(contents).toEqual(["Once gpu cpu cpu cpu ", "Once gpu cpu cpu cpu "])
    studio.close()
  })
})
