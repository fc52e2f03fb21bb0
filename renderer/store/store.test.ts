import { beforeEach, describe, expect, it } from "vitest"
import type { Item, Preferences } from "../../contract/app.ts"
import { fakeHost } from "../../test/support/host.ts"
import { textItem } from "../../test/support/item.ts"
import { createStudio, type Studio } from "./store.ts"

let host: ReturnType<typeof fakeHost>
let studio: Studio
const utf8 = (s: string) => new TextEncoder().encode(s)
const bitsOf = (count: number, bits: number) => new Float32Array(count).fill(bits)
const settings = {
  pack: "text",
  length: 10,
  seed: 1,
  variations: 2,
  sampling: { temperature: 1, topP: 1, topK: 0, minP: 0 },
  style: 0,
}
const item = (id: string): Item => ({ ...textItem, settings, id, created: 1 })
const preferences: Preferences = { pack: "text", threads: 0, device: "auto", library: "", presets: [] }
beforeEach(() => {
  host = fakeHost()
  studio = createStudio(host.host)
  studio.actions.receive({
    type: "state",
    packs: [],
    folder: "/",
    draft: "",
    running: false,
    preferences,
  })
})

describe("the window's store", () => {
  it("brings back what was written before a file, another model or a new draft took its place", () => {
    const pack = { patch: 8, license: "", data: "", parameters: 1, sizeBytes: 1, bitsPerByte: 1, shipped: true }
    const canvas = { width: 8, height: 8, channels: 3, styles: ["any"], header: 0 }
    studio.actions.receive({
      type: "packs",
      packs: [
        { ...pack, name: "text", title: "Text", modality: "text", media: {} },
        { ...pack, name: "image", title: "Pictures", modality: "image", canvas, media: canvas },
      ],
    })
    const state = () => studio.store.getState()
    const replace = [
      () =>
        studio.actions.receive({
          type: "opened",
          name: "a.txt",
          pack: "text",
          modality: "text",
          bytes: utf8("A file"),
          note: "",
          document: crypto.randomUUID(),
        }),
      () => studio.actions.setPack("image"),
      () => studio.actions.newDraft(),
    ]
    for (const by of replace) {
      studio.actions.setDraft({ text: "My own beginning" })
      by()
      expect(state().draft.text).not.toBe("My own beginning")
      const notice = state().notices.at(-1)
      expect(notice?.text).toBe("The text that you had begun was put away.")
      notice?.undo?.()
      expect([state().draft.text, state().settings.pack]).toEqual(["My own beginning", "text"])
      studio.actions.newDraft()
      for (const { key } of state().notices) studio.actions.dismiss(key)
    }
    // What is in an item, or was never touched, goes without a word.
    studio.actions.setDraft({ text: "Once" })
    studio.actions.generate()
    studio.actions.newDraft("An example")
    studio.actions.newDraft()
    expect(state().notices).toEqual([])
  })
  it("hands a dropped file over piece by piece, each when the one before was taken, and tells that it is read", async () => {
    const opening = studio.actions.openFile(new File([new Uint8Array(5 * 2 ** 20)], "long.wav"))
    const offsets = () => host.asked("upload").map(({ offset }) => offset)
    await expect.poll(offsets).toEqual([0])
    expect(studio.store.getState().opening).toBe("long.wav")
    host.answer("upload", undefined)
    await expect.poll(offsets).toEqual([0, 4 * 2 ** 20])
    expect(host.asked("open")).toEqual([])
    host.answer("upload", undefined)
    await expect.poll(() => host.asked("open").length).toBe(1)
    expect(host.asked("open")[0]).toMatchObject({ name: "long.wav", file: host.asked("upload")[0]?.file })
    host.refuse("open", "long.wav holds no sound.")
    await opening
    expect(studio.store.getState()).toMatchObject({
      opening: undefined,
      notices: [{ text: "long.wav holds no sound." }],
    })
  })
  it("goes on from what was opened by the host's name for it, and sends what is the person's own", async () => {
    const document = crypto.randomUUID()
    const bytes = utf8("Ein kühler Morgen")
    studio.actions.receive({ type: "opened", name: "a.txt", pack: "text", modality: "text", bytes, note: "", document })
    const given = (change: { text?: string; caret?: number }) => {
      studio.actions.setDraft(change)
      studio.actions.generate()
      studio.actions.receive({ type: "finished", reason: "length" })
      return host.asked("generate").at(-1)?.given
    }
    expect(given({})).toEqual({ document, length: 18 })
    expect(given({ caret: 7 })).toEqual({ document, length: 8 })
    // The host has let it go meanwhile.
    host.refuse("generate", "It is gone.", "gone")
    await expect.poll(() => host.asked("generate").at(-1)?.given).toEqual(bytes)
    expect(studio.store.getState().notices).toEqual([])
    expect(given({ text: "Ein warmer Morgen" })).toEqual(utf8("Ein warmer Morgen"))
    studio.actions.newDraft("Ein")
    expect(given({})).toEqual(utf8("Ein"))
  })
  it("has a picture framed otherwise without handing it over again, unless the host has let it go", async () => {
    const picture = new File([new Uint8Array(10)], "a.png")
    const opened = { name: "a.png", pack: "text", modality: "image" as const, note: "", bytes: new Uint8Array(4) }
    const adjustable = { crop: true, dither: false }
    const answer = async () => {
      await expect.poll(() => host.names().at(-1)).toBe("open")
      host.answer("open", { ...opened, adjustable, document: crypto.randomUUID() })
    }
    const first = studio.actions.openFile(picture)
    await expect.poll(() => host.names()).toContain("upload")
    host.answer("upload", undefined)
    await answer()
    await first
    const again = studio.actions.reframe({ crop: 0 })
    await answer()
    await again
    expect(host.names()).toEqual(["upload", "open", "open"])
    const [before, after] = host.asked("open")
    expect([after?.file, after?.framing]).toEqual([before?.file, { crop: 0, dithered: false }])
    const third = studio.actions.reframe({ crop: 1 })
    host.refuse("open", "a.png cannot be read.", "gone")
    await expect.poll(() => host.asked("upload").length).toBe(2)
    host.answer("upload", undefined)
    await expect.poll(() => host.asked("open").length).toBe(4)
    await answer()
    await third
    expect(studio.store.getState().draft.file?.framing.crop).toBe(1)
  })
  it("can stop a run while the host says its state again", () => {
    studio.actions.receive({ type: "run", ids: [], total: 10, made: 0, unit: "bytes" })
    const again = { type: "state" as const, packs: [], folder: "/", draft: "", preferences }
    studio.actions.receive({ ...again, running: true })
    expect(studio.store.getState().run).toBeDefined()
    studio.actions.receive({ ...again, running: false })
    expect(studio.store.getState().run).toBeUndefined()
  })
  it("tells of a file that a lost connection cut off, and not when the host only says its state again", async () => {
    const opening = studio.actions.openFile(new File([new Uint8Array(10)], "long.wav"))
    await expect.poll(() => host.names()).toContain("upload")
    studio.actions.receive({ type: "state", packs: [], folder: "/elsewhere", preferences, draft: "", running: false })
    expect([studio.store.getState().opening, studio.store.getState().notices]).toEqual(["long.wav", []])
    studio.actions.disconnected()
    host.cut()
    await opening
    expect(studio.store.getState().opening).toBeUndefined()
    expect(studio.store.getState().notices.map((n) => n.text)).toEqual([
      "long.wav was not read, as the connection was lost; drop it again.",
    ])
    expect(host.asked("open")).toEqual([])
  })
  it("sends the draft up to the caret, with a new seed each time unless the seed is held", () => {
    studio.actions.setDraft({ text: "Once upon", caret: 4 })
    studio.actions.generate()
    studio.actions.receive({ type: "finished", reason: "length" })
    studio.actions.setDraft({ caret: 9 })
    studio.actions.holdSeed(true)
    studio.actions.generate()
    studio.actions.receive({ type: "finished", reason: "length" })
    studio.actions.generate()
    const [a, b, c] = host.asked("generate")
    expect([a?.given, b?.given]).toEqual([utf8("Once"), utf8("Once upon")])
    expect(b?.settings.seed).toBe(c?.settings.seed)
    expect(a?.settings.seed).toBe(b?.settings.seed)
  })
  it("asks once, however often it is told to, until the host answers; a refusal lets it ask again", async () => {
    studio.actions.receive({ type: "item", item: item("a") })
    studio.actions.setSettings({ variations: 1, sampling: settings.sampling })
    studio.actions.setDraft({ text: "Once" })
    studio.actions.generate()
    studio.actions.generate()
    studio.actions.continueItem("a")
    expect(host.names()).toEqual(["generate"])
    host.refuse("generate", "Not now.")
    await expect.poll(() => studio.store.getState().notices.map((n) => n.text)).toEqual(["Not now."])
    studio.actions.continueItem("a")
    expect(host.names()).toEqual(["generate", "continue"])
  })
  it("shows all variations of a run and appends each one's patches", () => {
    for (const id of ["a", "b"]) studio.actions.receive({ type: "item", item: { ...item(id), run: "a" } })
    studio.actions.receive({ type: "run", ids: ["a", "b"], total: 10, made: 0, unit: "bytes" })
    expect(host.asked("read")).toEqual([{ id: "a" }, { id: "b" }])
    for (const id of ["a", "b"])
      studio.actions.receive({ type: "content", id, bytes: utf8("Once"), bits: bitsOf(4, -1) })
    studio.actions.receive({
      type: "patches",
      parts: [{ id: "b", bytes: utf8(" up"), bits: Float32Array.of(1, 2, 3) }],
    })
    const { contents, shown, run } = studio.store.getState()
    expect(shown).toEqual(["a", "b"])
    expect(contents.get("b")?.chunks[0]?.text).toBe("Once up")
    expect(contents.get("a")?.length).toBe(4)
    expect(run?.bytes).toBe(3)
  })
  it("counts a text's progress in characters, wherever its bytes are cut", () => {
    studio.actions.receive({ type: "run", ids: ["a"], total: 10, made: 0, unit: "characters" })
    const euro = Buffer.from("a€b")
    for (const bytes of [euro.subarray(0, 2), euro.subarray(2)])
      studio.actions.receive({
        type: "patches",
        parts: [{ id: "a", bytes: new Uint8Array(bytes), bits: new Float32Array() }],
      })
    expect(studio.store.getState().run).toMatchObject({ made: 3, bytes: 5 })
  })
  it("forks from a byte of an item: what was before it is given", () => {
    studio.actions.receive({ type: "item", item: item("a") })
    studio.actions.receive({ type: "content", id: "a", bytes: utf8("Once upon"), bits: bitsOf(9, 1) })
    studio.actions.branch("a", 5)
    expect(host.asked("generate")).toMatchObject([{ given: { item: "a", length: 5 }, parent: { id: "a", at: 5 } }])
  })
  it("takes another byte far into a long text", () => {
    const length = 300_000
    studio.actions.receive({ type: "item", item: item("a") })
    studio.actions.receive({
      type: "content",
      id: "a",
      bytes: new Uint8Array(length).fill(97),
      bits: bitsOf(length, 1),
    })
    studio.actions.branch("a", length - 1, 98)
    expect(host.asked("generate")).toMatchObject([{ given: { item: "a", length: length - 1, next: 98 } }])
  })
  it("says whether the text that is given ends within a word", () => {
    const generated = (act: () => void) => {
      act()
      studio.actions.receive({ type: "finished", reason: "length" })
      return host.asked("generate").at(-1)?.settings.withinWord ?? false
    }
    const from = (caret: number) => {
      studio.actions.setDraft({ caret })
      studio.actions.generate()
    }
    studio.actions.newDraft("by the sea")
    expect(generated(() => studio.actions.generate())).toBe(false)
    expect(generated(() => from(6))).toBe(false)
    expect(generated(() => from(8))).toBe(true)
    // What was made here goes on wherever its length cut it, until it is changed.
    studio.actions.receive({ type: "item", item: item("a") })
    studio.actions.receive({ type: "content", id: "a", bytes: utf8("Once upo"), bits: bitsOf(8, 1) })
    expect(generated(() => studio.actions.branch("a", 7))).toBe(true)
    studio.actions.edit("a")
    expect(generated(() => studio.actions.generate())).toBe(true)
    studio.actions.setDraft({ text: "Once up" })
    expect(generated(() => studio.actions.generate())).toBe(false)
  })
  it("starts nothing while something is being written", () => {
    studio.actions.receive({ type: "run", ids: [], total: 10, made: 0, unit: "bytes" })
    studio.actions.generate()
    expect(host.names()).toEqual([])
  })
  it("Ctrl+Enter goes on with what is shown, and begins with the draft when nothing is", () => {
    studio.actions.submit()
    studio.actions.receive({ type: "item", item: item("a") })
    studio.actions.receive({ type: "finished", reason: "length" })
    studio.actions.setSettings({ variations: 1, sampling: settings.sampling })
    studio.actions.show("a")
    studio.actions.submit()
    expect(host.names()).toEqual(["generate", "read", "continue"])
  })
  it("keeps the settings when an old item is looked at, and takes its own only when asked to (H10)", () => {
    const pack = { patch: 8, license: "", data: "", parameters: 1, sizeBytes: 1, bitsPerByte: 1, shipped: true }
    studio.actions.receive({
      type: "packs",
      packs: [{ ...pack, name: "text", title: "Text", modality: "text", media: {} }],
    })
    studio.actions.setSettings({ seed: 5 })
    studio.actions.receive({ type: "item", item: { ...item("a"), settings: { ...settings, seed: 77 } } })
    studio.actions.show("a")
    expect(studio.store.getState().settings.seed).toBe(5)
    studio.actions.adoptSettings("a")
    expect(studio.store.getState()).toMatchObject({ settings: { seed: 77 }, fixedSeed: true })
  })
  it("shows the surprise of what was looked at, not of what is made next (B3)", () => {
    studio.actions.receive({ type: "item", item: { ...item("a"), scored: true } })
    studio.actions.show("a")
    expect(studio.store.getState().surprise).toBe(true)
    studio.actions.newDraft("Once")
    expect(studio.store.getState().surprise).toBe(false)
    studio.actions.setSurprise(true)
    studio.actions.generate()
    expect(studio.store.getState().surprise).toBe(false)
    studio.actions.receive({ type: "item", item: item("b") })
    studio.actions.receive({ type: "run", ids: ["b"], total: 10, made: 0, unit: "bytes" })
    expect(studio.store.getState().surprise).toBe(false)
  })
  it("brings back what was deleted, and into the document what was there", () => {
    studio.actions.receive({ type: "item", item: item("a") })
    studio.actions.show("a")
    studio.actions.remove(["a"])
    studio.actions.receive({ type: "gone", id: "a" })
    expect(studio.store.getState()).toMatchObject({ view: "home", shown: [] })
    studio.store.getState().notices.at(-1)?.undo?.()
    expect(host.asked("undelete")).toEqual([{ ids: ["a"] }])
    studio.actions.receive({ type: "item", item: item("a") })
    expect(studio.store.getState()).toMatchObject({ view: "work", shown: ["a"], chosen: "a" })
  })
})
