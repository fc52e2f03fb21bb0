import { statSync } from "node:fs"
import { join } from "node:path"
import { type AppEvent, Command, type Item, type PackSummary, type Settings } from "../contract/app.ts"
import { defaultSampling } from "../contract/engine.ts"
import type { Pack } from "../contract/pack.ts"
import { EngineClient, type EnginePort } from "./engine/client.ts"
import { Library } from "./library/library.ts"
import { readText } from "./media/text.ts"
import { findPack, listPacks, type Places } from "./packs/find.ts"
import { documentBounds, readPack } from "./packs/read.ts"

/** Milliseconds between two bundles of patches to the windows: one animation frame. */
const FRAME = 16
/** Milliseconds between two writes of what is being generated to the library. */
const FLUSH = 1000

/** The item being written, and what of it is not yet sent or on disk. */
type Writing = { id: string; unsent: Part; unsaved: Part; bytes: number; nats: number }
type Part = { bytes: number[]; bits: number[] }

const fresh = (): Part => ({ bytes: [], bits: [] })
const base64 = (bytes: Uint8Array | number[]) => Buffer.from(bytes).toString("base64")

/**
 * The app behind its windows, the same under Electron and in a browser: takes commands, runs the engine, keeps the
 * library, tells every window what happens. A host hands it folders and a way to start the engine.
 */
export class Studio {
  private engine: EngineClient | undefined
  private readonly library: Library
  private readonly windows = new Set<(event: AppEvent) => void>()
  private running: { cancel(): void } | undefined
  /** Sends and saves what is pending of the running generation, so that what is read next is whole. */
  private settle = () => {}
  /** Items being written, for a window that comes in the middle. */
  private live: { ids: string[]; total: number } | undefined

  constructor(
    private readonly places: Places,
    private readonly startEngine: (cache: string) => EnginePort,
  ) {
    this.library = new Library(join(places.home, "library"))
    this.library.emptyDeleted()
  }

  /** Connects a window; it gets the whole state first. Returns what disconnects it. */
  connect(send: (event: AppEvent) => void): () => void {
    this.windows.add(send)
    send({ type: "state", packs: this.packs(), items: this.library.list(), folder: this.library.folder })
    if (this.live) {
      send({ type: "run", ...this.live })
      send({ type: "phase", phase: "writing" })
    }
    return () => void this.windows.delete(send)
  }

  /** Takes one message from a window: anything at all, checked here. */
  async receive(message: unknown, answer: (event: AppEvent) => void): Promise<void> {
    const parsed = Command.safeParse(message)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      answer({
        type: "notice",
        kind: "problem",
        text: `That was not understood (${issue?.path.join(".")}: ${issue?.message}).`,
      })
      return
    }
    try {
      await this.execute(parsed.data, answer)
    } catch (error) {
      answer({ type: "notice", kind: "problem", text: (error as Error).message.split("\n")[0] ?? "" })
    }
  }

  private tell(event: AppEvent): void {
    for (const send of this.windows) send(event)
  }

  private async execute(command: Command, answer: (event: AppEvent) => void): Promise<void> {
    switch (command.type) {
      case "generate":
        return this.generate(command.settings, Buffer.from(command.given, "base64"), command.parent)
      case "continue":
        return this.goOn(command.id, command.length)
      case "stop":
        return this.running?.cancel()
      case "open": {
        const { bytes, note } = readText(command.name, Buffer.from(command.bytes, "base64"))
        return answer({ type: "opened", name: command.name, bytes: base64(bytes), note })
      }
      case "read": {
        this.settle()
        const { bytes, bits } = this.library.read(command.id)
        return answer({
          type: "content",
          id: command.id,
          bytes: base64(bytes),
          bits: Array.from(bits, (b) => (Number.isNaN(b) ? -1 : b)),
        })
      }
      case "rename":
        return this.tell({ type: "item", item: this.library.update(command.id, { title: command.title }) })
      case "favourite":
        return this.tell({ type: "item", item: this.library.update(command.id, { favourite: command.on }) })
      case "delete":
        if (this.library.get(command.id).status === "running")
          throw new Error("It is still being written; stop it first.")
        this.library.delete(command.id)
        return this.tell({ type: "gone", id: command.id })
      case "undelete":
        return this.tell({ type: "item", item: this.library.undelete(command.id) })
      case "score":
        return this.score(command.pack, command.name, Buffer.from(command.bytes, "base64"))
    }
  }

  private packs(): PackSummary[] {
    return listPacks(this.places).map((found) => {
      if ("problem" in found) {
        const name = found.folder.split(/[\\/]/).at(-1) ?? found.folder
        const nothing = {
          modality: "bytes" as const,
          patch: 1,
          license: "",
          data: "",
          parameters: 0,
          sizeBytes: 0,
          bitsPerByte: 0,
        }
        return { name, title: name, ...nothing, shipped: found.shipped, problem: found.problem }
      }
      const { name, title, modality, license, data, parameters, model, heldOut } = found.pack
      const sizeBytes = statSync(join(found.folder, "weights.safetensors")).size
      const { bitsPerByte } = heldOut
      return {
        name,
        title,
        modality,
        patch: model.patch,
        license,
        data,
        parameters,
        sizeBytes,
        bitsPerByte,
        shipped: found.shipped,
      }
    })
  }

  /** The engine, started anew where it has died. */
  private client(): EngineClient {
    if (!this.engine || this.engine.isDead)
      this.engine = new EngineClient(this.startEngine(join(this.places.cache, "graphs")))
    return this.engine
  }

  private assertIdle(): void {
    if (this.running) throw new Error("Something is being written already; stop it first or wait for its end.")
  }

  private async generate(settings: Settings, given: Uint8Array, parent?: Item["parent"]): Promise<void> {
    this.assertIdle()
    const folder = findPack(settings.pack, this.places)
    const pack = readPack(folder)
    const items = Array.from({ length: settings.variations }, (_, variation) =>
      this.library.add(
        {
          title: titleOf(given),
          modality: pack.modality,
          file: pack.modality === "text" ? "output.txt" : "output.bin",
          settings,
          variation,
          given: given.length,
          bytes: given.length,
          bitsPerByte: 0,
          favourite: false,
          status: "running",
          ...(parent ? { parent } : {}),
        },
        given,
      ),
    )
    for (const item of items) this.tell({ type: "item", item })
    await this.write(items, folder, pack, given, settings, settings.length)
  }

  private async goOn(id: string, length: number): Promise<void> {
    this.assertIdle()
    const item = this.library.get(id)
    const folder = findPack(item.settings.pack, this.places)
    const { bytes } = this.library.read(id)
    const running = this.library.update(id, { status: "running" })
    this.tell({ type: "item", item: running })
    await this.write([running], folder, readPack(folder), bytes, item.settings, length)
  }

  /** Decodes into items that all begin with `prompt`, sends patches as they finish, saves every second. */
  private async write(
    items: Item[],
    folder: string,
    pack: Pack,
    prompt: Uint8Array,
    settings: Settings,
    length: number,
  ) {
    const writing: Writing[] = items.map((item) => {
      const made = item.bytes - item.given
      return { id: item.id, unsent: fresh(), unsaved: fresh(), bytes: made, nats: made * item.bitsPerByte * Math.LN2 }
    })
    this.live = { ids: items.map((i) => i.id), total: length }
    this.tell({ type: "run", ...this.live })
    this.tell({ type: "phase", phase: "loading" })
    const sendAll = () => {
      const parts = writing.filter((w) => w.unsent.bytes.length)
      if (!parts.length) return
      this.tell({
        type: "patches",
        parts: parts.map((w) => ({ id: w.id, bytes: base64(w.unsent.bytes), bits: w.unsent.bits })),
      })
      for (const w of parts) w.unsent = fresh()
    }
    const saveAll = () => {
      for (const w of writing) {
        if (w.unsaved.bytes.length) this.library.append(w.id, Uint8Array.from(w.unsaved.bytes), w.unsaved.bits)
        w.unsaved = fresh()
      }
    }
    this.settle = () => {
      sendAll()
      saveAll()
    }
    const frames = setInterval(sendAll, FRAME)
    const flushes = setInterval(saveAll, FLUSH)
    let reason: "length" | "end" | "cancelled" | "failed" = "failed"
    try {
      const run = this.client().generate(
        {
          pack: folder,
          precision: "int8",
          threads: 0,
          ...documentBounds(pack, prompt),
          length,
          variations: items.length,
          seed: settings.seed,
          sampling: settings.sampling,
        },
        {
          loaded: () => this.tell({ type: "phase", phase: "reading" }),
          started: () => this.tell({ type: "phase", phase: "writing" }),
          patch: ({ parts }) => {
            parts.forEach((part, i) => {
              const w = writing[i] as Writing
              const bits = bitsOf(part.logprob)
              for (const p of [w.unsent, w.unsaved]) {
                p.bytes.push(...part.bytes)
                p.bits.push(...bits)
              }
              w.bytes += part.bytes.length
              w.nats -= part.logprob.reduce((a, x) => a + x, 0)
            })
          },
        },
      )
      this.running = run
      reason = (await run.result).reason
    } catch (error) {
      this.tell({
        type: "notice",
        kind: "problem",
        text: `${(error as Error).message} Continue goes on from the last patch.`,
      })
    } finally {
      clearInterval(frames)
      clearInterval(flushes)
      this.running = undefined
      this.live = undefined
      this.settle()
      this.settle = () => {}
      const status = reason === "cancelled" ? "stopped" : reason === "failed" ? "interrupted" : "done"
      items.forEach((item, i) => {
        const w = writing[i] as Writing
        const bitsPerByte = w.bytes ? w.nats / Math.LN2 / w.bytes : 0
        this.tell({
          type: "item",
          item: this.library.update(item.id, { status, bytes: item.given + w.bytes, bitsPerByte }),
        })
      })
      this.tell({ type: "finished", reason })
    }
  }

  /** Scores a file into an item whose bits are there from its first byte on. */
  private async score(packName: string, name: string, bytes: Uint8Array): Promise<void> {
    this.assertIdle()
    const folder = findPack(packName, this.places)
    const pack = readPack(folder)
    this.tell({ type: "run", ids: [], total: bytes.length })
    this.tell({ type: "phase", phase: "reading" })
    let reason: "length" | "cancelled" | "failed" = "failed"
    try {
      const run = this.client().score({ pack: folder, precision: "int8", threads: 0, bytes: Uint8Array.from(bytes) })
      this.running = run
      const { logprob } = await run.result
      const bits = bitsOf(logprob)
      const mean = bits.reduce((a, b) => a + b, 0) / Math.max(1, bits.length)
      const settings: Settings = {
        pack: packName,
        length: 400,
        seed: 0,
        variations: 1,
        sampling: defaultSampling,
      }
      const item = this.library.add(
        {
          title: `Score of ${name}`,
          modality: pack.modality,
          file: "output.txt",
          settings,
          variation: 0,
          given: 0,
          bytes: bits.length,
          bitsPerByte: mean,
          favourite: false,
          status: "done",
        },
        new Uint8Array(),
      )
      this.library.append(item.id, bytes.subarray(0, bits.length), bits)
      this.tell({ type: "item", item })
      this.tell({ type: "run", ids: [item.id], total: bits.length })
      reason = bits.length < bytes.length ? "cancelled" : "length"
    } finally {
      this.running = undefined
      this.tell({ type: "finished", reason })
    }
  }

  close(): void {
    this.running?.cancel()
    this.engine?.close()
  }
}

/** Nats to bits, to a thousandth: what a window shows and the library keeps. */
const bitsOf = (logprob: Float32Array) => Array.from(logprob, (x) => Math.round((-x / Math.LN2) * 1000) / 1000)

/** A title from the beginning of what was given: its last words stand for it. */
function titleOf(given: Uint8Array): string {
  const text = new TextDecoder().decode(given.subarray(0, 300)).replace(/\s+/g, " ").trim()
  return text ? text.slice(0, 60) : "Untitled"
}
